"""Observed against fitted pmf, with every component of a mixture drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distfit_counts.inference.fitted.components import Component, components
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.report.numbers import count, number
from distfit_counts.report.plots.axes import NUMBERS
from distfit_counts.report.plots.bars import CountX, bars_of, count_axis, count_title, joined, label, masses
from distfit_counts.report.plots.theme import (
    HEIGHT,
    OBSERVED,
    OBSERVED_EDGE,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    WIDTH,
    Series,
    chart_of,
    dressed,
    small_title,
)
from distfit_counts.report.plots.words import Agreement, about, agreement, gap, places, plain, too_few
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

# Panels that can be taken in at one look.
MOST = 30
# So many stand in two columns, more in three.
_FEW = 6


def pmf_chart(fit: Fit, told: str = "") -> alt.TopLevelMixin:
    """The picture of one fit, with its title. ``told``: what is shown, where the counts are new."""
    bars = bars_of(fit.histogram, Pmf.of(*fit.model))
    return dressed(pmf_panel(fit, bars), verdict(fit, agreement(bars, fit.n)), [told or about(fit)])


def verdict(fit: Fit, seen: Agreement) -> str:
    """Whether the fit follows the counts, and where it is worst."""
    found = f"{fit.family} {'follows' if seen.follows else 'departs from'} the counts"
    told = too_few(fit.n, f"they follow {fit.family}" if fit.n != 1 else f"it follows {fit.family}")
    return f"{told if told and seen.follows else found}; largest gap {gap(seen.worst)}"


def pmf_panels(fits: Sequence[Fit]) -> alt.TopLevelMixin:
    """Small multiples of several fits (of one family): the first 30."""
    import altair as alt

    shown = list(fits[:MOST])
    series = Series(max((_names(fit, False) for fit in shown), key=len), "observed")
    few = len(shown) <= _FEW
    columns, size = (2, (PANEL_WIDTH, PANEL_HEIGHT)) if few else (3, (2 * PANEL_WIDTH // 3, 2 * PANEL_HEIGHT // 3))
    panels, follow = [], 0
    for fit, place in zip(shown, places(shown), strict=True):
        bars = bars_of(fit.histogram, Pmf.of(*fit.model))
        good = agreement(bars, fit.n).follows
        follow += good
        title = f"{place}, n = {count(fit.n)}{'' if good else ': departs'}"
        panels.append(_layers(fit, bars, series, False, size).properties(title=small_title(title)))
    family = shown[0].family
    notes = [f"The first {len(shown)} of {count(len(fits))} fits are shown."] if len(fits) > len(shown) else []
    chart = alt.vconcat(series.key(), alt.concat(*panels, columns=columns, spacing=24), spacing=14)
    return dressed(chart, f"{family} follows the counts in {follow} of {len(shown)} panels", notes)


def pmf_panel(fit: Fit, bars: Sequence[Frequency]) -> alt.VConcatChart:
    """Key, bars, fitted line and one line per component."""
    import altair as alt

    series = Series(_names(fit, True), "observed")
    return alt.vconcat(series.key(), _layers(fit, bars, series, True, (WIDTH, HEIGHT)), spacing=10)


def _layers(fit: Fit, bars: Sequence[Frequency], series: Series, exact: bool, size: tuple[int, int]) -> Layers:
    import altair as alt

    x = count_axis(bars, count_title(fit.column), size[0])
    rows = _fitted_rows(fit, bars, _names(fit, exact))
    return alt.layer(observed_bars(bars, fit.n, x), lines(rows, x, series)).properties(width=size[0], height=size[1])


def _names(fit: Fit, exact: bool) -> list[str]:
    """The fitted line and the components, which are told with their numbers where there is one fit only."""
    parts = components(*fit.model)
    if len(parts) == 1:
        return [f"fitted {fit.family}" if exact else "fitted"]
    if not exact:
        return ["fitted", *(f"component {i}: {plain(part.family.spec)}" for i, part in enumerate(parts, start=1))]
    return [f"fitted {fit.family}", *(f"{i}: {_told(part)}" for i, part in enumerate(parts, start=1))]


def _told(part: Component) -> str:
    values = ", ".join(f"{name} {number(value, 3)}" for name, value in part.values.items())
    return f"{number(part.weight, 3)} × {plain(part.family.spec)}" + (f" ({values})" if values else "")


def _fitted_rows(fit: Fit, bars: Sequence[Frequency], names: Sequence[str]) -> list[dict[str, Any]]:
    found = line_rows(names[0], bars, [bar.expected / fit.n for bar in bars])
    parts = components(*fit.model)
    if len(parts) > 1:
        most = max(row["share"] for row in found)
        for part, name in zip(parts, names[1:], strict=False):
            rows = line_rows(name, bars, masses(bars, part.pmf))
            # Where a component adds nothing it has no line: a point mass is a point.
            found += [row for row in rows if row["share"] > 1e-3 * most]
    return found


def line_rows(series: str, bars: Sequence[Frequency], shares: Sequence[float]) -> list[dict[str, Any]]:
    """The data of one line."""
    line = joined(bars)
    return [
        {"i": i, "count": label(bar), "series": series, "share": share, "joined": i in line}
        for i, (bar, share) in enumerate(zip(bars, shares, strict=True))
    ]


def observed_bars(bars: Sequence[Frequency], n: int, x: CountX) -> alt.Chart:
    """The observed shares as bars."""
    import altair as alt

    rows: list[Mapping[str, Any]] = [
        {"left": i - 0.4, "right": i + 0.4, "count": label(bar), "observed": bar.observed, "share": bar.observed / n}
        for i, bar in enumerate(bars)
    ]
    base = chart_of(rows).mark_rect(fill=OBSERVED, stroke=OBSERVED_EDGE, strokeWidth=0.6)
    drawn: alt.Chart = base.encode(
        x=x("left"),
        x2="right:Q",
        y=alt.Y("share:Q", title="share of observations", axis=alt.Axis(format=NUMBERS, tickCount=6)),
        y2=alt.datum(0),
        tooltip=["count:N", alt.Tooltip("observed:Q", format=","), alt.Tooltip("share:Q", format=".4g")],
    )
    return drawn


def lines(rows: list[dict[str, Any]], x: CountX, series: Series) -> Layers:
    """A line with points for every series."""
    import altair as alt

    told = ["series:N", "count:N", alt.Tooltip("share:Q", format=".4g")]
    base = chart_of(rows).encode(x=x("i"), y="share:Q", color=series.color)
    line = base.transform_filter("datum.joined").mark_line(strokeWidth=1.8).encode(strokeDash=series.dash)
    points = base.mark_point(filled=True, opacity=1).encode(shape=series.shape, size=series.size, tooltip=told)
    drawn: Layers = line + points
    return drawn
