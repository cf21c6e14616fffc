"""A trained network: the fitted mean over the data where there is one covariate, else by tenths; and its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.regression.means import mean_of
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.report.numbers import count, fixed
from distfit_counts.report.plots.render import render
from distfit_counts.report.plots.theme import (
    BLUE,
    HEIGHT,
    INK,
    OBSERVED_EDGE,
    PANEL_HEIGHT,
    VERMILLION,
    WIDTH,
    chart_of,
    dressed,
    small_title,
)

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from distfit_counts.report.plots.theme import Layers

# Points of the curve, rows and epochs that are drawn at most.
_CURVE, _ROWS, _EPOCHS = 400, 2_000, 400


def plot_network(model: NetworkModel, title: str, frame: pd.DataFrame | None, response: str, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all. ``frame``: the rows, None where they were streamed."""
    import altair as alt

    fit = model.fit
    covariates = list(model.kinds())
    drawn = (
        _over_data(model, frame, covariates[0], response)
        if frame is not None and _is_curve(model, frame, covariates, response)
        else _by_tenths(fit)
    )
    gain = f"log score {fixed(fit.checkup.log_score, 4)} a row, {fixed(fit.checkup.gain, 4)} above no covariates"
    where = "held-out" if fit.checkup.held_out else "training"
    told = [f"{title}, {count(fit.n)} rows; {where} rows: {gain}"]
    steps = _training(fit).properties(
        title=small_title("Training", ["Mean negative log-likelihood after each epoch."]), height=PANEL_HEIGHT
    )
    render(
        dressed(
            alt.vconcat(drawn, steps, spacing=28).resolve_scale(color="independent", strokeDash="independent"),
            f"{fit.model.spec}: the fitted mean",
            told,
        ),
        path,
    )


def _is_curve(model: NetworkModel, frame: pd.DataFrame, covariates: list[str], response: str) -> bool:
    numeric = len(covariates) == 1 and model.kinds()[covariates[0]] == "number"
    return numeric and frame[response].dtype.kind in "iuf" and len(model.rows.heads) < 3


def _over_data(model: NetworkModel, frame: pd.DataFrame, name: str, response: str) -> Layers:
    import altair as alt
    import pandas as pd

    shown = frame[[name, response]].dropna().iloc[:_ROWS]
    grid = np.linspace(shown[name].min(), shown[name].max(), _CURVE)
    etas, _ = model.predictors(pd.DataFrame({name: grid}), np.arange(len(grid)))
    mean = mean_of(model.rows, etas)
    points = [{"x": float(x), "y": float(y)} for x, y in zip(shown[name], shown[response], strict=True)]
    curve = [{"x": float(x), "y": float(y)} for x, y in zip(grid, mean, strict=True)]
    x = alt.X("x:Q", title=name, scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=f"{response}, and its fitted mean", scale=alt.Scale(zero=False))
    dots = chart_of(points).mark_point(size=18, color=OBSERVED_EDGE, opacity=0.7, filled=True).encode(x=x, y=y)
    line = chart_of(curve).mark_line(color=BLUE, strokeWidth=2.2).encode(x=x, y=y)
    return alt.layer(dots, line).properties(width=WIDTH, height=HEIGHT)


def _by_tenths(fit: NetworkFit) -> Layers:
    """Rows sorted by their predicted mean, in ten groups: predicted against observed."""
    import altair as alt

    rows = [{"predicted": own.predicted, "observed": own.observed, "rows": own.rows} for own in fit.checkup.tenths]
    base = chart_of(rows).encode(x=alt.X("predicted:Q", title="mean predicted, by tenths of the rows"))
    line = base.mark_line(color=INK, strokeWidth=1.2).encode(y=alt.Y("predicted:Q", title="mean observed"))
    points = base.mark_point(filled=True, size=60, color=BLUE, opacity=1).encode(
        y="observed:Q", tooltip=["predicted:Q", "observed:Q", "rows:Q"]
    )
    return alt.layer(line, points).properties(width=WIDTH, height=HEIGHT)


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
        .properties(width=WIDTH)
    )
    return chart
