"""A trained network: its fitted mean, how it agrees with the counts, its residuals, and its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from distfit_counts.regression.formula import response_of
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.residuals import Residuals
from distfit_counts.report.numbers import count, fixed
from distfit_counts.report.plots.fitted_mean import fitted_name, mean_panel
from distfit_counts.report.plots.regression import residual_part
from distfit_counts.report.plots.render import render
from distfit_counts.report.plots.rootogram import inside, notes, rootogram_panel
from distfit_counts.report.plots.theme import BLUE, PANEL_HEIGHT, VERMILLION, WIDTH, chart_of, dressed, small_title
from distfit_counts.report.plots.words import agreement

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from distfit_counts.report.plots.theme import Layers

    Part = Layers | alt.VConcatChart | alt.Chart

# Epochs that are drawn at most.
_EPOCHS = 400


def plot_network(model: NetworkModel, frame: pd.DataFrame | None, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all. ``frame``: the rows, None where they were streamed."""
    import altair as alt

    fit, response = model.fit, response_of(model.formula)
    mean = mean_panel(model, frame, response, model.weights, fit.checkup.tenths)
    parts: list[Part] = [mean.chart]
    if isinstance(fit.residuals, Residuals):
        parts.append(_rootogram(fit.residuals, response))
    if fit.residuals is not None:
        parts += residual_part(fit.model.spec, fit.residuals)
    parts.append(_training(fit))
    where = f"{count(fit.checkup.n)} {'held-out' if fit.checkup.held_out else 'training'} rows"
    gain = f"log score {fixed(fit.checkup.log_score, 4)} a row, {fixed(fit.checkup.gain, 4)} above no covariates"
    told = [f"{model.formula}, {model.source}, {count(fit.n_rows)} rows; {where}: {gain}", mean.told]
    chart = alt.vconcat(*parts, spacing=28).resolve_scale(
        color="independent", strokeDash="independent", shape="independent"
    )
    render(dressed(chart, f"{fit.model.spec}: the {fitted_name(fit.model)}", told), path)


def _rootogram(seen: Residuals, response: str) -> Layers:
    bars, n = seen.agreement.frequencies, round(seen.moments.n)
    title = small_title(inside(bars, agreement(bars, n)), notes("hanging"))
    return rootogram_panel(response, n, bars).properties(title=title, height=PANEL_HEIGHT + 60)


def _training(fit: NetworkFit) -> alt.Chart:
    import altair as alt

    every = max(1, -(-fit.epochs // _EPOCHS))
    rows = [
        {"epoch": epoch + 1, "nll": nll, "of": "training rows"}
        for epoch, nll in enumerate(fit.history.train)
        if epoch % every == 0
    ]
    rows += [
        {"epoch": epoch, "nll": nll, "of": "held-out rows"}
        for epoch, nll in enumerate(fit.history.held_out)
        if epoch % every == 0
    ]
    names = ["training rows", "held-out rows"] if fit.history.held_out else ["training rows"]
    scale = alt.Scale(domain=names, range=[BLUE, VERMILLION][: len(names)])
    dashes = alt.Scale(domain=names, range=[[1, 0], [6, 3]][: len(names)])
    legend = alt.Legend(title=None, orient="top") if len(names) > 1 else None
    chart: alt.Chart = (
        chart_of(rows)
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("epoch:Q", title="epoch"),
            y=alt.Y("nll:Q", title="NLL a row", scale=alt.Scale(zero=False)),
            color=alt.Color("of:N", scale=scale, legend=legend),
            strokeDash=alt.StrokeDash("of:N", scale=dashes, legend=legend),
        )
        .properties(
            title=small_title("Training", [_told(fit)]),
            width=WIDTH,
            height=PANEL_HEIGHT,
        )
    )
    return chart


def _told(fit: NetworkFit) -> str:
    unit = "" if fit.variance is None else ", that of unit variance, which moves no mean"
    return f"Mean negative log-likelihood after each epoch{unit}."
