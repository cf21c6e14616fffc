"""``distfit show``: print a saved model again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.outputs import check_outputs, format_of


def show(
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit fit --save.")],
    format: options.Formats = None,
    output: options.Output = None,
    verbose: options.Verbose = False,
) -> None:
    """Print a saved model again, as distfit fit printed it."""
    from distfit_counts.model_file import load
    from distfit_counts.report.write import write_fits

    check_outputs(output, None, None, [model])
    written_as = format_of(format, output)
    write_fits(load(model), written_as, output, verbose)
