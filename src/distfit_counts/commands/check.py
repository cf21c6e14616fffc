"""``distfit check``: a saved model on new data, without refitting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.data import Data
from distfit_counts.commands.fitting import import_torch_meanwhile
from distfit_counts.commands.grouped import grouped
from distfit_counts.commands.idle import refuse
from distfit_counts.commands.messages import say
from distfit_counts.commands.of_regression import check_regression
from distfit_counts.commands.outputs import check_outputs, deliver, format_of
from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    from distfit_counts.data.column import Column
    from distfit_counts.inference.new_data.check import Check
    from distfit_counts.report.progress import Watch
    from distfit_counts.result import Fit

# The exit code of a check that was asked to fail, and did.
_FAILED = 3
# Of Data, what says where counts lie; rows are read as distfit regress and predict read them.
_OF_COUNTS = ("column", "by", "together", "variables", "layer", "connect", "table", "sql", "max_distinct", "memory")


@grouped
def check(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit fit or regress --save.")],
    data: Data,
    format: options.Formats = None,
    output: options.Output = None,
    plot: options.PlotOne = None,
    fail: options.Fail = False,
    quiet: options.Quiet = False,
) -> None:
    """Check a saved model on new data, without refitting: scores, calibration, goodness of fit.

    Of a regression, SOURCE is a table with its response and covariates; all SOURCEs are one.

    distfit check model.json new.csv
    """
    from distfit_counts.data.arrays import spare_pandas
    from distfit_counts.inference.verdicts.new_data import failed
    from distfit_counts.matching import match
    from distfit_counts.model_file import HINT, fits_of
    from distfit_counts.report.check import write_checks
    from distfit_counts.report.progress import Watch
    from distfit_counts.saved import is_regression, read

    data.check()
    check_outputs(output, None, plot, [model, *data.files])
    written_as = format_of(format, output)
    record = read(model, HINT)
    if is_regression(record):
        refuse(ctx, "a regression", *_OF_COUNTS)
        verdicts = check_regression(model, data.sources or [], data.weights, written_as, output, plot, quiet)
        raise typer.Exit(_FAILED if fail and failed(verdicts) else 0)
    fits = fits_of(record, model)
    spare_pandas()
    import_torch_meanwhile(data.threads)
    with Watch(quiet) as watch:
        pairs, left = match(fits, data.read(watch, quiet))
        if plot is not None and len(pairs) > 1:
            raise DistfitError(f"--plot draws one check, not {len(pairs)}", "choose one column and group")
        if left and not quiet:
            say(f"the model has no fit for {_listed([c.label for c in left])}: left out")
        checks = _check(pairs, watch)
    deliver(
        output,
        written_as,
        lambda path, format: write_checks(checks, format, path),
        *([] if plot is None else [lambda: _draw(checks[0], plot)]),
    )
    if fail and any(failed(found.verdicts) for found in checks):
        raise typer.Exit(_FAILED)


def _check(pairs: list[tuple[Fit, Column]], watch: Watch) -> list[Check]:
    from distfit_counts.inference.new_data.check import check as check_fit

    checks = []
    for done, (fit, counts) in enumerate(pairs):
        watch.show("checking", done, len(pairs), counts.label)
        checks.append(check_fit(fit, counts))
    return checks


def _draw(check: Check, path: Path) -> None:
    from distfit_counts.report.plots import plot_check

    plot_check(check.fit, check.column, check.histogram, path)


def _listed(labels: list[str]) -> str:
    more = f" and {len(labels) - 3:,} more" if len(labels) > 3 else ""
    return "; ".join(labels[:3]) + more
