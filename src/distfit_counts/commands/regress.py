"""``distfit regress``: counts that depend on covariates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from distfit_counts.commands import options
from distfit_counts.commands.ending import end
from distfit_counts.commands.fitting import import_torch_meanwhile
from distfit_counts.commands.grouped import grouped
from distfit_counts.commands.idle import refuse
from distfit_counts.commands.outputs import check_outputs, deliver, format_of
from distfit_counts.commands.pairs import pairs
from distfit_counts.commands.rows import placed_in, read_rows
from distfit_counts.commands.training import Training
from distfit_counts.settings import LEVEL, NATURAL, SEED, TOLERANCE, FitSettings

if TYPE_CHECKING:
    import pandas as pd

    from distfit_counts.regression.network.model import NetworkModel
    from distfit_counts.regression.network.settings import NetworkSettings
    from distfit_counts.regression.regress import Request
    from distfit_counts.regression.result import Regression
    from distfit_counts.report.progress import Watch


@grouped
def regress(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A table: CSV, Parquet, Arrow, JSON Lines, or -.")],
    formula: Annotated[str, typer.Argument(metavar="FORMULA", help="'visits ~ age + C(sex)'; zeros behind a |.")],
    training: Training,
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
    small_sample: Annotated[
        options.SmallSample | None,
        typer.Option(
            "--small-sample",
            help="Factor of clustered and hc1 variances: G/(G-1)·(n-1)/(n-p), G/(G-1), or 1  [default: full]",
        ),
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
        Path | None,
        typer.Option(
            "--save",
            metavar="MODEL.json",
            parser=options.file_path,
            help="Save it for distfit predict, show, check and plot.",
        ),
    ] = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fit a count distribution whose parameters depend on covariates.

    distfit regress visits.csv 'visits ~ age + C(sex) + log(income)' --family nb

    distfit regress visits.csv 'visits ~ age + sex | age' --family zinb --exposure months

    distfit regress visits.parquet 'visits ~ age + sex' --family nb --hidden 30,20
    """
    from distfit_counts.families.spec import parse
    from distfit_counts.report.progress import Watch

    if family not in NATURAL:
        parse(family, beside=NATURAL)
    check_outputs(output, save, plot, [Path(source)], training.checkpoint)
    written_as = format_of(format, output)
    network = training.settings(ctx, seed)
    if network is not None:
        idle = ("restarts", "max_steps", "tolerance", "errors", "cluster", "small_sample", "likelihood_ratios")
        refuse(ctx, "--hidden", *idle)
    import_torch_meanwhile(threads)
    with Watch(quiet) as watch:
        from distfit_counts.data.frames import column_names
        from distfit_counts.regression.formula import has_dot
        from distfit_counts.regression.regress import Request

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
            None if small_sample is None else small_sample.value,
        )
        if has_dot(formula):
            request = request.with_columns(column_names([source]))
        with placed_in([source], list(request.kinds())):
            if network is not None:
                trained, rows = _train(source, request, network, training.checkpoint, watch)
            else:
                fit, frame = _fit(
                    source,
                    request,
                    restarts,
                    watch,
                    seed=seed,
                    max_steps=max_steps,
                    tolerance=tolerance,
                    level=level,
                    threads=threads,
                )
    if network is not None:
        _write_network(trained, rows, written_as, output, plot, save, verbose)
        return
    from distfit_counts.report.write_regression import write_regression

    deliver(
        output,
        written_as,
        lambda path, format: write_regression(fit, format, path, verbose),
        *([] if save is None else [lambda: fit.save(save)]),
        *([] if plot is None else [lambda: _plot(fit, frame, plot)]),
    )
    end(fit)


def _fit(
    source: str, request: Request, restarts: int | None, watch: Watch, **others: Any
) -> tuple[Regression, pd.DataFrame]:
    from distfit_counts.regression.regress import regress
    from distfit_counts.regression.responses import default_restarts

    settings = FitSettings(restarts=default_restarts(request.family) if restarts is None else restarts, **others)
    frame = read_rows([source], request.kinds(), watch)
    fit = regress(frame, request, settings, source, lambda spec, done, total: watch.show("fitting", done, total, spec))
    return fit, frame


def _train(
    source: str, request: Request, network: NetworkSettings, checkpoint: Path | None, watch: Watch
) -> tuple[NetworkModel, pd.DataFrame | None]:
    """The network, and its rows: None where they were streamed, as Parquet is in mini-batches."""
    from distfit_counts.data.locate import files_of
    from distfit_counts.regression.network.fit_rows import train_frame, train_parquet
    from distfit_counts.regression.network.model import NetworkModel

    def progress(epoch: int, epochs: int, nll: float) -> None:
        watch.show("training", epoch, epochs, f"epoch {epoch}: NLL {nll:.5f}")

    paths = [Path(path) for path in files_of(source)]
    if network.batch_size is not None and all(path.suffix in (".parquet", ".pq", ".parq") for path in paths):
        fit, frame = train_parquet(paths, request, network, checkpoint, progress), None
    else:
        frame = read_rows([source], request.kinds(), watch)
        fit = train_frame(frame, request, network, checkpoint, progress)
    return NetworkModel(fit, source, request.formula, request.offset, request.exposure, request.weights), frame


def _plot(fit: Regression, frame: pd.DataFrame, path: Path) -> None:
    from distfit_counts.report.plots.regression import plot_regression

    plot_regression(fit, frame, path)


def _write_network(
    model: NetworkModel,
    frame: pd.DataFrame | None,
    format: str,
    output: Path | None,
    plot: Path | None,
    save: Path | None,
    verbose: bool,
) -> None:
    from distfit_counts.regression.model_file import save_network
    from distfit_counts.report.plots.network import plot_network
    from distfit_counts.report.write_network import write_network

    deliver(
        output,
        format,
        lambda path, as_format: write_network(model, as_format, path, verbose),
        *([] if save is None else [lambda: save_network(save, model)]),
        *([] if plot is None else [lambda: plot_network(model, frame, plot)]),
    )
