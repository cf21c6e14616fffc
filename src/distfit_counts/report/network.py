"""A trained network for people: the check-up, the course of training, and what is wrong with either."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.padding import Padding

from distfit_counts.regression.formula import with_more
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.row_model import CountModel
from distfit_counts.report.agreement import agreement_parts
from distfit_counts.report.blank_lines import SingleBlanks
from distfit_counts.report.narrow import whole
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.screen import Data, Line
from distfit_counts.report.tables import plain_table
from distfit_counts.report.terminal import verdict_line

# Epochs, and first steps, that are shown.
_SHOWN = 12


def print_network(console: Console, model: NetworkModel, verbose: bool = False) -> None:
    """The whole report; ``verbose`` adds the first steps and the tenths of the rows."""
    fit = model.fit
    formula = fit.model.family.variance_formula() if isinstance(fit.model, CountModel) else None
    parts = [
        Line(
            (fit.model.spec, "bold cyan"),
            f" network {_layers(fit)} on ",
            Data(f"{with_more(model.formula, (own.text for own in fit.terms))}, {model.source}"),
        ),
        *(verdict_line(verdict) for verdict in fit.verdicts),
        Padding(Group(*map(Line, _training(fit))), (1, 0, 0, 1)),
        _scores(fit),
        _parameters(fit),
        *([] if fit.agreement is None else agreement_parts(fit.agreement, formula, console.width)),
        _epochs(fit),
    ]
    if verbose:
        parts += [_steps(fit), _gradients(fit), _tenths(fit)]
    console.print(SingleBlanks(Group(*map(whole, parts))), crop=False)


def _layers(fit: NetworkFit) -> str:
    return "-".join(map(str, [len(fit.standard.kept), *fit.settings.hidden, len(fit.model.heads)]))


def _training(fit: NetworkFit) -> list[str]:
    settings = fit.settings
    batch = "all rows" if settings.batch_size is None else f"{settings.batch_size} rows"
    ended = f", ended after {fit.epochs} as the held-out rows gained no more" if fit.stopped_early else ""
    lines = [
        f"{count(fit.n_rows)} rows{f', {count(fit.n_missing)} left out for missing values' * bool(fit.n_missing)}; "
        f"{count(fit.n_held_out)} held out; {count(fit.n_parameters)} weights",
        f"{settings.optimizer}, learning rate {settings.rate:g}, {batch} a step, {settings.gradient} gradient, seed "
        f"{settings.seed}; {fit.epochs} epoch{'s' * (fit.epochs != 1)}{ended}",
    ]
    if fit.n_held_out:
        lines.append(f"the weights are those after epoch {fit.best_epoch}, the best for the held-out rows")
    if fit.variance is not None:
        lines.append(
            f"residual standard deviation {number(fit.variance**0.5)} (maximum likelihood, training rows); the losses "
            "below are those of 1, which moves no mean"
        )
    return lines


def _scores(fit: NetworkFit) -> RenderableType:
    seen = fit.checkup
    where = "held-out" if seen.held_out else "training"
    table = plain_table()
    table.add_column(f"of the {where} rows ({count(seen.n)})")
    table.add_column("", justify="right")
    for name, value in (
        ("log score, mean of log p(y)", fixed(seen.log_score, 5)),
        ("gain over the fit without covariates", f"{fixed(seen.gain, 5)} ± {number(seen.gain_error, 2)}"),
        ("deviance", number(seen.deviance)),
        ("R² of the mean", fixed(seen.r_squared, 4)),
        ("Pearson correlation", fixed(seen.correlation, 4)),
        *(
            (Data(f"{name}, predicted and observed"), f"{number(predicted)}  {number(observed)}")
            for name, (predicted, observed) in seen.means.items()
        ),
    ):
        table.add_row(name, value)
    return table


def _parameters(fit: NetworkFit) -> RenderableType:
    table = plain_table()
    table.add_column("predicted")
    for name in ("minimum", "1 %", "median", "99 %", "maximum"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, own in fit.checkup.parameters.items():
        table.add_row(Data(name), *map(number, (own.minimum, own.low, own.median, own.high, own.maximum)))
    return table


def _epochs(fit: NetworkFit) -> RenderableType:
    history = fit.history
    table = plain_table()
    table.add_column("epoch", justify="right")
    table.add_column("NLL, training", justify="right")
    if history.held_out:
        table.add_column("NLL, held out", justify="right")
        table.add_row("0", "", fixed(history.held_out[0], 5))
    every = max(1, -(-fit.epochs // _SHOWN))
    shown = sorted({*range(every, fit.epochs + 1, every), 1, fit.epochs, fit.best_epoch} - {0})
    for epoch in shown:
        held_out = [fixed(history.held_out[epoch], 5)] if history.held_out else []
        mark = " *" if epoch == fit.best_epoch and history.held_out else ""
        table.add_row(f"{epoch}{mark}", fixed(history.train[epoch - 1], 5), *held_out)
    return table


def _steps(fit: NetworkFit) -> RenderableType:
    steps = fit.history.steps
    table = plain_table()
    table.add_column("step", justify="right")
    table.add_column("NLL of its rows", justify="right")
    every = max(1, -(-len(steps) // _SHOWN))
    for step in range(0, len(steps), every):
        table.add_row(str(step + 1), fixed(steps[step], 5))
    return table


def _gradients(fit: NetworkFit) -> RenderableType:
    table = plain_table()
    for name in ("layer", "|gradient|, last epoch", "largest"):
        table.add_column(name, justify="right")
    pairs = zip(fit.history.gradient_norm, fit.history.gradient_norm_max, strict=True)
    for layer, (last, largest) in enumerate(pairs, start=1):
        table.add_row(str(layer), f"{last:.1e}", f"{largest:.1e}")
    return table


def _tenths(fit: NetworkFit) -> RenderableType:
    several = len(fit.checkup.tenths) > 1
    table = plain_table()
    for name in (*["level"] * several, "rows", "mean predicted", "mean observed"):
        table.add_column(name, justify="left" if name == "level" else "right")
    for name, tenths in fit.checkup.tenths.items():
        for own in tenths:
            table.add_row(*[Data(name)] * several, count(own.rows), number(own.predicted), number(own.observed))
    return table
