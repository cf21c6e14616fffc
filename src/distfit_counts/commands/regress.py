"""``distfit regress``: counts that depend on covariates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.fitting import import_torch_meanwhile
from distfit_counts.commands.outputs import check_outputs, format_of
from distfit_counts.commands.pairs import pairs
from distfit_counts.errors import DistfitError
from distfit_counts.settings import LEVEL, NATURAL, SEED, TOLERANCE, FitSettings

if TYPE_CHECKING:
    import pandas as pd

    from distfit_counts.regression.regress import Request
    from distfit_counts.report.progress import Watch


def regress(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A table: CSV, Parquet, Arrow, JSON Lines, or -.")],
    formula: Annotated[str, typer.Argument(metavar="FORMULA", help="'visits ~ age + C(sex)'; zeros behind a |.")],
    family: Annotated[
        str,
        typer.Option("--family", "-f", metavar="SPEC", help="A count family, or gaussian, bernoulli, categorical."),
    ] = "poisson",
    own: Annotated[
        list[str] | None,
        typer.Option("--formula", metavar="NAME='~ TERMS'", help="The terms of one parameter: size='~ x'."),
    ] = None,
    link: Annotated[
        list[str] | None, typer.Option("--link", metavar="NAME=LINK", help="log or softplus: mean=softplus.")
    ] = None,
    exposure: Annotated[
        str | None, typer.Option("--exposure", metavar="NAME", help="Column of exposures (years, area), not logged.")
    ] = None,
    offset: Annotated[
        str | None, typer.Option("--offset", metavar="NAME", help="Column added to the predictor of the mean.")
    ] = None,
    weights: options.Weights = None,
    errors: Annotated[
        options.Errors, typer.Option("--errors", help="Standard errors: from the model, or robust (hc0, hc1).")
    ] = options.Errors.model,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="NAME", help="Errors that hold where rows of a group go together."),
    ] = None,
    likelihood_ratios: Annotated[
        bool, typer.Option("--likelihood-ratios", help="Refit without every term and test what is lost.")
    ] = False,
    restarts: Annotated[
        int | None,
        typer.Option(
            "--restarts",
            metavar="R",
            help="Different starts  [default: 10 for zero inflation and mixtures, otherwise 1]",
        ),
    ] = None,
    seed: options.Seed = SEED,
    max_steps: options.MaxSteps = None,
    tolerance: options.Tolerance = TOLERANCE,
    level: options.Level = LEVEL,
    threads: options.Threads = None,
    format: options.Formats = None,
    output: options.Output = None,
    plot: options.Plot = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="MODEL.json", help="Save it for distfit predict.")
    ] = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fit a count distribution whose parameters depend on covariates.

    distfit regress visits.csv 'visits ~ age + C(sex) + log(income)' --family nb

    distfit regress visits.csv 'visits ~ age + sex | age' --family zinb --exposure months
    """
    from distfit_counts.families.spec import parse
    from distfit_counts.report.progress import Watch
    from distfit_counts.report.write_regression import write_regression

    if family not in NATURAL:
        parse(family)
    check_outputs(output, save, plot, [Path(source)])
    written_as = format_of(format, output)
    if cluster is not None and errors is not options.Errors.model:
        raise DistfitError(f"--errors {errors.value} and --cluster are two kinds of errors", "leave one of them out")
    import_torch_meanwhile()
    with Watch(quiet) as watch:
        from distfit_counts.regression.regress import Request, regress
        from distfit_counts.regression.responses import default_restarts

        settings = FitSettings(
            restarts=restarts or default_restarts(family),
            seed=seed,
            max_steps=max_steps,
            tolerance=tolerance,
            level=level,
            threads=threads,
        )

        request = Request(
            formula,
            family,
            pairs(own, "--formula"),
            pairs(link, "--link"),
            offset,
            exposure,
            weights,
            errors.value,
            cluster,
            likelihood_ratios,
        )
        frame = _read(source, request, watch)
        fit = regress(
            frame, request, settings, source, lambda spec, done, total: watch.show("fitting", done, total, spec)
        )
    if save is not None:
        from distfit_counts.regression.model_file import save as save_model

        save_model(save, fit)
    if plot is not None:
        from distfit_counts.report.plots.regression import plot_regression

        plot_regression(fit, plot)
    write_regression(fit, written_as, output, verbose)
    if not fit.converged:
        raise typer.Exit(1)


def _read(source: str, request: Request, watch: Watch) -> pd.DataFrame:
    from distfit_counts.data.frames import read_frame

    def progress(done: int, total: int | None) -> None:
        watch.show("reading", done, total, f"{done / 1e6:,.0f} MB")

    return read_frame([source], request.kinds(), progress)
