"""The fitted mean: over the data where there is one covariate that is a number, otherwise by tenths of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.means import mean_of, shares_of
from distfit_counts.regression.model import Model, has_levels
from distfit_counts.regression.natural import Bernoulli, Categorical
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.network.response import coded
from distfit_counts.regression.observed_means import Tenth, tenths
from distfit_counts.regression.row_model import RowModel
from distfit_counts.report.plots.theme import BLUE, HEIGHT, INK, OBSERVED_EDGE, WIDTH, Series, chart_of

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from distfit_counts.report.plots.theme import Layers

# Points of the curve and rows that are drawn at most; levels that can be told apart.
_CURVE, _ROWS, _LEVELS = 400, 2_000, 7
_DRAWN = 0


@dataclass(frozen=True)
class Panel:
    """``told``: how to read it."""

    chart: Layers | alt.VConcatChart
    told: str


def fitted_name(model: RowModel) -> str:
    """What the panel shows, for a title: the means of levels are probabilities."""
    if isinstance(model, Bernoulli):
        return "fitted probability"
    return "fitted probabilities" if isinstance(model, Categorical) else "fitted mean"


def mean_panel(
    model: Model | NetworkModel,
    frame: pd.DataFrame | None,
    response: str,
    weights: str | None,
    groups: Mapping[str, Sequence[Tenth]],
) -> Panel:
    """``frame``: the rows, None where they were streamed; ``weights``: its column; ``groups``: of every mean."""
    covariates = list(model.kinds())
    if frame is None or len(covariates) != 1 or any(map(has_levels, model.terms)):
        return _by_tenths(groups)
    name = covariates[0]
    seen = frame[[name, response, *([weights] if weights else [])]].dropna()
    y = coded(model.rows, seen, np.arange(len(seen)), response)
    w = np.ones(len(seen)) if weights is None else seen[weights].to_numpy(dtype=np.float64)
    rows = _Rows(name, response, seen[name].to_numpy(dtype=np.float64), y, w)
    return _shares(model, rows) if isinstance(model.rows, Bernoulli | Categorical) else _over_data(model, rows)


@dataclass(frozen=True, eq=False)
class _Rows:
    name: str
    response: str
    x: Array
    y: Array
    weights: Array

    @property
    def drawn(self) -> Ints:
        rng = np.random.default_rng(_DRAWN)
        return np.arange(len(self.x)) if len(self.x) <= _ROWS else rng.choice(len(self.x), _ROWS, replace=False)


def _curve(model: Model | NetworkModel, rows: _Rows) -> tuple[Array, Array]:
    """Places and fitted means [1, places]; of levels the probabilities [K, places] of all of them."""
    import pandas as pd

    grid = np.linspace(rows.x.min(), rows.x.max(), _CURVE)
    etas, _ = model.predictors(pd.DataFrame({rows.name: grid}), np.arange(len(grid)))
    if isinstance(model.rows, Bernoulli | Categorical):
        return grid, shares_of(model.rows, etas)
    return grid, np.atleast_2d(mean_of(model.rows, etas))


def _over_data(model: Model | NetworkModel, rows: _Rows) -> Panel:
    import altair as alt

    grid, mean = _curve(model, rows)
    x = alt.X("x:Q", title=rows.name, scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=f"{rows.response}, and its fitted mean", scale=alt.Scale(zero=False))
    dots = chart_of(_points(rows.x[rows.drawn], rows.y[rows.drawn])).mark_point(
        size=18, color=OBSERVED_EDGE, opacity=0.7, filled=True
    )
    line = chart_of(_points(grid, mean[0])).mark_line(color=BLUE, strokeWidth=2.2)
    chart = alt.layer(dots.encode(x=x, y=y), line.encode(x=x, y=y)).properties(width=WIDTH, height=HEIGHT)
    return Panel(chart, f"Grey: the rows{_drawn(rows)}; line: the fitted mean.")


def _shares(model: Model | NetworkModel, rows: _Rows) -> Panel:
    """Probabilities of levels over the covariate, beside the shares observed in tenths of the rows."""
    import altair as alt

    assert isinstance(model.rows, Bernoulli | Categorical)
    (grid, each), levels = _curve(model, rows), model.rows.levels
    shown = [1] if isinstance(model.rows, Bernoulli) else _most_frequent(rows, len(levels))
    series = Series([levels[i] for i in shown])
    x = alt.X("x:Q", title=rows.name, scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=f"P({rows.response} = {levels[1]})" if len(shown) == 1 else "probability")
    curves = [point | {"series": levels[i]} for i in shown for point in _points(grid, each[i])]
    seen = [
        {"series": levels[i], "x": own.predicted, "y": own.observed, "rows": own.rows}
        for i in shown
        for own in tenths(rows.x, (rows.y == i).astype(np.float64), rows.weights)
    ]
    line = chart_of(curves).mark_line(strokeWidth=2.2).encode(x=x, y=y, color=series.color, strokeDash=series.dash)
    points = chart_of(seen).mark_point(filled=True, size=60, opacity=1)
    layers = [line, points.encode(x=x, y=y, color=series.color, shape=series.shape, tooltip=["series:N", "rows:Q"])]
    if len(shown) == 1:
        every = chart_of(_points(rows.x[rows.drawn], rows.y[rows.drawn]))
        layers.insert(0, every.mark_tick(color=OBSERVED_EDGE, opacity=0.5, thickness=1).encode(x=x, y=y))
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    told = f"observed shares in tenths of the rows by {rows.name}"
    if len(shown) == 1:
        return Panel(chart, f"Line: the fitted probability; points: {told}; strokes: the rows{_drawn(rows)}.")
    more = f" The {_LEVELS} most frequent of {len(levels)} levels." if len(shown) < len(levels) else ""
    return Panel(_with_key(chart, series), f"Lines: the fitted probabilities; points: {told}.{more}")


def _most_frequent(rows: _Rows, count: int) -> list[int]:
    """Of ``count`` levels those that can be drawn, in their order."""
    weight = np.bincount(rows.y.astype(np.int64), rows.weights, minlength=count)
    return sorted(int(i) for i in np.argsort(-weight, kind="stable")[:_LEVELS])


def _by_tenths(groups: Mapping[str, Sequence[Tenth]]) -> Panel:
    """Rows sorted by their predicted mean, in ten groups: predicted against observed."""
    import altair as alt

    shown = sorted(groups, key=lambda name: -sum(own.observed for own in groups[name]))[:_LEVELS]
    series = Series([name for name in groups if name in shown])
    rows = [
        {"series": name, "predicted": own.predicted, "observed": own.observed, "rows": own.rows}
        for name in series.names
        for own in groups[name]
    ]
    what = "probability" if len(shown) > 1 else "mean"
    x = alt.X("predicted:Q", title=f"{what} predicted, by tenths of the rows", scale=alt.Scale(zero=False))
    base = chart_of(rows).encode(x=x)
    line = base.mark_line(color=INK, strokeWidth=1.2).encode(
        y=alt.Y("predicted:Q", title="observed", scale=alt.Scale(zero=False))
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        y="observed:Q", color=series.color, shape=series.shape, tooltip=["predicted:Q", "observed:Q", "rows:Q"]
    )
    chart = alt.layer(line, points).properties(width=WIDTH, height=HEIGHT)
    told = f"Rows in ten groups of like predicted {what}: on the line where it is right."
    return Panel(_with_key(chart, series) if len(shown) > 1 else chart, told)


def _with_key(chart: Layers, series: Series) -> alt.VConcatChart:
    import altair as alt

    return alt.vconcat(series.key(), chart, spacing=10)


def _drawn(rows: _Rows) -> str:
    return f", {_ROWS:,} of them drawn at random" if len(rows.x) > _ROWS else ""


def _points(x: Array, y: Array) -> list[dict[str, Any]]:
    return [{"x": float(a), "y": float(b)} for a, b in zip(x, y, strict=True)]
