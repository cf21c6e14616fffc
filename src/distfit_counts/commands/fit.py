"""``distfit fit``: read, fit, print."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING

import typer

from distfit_counts.commands import options
from distfit_counts.errors import DataError, OutputError
from distfit_counts.settings import LEARNING_RATE, LEVEL, RESTARTS, SEED, TOLERANCE, FitSettings

if TYPE_CHECKING:
    from distfit_counts.data.column import Column
    from distfit_counts.families.family import Family
    from distfit_counts.fitting import Fits
    from distfit_counts.report.progress import Watch


def fit(
    sources: options.Sources,
    family: options.Spec,
    column: options.Columns = None,
    by: options.By = None,
    weights: options.Weights = None,
    together: options.Together = False,
    components: options.Components = None,
    restarts: options.Restarts = RESTARTS,
    seed: options.Seed = SEED,
    optimizer: options.Optimise = options.Optimizer.newton,
    max_steps: options.MaxSteps = None,
    tolerance: options.Tolerance = TOLERANCE,
    learning_rate: options.LearningRate = LEARNING_RATE,
    level: options.Level = LEVEL,
    format: options.Formats = options.Format.table,
    output: options.Output = None,
    save: options.Save = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fit a count distribution to a column of counts.

    distfit fit counts.csv --family zip

    distfit fit visits.parquet -c visits --by clinic --family nb --format json | jq .aic
    """
    from distfit_counts.families.spec import parse
    from distfit_counts.output import check
    from distfit_counts.report.progress import Watch
    from distfit_counts.report.write import write_fits

    chosen = parse(family, components)
    for path in (output, save):
        if path is not None:
            check(path)
    if output is not None and output == save:
        raise OutputError(f"-o and --save both name {output}", "give them different names")
    settings = FitSettings(restarts, seed, optimizer.value, max_steps, tolerance, learning_rate, level, verbose)
    # torch takes longer to import than most files take to read: the two overlap.
    threading.Thread(target=importlib.import_module, args=("torch",), daemon=True).start()
    with Watch(quiet) as watch:
        columns = _read(sources, column or [], by or [], weights, together, watch, quiet)
        fits = _fit(columns, chosen, settings, watch)
    if save is not None:
        from distfit_counts.model_file import save as save_model

        save_model(save, fits)
    write_fits(fits, format.value, output, verbose)
    if not fits.converged:
        raise typer.Exit(1)


def _read(
    sources: list[str],
    columns: list[str],
    by: list[str],
    weights: str | None,
    together: bool,
    watch: Watch,
    quiet: bool,
) -> list[Column]:
    from distfit_counts.data.files import read_sources

    def progress(done: int, total: int | None) -> None:
        size = f"{done / 1e6:,.0f} MB" + (f" of {total / 1e6:,.0f} MB" if total else "")
        watch.show("reading", done, total, size)

    found = read_sources(sources, columns, by, weights, together, progress)
    empty = [column for column in found if column.histogram.distinct == 0]
    for column in empty:
        if not quiet:
            typer.echo(f"distfit: {column.label} has only missing values: left out", err=True)
    if len(empty) == len(found):
        raise DataError("every group has only missing values", "choose another column, or another --by")
    return [column for column in found if column.histogram.distinct]


def _fit(columns: list[Column], family: Family, settings: FitSettings, watch: Watch) -> Fits:
    from distfit_counts.fitting import fit_columns

    def progress(done: int, total: int, name: str, finished: int, in_all: int) -> None:
        rows = f"{name}: {done:,} of {total:,} rows converged"
        if in_all == 1:
            watch.show("fitting", done, total, rows)
        else:
            watch.show("fitting", finished, in_all, f"{finished:,} of {in_all:,} columns; {rows}")

    return fit_columns(columns, family, settings, progress)
