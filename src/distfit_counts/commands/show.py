"""``distfit show``: print a saved model again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distfit_counts.commands.fit import Format


def show(
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit fit --save.")],
    format: Annotated[Format, typer.Option("--format", help="table, json or csv.")] = Format.table,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write here in place of stdout.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="All restarts, and how they moved if that was saved.")
    ] = False,
) -> None:
    """Print a saved model again, as distfit fit printed it."""
    from distfit_counts.model_file import load
    from distfit_counts.report.write import write_fits

    write_fits(load(model), format.value, output, verbose)
