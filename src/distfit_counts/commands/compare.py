"""``distfit compare``: many families on the same counts, ranked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.data import Data
from distfit_counts.commands.ending import end
from distfit_counts.commands.fitting import Fitting, check_memory, fitting_progress, import_torch_meanwhile
from distfit_counts.commands.grouped import grouped
from distfit_counts.commands.idle import only_with
from distfit_counts.commands.outputs import check_outputs, deliver, format_of
from distfit_counts.errors import DistfitError
from distfit_counts.settings import COMPARED, LEVEL, REPLICATES, FitSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from distfit_counts.comparing import Comparisons
    from distfit_counts.data.column import Column
    from distfit_counts.families.family import Family
    from distfit_counts.report.progress import Watch

_FAMILIES = (
    f"Families, separated by commas, or repeat  [default: those of {', '.join(COMPARED)} that the data can bear]"
)


@grouped
def compare(
    ctx: typer.Context,
    data: Data,
    fitting: Fitting,
    families: Annotated[list[str] | None, typer.Option("--families", "-f", metavar="SPEC,...", help=_FAMILIES)] = None,
    level: Annotated[float, typer.Option("--level", help="Level of the confidence intervals that -v shows.")] = LEVEL,
    lrt: Annotated[
        bool,
        typer.Option("--bootstrap-lrt", help="Choose the number of components by the bootstrap likelihood ratio too."),
    ] = False,
    replicates: Annotated[
        int, typer.Option("--replicates", metavar="B", help="Simulated samples of each --bootstrap-lrt test.")
    ] = REPLICATES,
    gof_replicates: options.GofReplicates = 0,
    format: options.Formats = None,
    output: options.Output = None,
    plot: options.PlotOne = None,
    save: options.Save = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Which family? Fit many to the same counts and rank them.

    distfit compare counts.csv

    distfit compare visits.parquet -c visits --by clinic --families poisson,nb,zinb --format json
    """
    from distfit_counts.data.arrays import spare_pandas
    from distfit_counts.families.spec import parse
    from distfit_counts.report.comparison import write_comparisons
    from distfit_counts.report.progress import Watch

    only_with(ctx, "--bootstrap-lrt", lrt, "replicates")
    chosen = _parse(None if families is None else ",".join(families), lrt)
    data.check()
    settings = fitting.settings(ctx, data, level=level, replicates=replicates, gof_replicates=gof_replicates)
    check_outputs(output, save, plot, data.files)
    written_as = format_of(format, output)
    spare_pandas()
    import_torch_meanwhile(data.threads)
    with Watch(quiet) as watch:
        fitted = chosen or [parse(spec) for spec in COMPARED]
        within = partial(check_memory, families=fitted, settings=settings, written_as=written_as)
        columns = data.read(watch, quiet, within)
        within(len(columns))
        if plot is not None and len(columns) > 1:
            raise DistfitError(f"--plot draws one comparison, not {len(columns)}", "choose one column and group")
        comparisons = _compare(columns, chosen, settings, lrt, watch)
        deliver(
            output,
            written_as,
            lambda path, format: write_comparisons(
                comparisons, format, path, verbose, watch.writing(path, "comparisons")
            ),
            *([] if save is None else [lambda: _save(comparisons, save, watch)]),
            *([] if plot is None else [lambda: _plot(comparisons, plot)]),
        )
    end(comparisons)


def _save(comparisons: Comparisons, path: Path, watch: Watch) -> None:
    """The best fit of each."""
    from distfit_counts.model_file import save
    from distfit_counts.report.progress import reported

    told = reported(range(len(comparisons)), watch.reporter("saving", "models"))
    save(path, map(comparisons.best, told))


def _plot(comparisons: Comparisons, path: Path) -> None:
    from distfit_counts.report.plots import plot_comparison

    plot_comparison([candidate.fit for candidate in comparisons[0].candidates], path)


def _parse(families: str | None, lrt: bool) -> list[Family] | None:
    from distfit_counts.families.spec import parse

    if families is None:
        return None
    specs = [spec for spec in families.split(",") if spec.strip()]
    if not specs:
        raise DistfitError("--families names no family", "for example --families poisson,nb,zip")
    found = list(dict.fromkeys(parse(spec) for spec in specs))
    kinds = [family.mixes[0] for family in found if len(set(family.mixes)) == 1]
    if lrt and len(set(kinds)) == len(kinds):
        problem = "--bootstrap-lrt compares numbers of components, and --families has no two of one kind"
        raise DistfitError(problem, "for example --families poisson,2*poisson; or leave it out")
    return found


def _compare(
    columns: Sequence[Column], families: list[Family] | None, settings: FitSettings, lrt: bool, watch: Watch
) -> Comparisons:
    from distfit_counts.comparing import compare_columns

    sampled = watch.reporter("simulating", "samples")
    found = compare_columns(columns, families, settings, lrt, fitting_progress(watch, "comparing"), sampled)
    if len(columns) > 1 and not settings.simulates:
        found.judge(watch.reporter("judging", "fits"))
    return found
