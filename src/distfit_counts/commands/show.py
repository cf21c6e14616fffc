"""``distfit show``: print a saved model again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distfit_counts.commands import options


def show(
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit fit --save.")],
    format: options.Formats = options.Format.table,
    output: options.Output = None,
    verbose: options.Verbose = False,
) -> None:
    """Print a saved model again, as distfit fit printed it."""
    from distfit_counts.model_file import load
    from distfit_counts.report.write import write_fits

    write_fits(load(model), format.value, output, verbose)
