"""Where every restart began and ended."""

from __future__ import annotations

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
from distfit_counts.report.plots.theme import Series, chart_of, dressed, small_title
from distfit_counts.report.plots.words import about
from distfit_counts.result import Fit
from distfit_counts.settings import SAME_OPTIMUM

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

# Rows that can be told apart; of more restarts the first are shown.
_MOST = 40
_ROW = 16
_COLUMNS, _WIDTH = 3, 190


def restarts_chart(fit: Fit) -> alt.TopLevelMixin:
    """The picture of one fit: a row per restart, a panel for the NLL and one per parameter."""
    import altair as alt

    series = Series(optima(fit))
    panels = []
    for i, name in enumerate([None, *fit.restarts[0].start]):
        wide = name is None or _wide(fit, name)
        panels.append(_panel(name, rows(fit, name), series, wide, named=i % _COLUMNS == 0))
    hidden = len(fit.restarts) - _MOST
    notes = [
        about(fit),
        starts(fit),
        f"Open circle: start; point: end. NLL differences below {SAME_OPTIMUM:g} are drawn there: the same optimum."
        + (f" {hidden:,} more restarts are not drawn." if hidden > 0 else ""),
    ]
    return dressed(keyed(series, alt.concat(*panels, columns=_COLUMNS, spacing=24)), reached(fit), notes)


def rows(fit: Fit, name: str | None) -> list[dict[str, Any]]:
    """The data of one panel: a parameter at each restart's start and end, or (None) the NLL above the best."""
    wide = name is not None and _wide(fit, name)
    return [
        {"restart": f"{r.restart} {r.origin}", "series": optimum(fit, r)}
        | {"start": None if name is None else drawable(r.start[name], wide)}
        | {"end": excess(fit, r.nll) if name is None else drawable(r.estimate[name], wide)}
        for r in fit.restarts[:_MOST]
    ]


def _wide(fit: Fit, name: str) -> bool:
    return is_wide(fit, name, [value for r in fit.restarts[:_MOST] for value in (r.start[name], r.estimate[name])])


def _panel(name: str | None, data: list[dict[str, Any]], series: Series, wide: bool, named: bool) -> Layers:
    import altair as alt

    title = (name or "NLL above the best") + (" (log scale)" if wide else "")
    values = [row[end] for row in data for end in ("start", "end")]
    scale, axis = excess_axis(values, most=4) if name is None else value_axis(values, wide, most=4)
    base = chart_of(data).encode(
        x=alt.X("end:Q", title=None, scale=scale, axis=axis),
        y=alt.Y(
            "restart:N", sort=None, title=None, axis=alt.Axis(grid=True, labels=named, ticks=named, labelLimit=120)
        ),
        color=series.color,
        tooltip=["restart:N", alt.Tooltip("start:Q", format=NUMBERS), alt.Tooltip("end:Q", format=NUMBERS)],
    )
    began = base.transform_filter("datum.start !== null")
    line = began.mark_rule(strokeWidth=1.2).encode(x2="start:Q", strokeDash=series.dash)
    starts = began.mark_point(shape="circle", filled=False, size=40, strokeWidth=1.4).encode(x="start:Q")
    ends = base.mark_point(filled=True, size=50, opacity=1).encode(shape=series.shape)
    return alt.layer(line, starts, ends).properties(width=_WIDTH, height=alt.Step(_ROW), title=small_title(title))
