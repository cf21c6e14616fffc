"""``distfit show``: print a saved model again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.of_regression import show_regression
from distfit_counts.commands.outputs import check_outputs, format_of


def show(
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit fit or regress --save.")],
    format: options.Formats = None,
    output: options.Output = None,
    verbose: options.Verbose = False,
) -> None:
    """Print a saved model again, as distfit fit or distfit regress printed it."""
    from distfit_counts.model_file import HINT, fits_of
    from distfit_counts.report.write import write_fits
    from distfit_counts.saved import is_regression, read

    check_outputs(output, None, None, [model])
    written_as = format_of(format, output)
    record = read(model, HINT)
    if is_regression(record):
        show_regression(model, written_as, output, verbose)
    else:
        write_fits(fits_of(record, model), written_as, output, verbose)
