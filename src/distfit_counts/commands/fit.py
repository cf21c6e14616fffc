"""``distfit fit``: read, fit, print."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from distfit_counts.commands import options
from distfit_counts.commands.data import Data
from distfit_counts.commands.ending import end
from distfit_counts.commands.fitting import Fitting, check_memory, fitting_progress, import_torch_meanwhile, kind_of
from distfit_counts.commands.grouped import grouped
from distfit_counts.commands.idle import only_with
from distfit_counts.commands.outputs import check_outputs, deliver, format_of
from distfit_counts.settings import LEVEL, REPLICATES, FitSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from distfit_counts.assembly import Fits
    from distfit_counts.data.column import Column
    from distfit_counts.families.family import Family
    from distfit_counts.report.progress import Watch


@grouped
def fit(
    ctx: typer.Context,
    family: options.Spec,
    data: Data,
    fitting: Fitting,
    components: options.Components = None,
    level: options.Level = LEVEL,
    ci: options.Intervals = options.Interval.wald,
    replicates: options.Replicates = REPLICATES,
    bootstrap: options.Bootstraps = options.Bootstrap.nonparametric,
    gof_replicates: options.GofReplicates = 0,
    format: options.Formats = None,
    output: options.Output = None,
    plot: options.Plot = None,
    save: options.Save = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fit a count distribution to a column of counts.

    distfit fit counts.csv --family zip

    distfit fit visits.parquet -c visits --by clinic --family nb --format json | jq .aic
    """
    from distfit_counts.data.arrays import spare_pandas
    from distfit_counts.families.spec import parse
    from distfit_counts.report.progress import Watch
    from distfit_counts.report.write import write_fits

    only_with(ctx, "--ci bootstrap", ci is options.Interval.bootstrap, "replicates", "bootstrap")
    chosen = parse(family, components)
    data.check()
    check_outputs(output, save, plot, data.files)
    written_as = format_of(format, output)
    settings = fitting.settings(
        ctx,
        data,
        level=level,
        trace=verbose,
        ci=ci.value,
        replicates=replicates,
        bootstrap=bootstrap.value,
        gof_replicates=gof_replicates,
    )
    spare_pandas()
    import_torch_meanwhile(data.threads)
    with Watch(quiet) as watch:
        within = partial(check_memory, families=[chosen], settings=settings, written_as=written_as)
        columns = data.read(watch, quiet, within)
        within(len(columns))
        fits = _fit(columns, chosen, settings, watch)
        deliver(
            output,
            written_as,
            lambda path, format: write_fits(fits, format, path, verbose, watch.writing(path, "fits")),
            *([] if save is None else [lambda: _save(fits, save, watch)]),
            *([] if plot is None else [lambda: _plot(fits, plot)]),
        )
    end(fits)


def _save(fits: Fits, path: Path, watch: Watch) -> None:
    from distfit_counts.model_file import save
    from distfit_counts.report.progress import reported

    save(path, reported(fits, watch.reporter("saving", "fits")))


def _plot(fits: Fits, path: Path) -> None:
    from distfit_counts.report.plots import plot_fits

    plot_fits(fits, path)


def _fit(columns: Sequence[Column], family: Family, settings: FitSettings, watch: Watch) -> Fits:
    from distfit_counts.fitting import fit_columns

    fits = fit_columns(columns, family, settings, fitting_progress(watch, "fitting"))
    if len(fits) > 1 and not settings.simulates:
        fits.judge(watch.reporter("judging", kind_of(columns)))
    if settings.simulates:
        from distfit_counts.inference.replicates import watched

        samples = settings.gof_replicates + (settings.replicates if settings.ci == "bootstrap" else 0)
        with watched(watch.reporter("simulating", "samples"), len(fits) * samples):
            for i in range(len(fits)):
                fits[i]
    return fits
