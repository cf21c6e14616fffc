"""``distfit fit``: read, fit, print."""

from __future__ import annotations

import importlib
import threading
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distfit_counts.errors import DataError
from distfit_counts.settings import LEARNING_RATE, LEVEL, MAX_STEPS, RESTARTS, SEED, TOLERANCE, FitSettings

if TYPE_CHECKING:
    from distfit_counts.data.column import Column
    from distfit_counts.families.family import Family
    from distfit_counts.fitting import Fits
    from distfit_counts.report.progress import Watch


class Optimizer(StrEnum):
    newton = "newton"
    adam = "adam"


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


def fit(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="CSV, TSV, Parquet, Arrow or JSON Lines files, directories, quoted globs, or - for stdin.",
        ),
    ],
    family: Annotated[
        str,
        typer.Option(
            "--family",
            "-f",
            metavar="SPEC",
            help='What to fit: poisson, nb, zip, zinb, "hurdle(nb)", "2*poisson", ... (see distfit families).',
        ),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", "-c", metavar="NAME|GLOB", help="Column of counts; repeat, or use a glob, for several."
        ),
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="NAME", help="Fit every group of this column apart.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", metavar="NAME", help="Column that says how often each row counts (a frequency table)."
        ),
    ] = None,
    together: Annotated[bool, typer.Option("--together", help="All sources are one data set.")] = False,
    components: Annotated[
        int | None,
        typer.Option(
            "--components", metavar="K", min=1, help="Components of --family mixture, poisson-mixture or nb-mixture."
        ),
    ] = None,
    restarts: Annotated[
        int, typer.Option("--restarts", help="Different starts: the first from moments, the others random.")
    ] = RESTARTS,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random starts.")] = SEED,
    optimizer: Annotated[
        Optimizer, typer.Option("--optimizer", help="newton: exact Hessian, damped; adam: first order.")
    ] = Optimizer.newton,
    max_steps: Annotated[
        int | None,
        typer.Option(
            "--max-steps",
            metavar="N",
            min=1,
            help=f"Steps of each restart at most  [default: {MAX_STEPS['newton']}, adam {MAX_STEPS['adam']}]",
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", metavar="X", help="Largest gradient of the NLL per count that counts as converged."
        ),
    ] = TOLERANCE,
    learning_rate: Annotated[float, typer.Option("--learning-rate", metavar="X", help="Of adam.")] = LEARNING_RATE,
    level: Annotated[float, typer.Option("--level", help="Level of the confidence intervals.")] = LEVEL,
    format: Annotated[
        Format,
        typer.Option("--format", help="table for people, json (one object per fit and line) or csv for pipelines."),
    ] = Format.table,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the results here in place of stdout.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="MODEL.json", help="Save the model for distfit show and distfit sample."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="How the NLL, the parameters and the gradient moved.")
    ] = False,
) -> None:
    """Fit a count distribution to a column of counts.

    distfit fit counts.csv --family zip

    distfit fit visits.parquet -c visits --by clinic --family nb --format json | jq .aic
    """
    from distfit_counts.families.spec import parse
    from distfit_counts.report.progress import Watch
    from distfit_counts.report.write import write_fits

    chosen = parse(family, components)
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
