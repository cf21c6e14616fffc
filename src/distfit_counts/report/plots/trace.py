"""The path of the NLL and of every parameter over the steps of every restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from distfit_counts.report.plots.axes import NUMBERS, value_axis
from distfit_counts.report.plots.optima import (
    drawable,
    excess,
    excess_axis,
    is_wide,
    keyed,
    optima,
    optimum,
    reached,
    starts,
)
from distfit_counts.report.plots.theme import PANEL_HEIGHT, PANEL_WIDTH, Series, chart_of, dressed, small_title
from distfit_counts.report.plots.words import about
from distfit_counts.result import Fit, Restart, TracePoint
from distfit_counts.settings import SAME_OPTIMUM

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

# Points of one path: a first-order method takes thousands of steps.
_POINTS = 120


def trace_chart(fit: Fit) -> alt.TopLevelMixin:
    """The picture of one fit whose restarts have a trace."""
    import altair as alt

    series = Series(optima(fit))
    panels = [_panel(None, rows(fit, None), series, True)]
    for name in fit.restarts[0].start:
        found = rows(fit, name)
        wide = is_wide(fit, name, [row["value"] for row in found if row["value"] is not None])
        panels.append(_panel(name, found, series, wide))
    steps = max(restart.steps for restart in fit.restarts)
    sentence = f"{reached(fit)}; the longest path takes {steps:,} step{'s' * (steps != 1)}"
    floor = f"NLL differences below {SAME_OPTIMUM:g} are drawn there: the same optimum. The point ends a path."
    return dressed(
        keyed(series, alt.concat(*panels, columns=2, spacing=24)), sentence, [about(fit), starts(fit), floor]
    )


def rows(fit: Fit, name: str | None) -> list[dict[str, Any]]:
    """The data of one panel: a parameter's value, or (None) the NLL above the best, at every step of every restart."""
    values = [point.estimate[name] for r in fit.restarts for point in r.trace] if name else []
    wide = name is not None and is_wide(fit, name, values)
    return [
        {"restart": restart.restart, "from": restart.origin, "series": optimum(fit, restart), "step": point.step}
        | {"value": excess(fit, point.nll) if name is None else drawable(point.estimate[name], wide)}
        | {"last": point is restart.trace[-1]}
        for restart in fit.restarts
        for point in _thinned(restart)
    ]


def _thinned(restart: Restart) -> Sequence[TracePoint]:
    points = restart.trace
    every = max(1, -(-len(points) // _POINTS))
    return [*points[:-1:every], *points[-1:]]


def _panel(name: str | None, data: list[dict[str, Any]], series: Series, wide: bool) -> Layers:
    import altair as alt

    title = (name or "NLL above the best") + (" (log scale)" if wide else "")
    values = [row["value"] for row in data]
    scale, axis = excess_axis(values) if name is None else value_axis(values, wide)
    base = chart_of(data).encode(
        x=alt.X("step:Q", axis=alt.Axis(tickMinStep=1, tickCount=6, format="d"), scale=alt.Scale(nice=False)),
        y=alt.Y("value:Q", title=None, scale=scale, axis=axis),
        color=series.color,
        tooltip=["restart:Q", "from:N", "step:Q", alt.Tooltip("value:Q", format=NUMBERS)],
    )
    line = base.mark_line(strokeWidth=1.4, opacity=0.8).encode(detail="restart:N", strokeDash=series.dash)
    ends = base.transform_filter("datum.last").mark_point(filled=True, size=44, opacity=1).encode(shape=series.shape)
    return alt.layer(line, ends).properties(width=PANEL_WIDTH, height=PANEL_HEIGHT, title=small_title(title))
