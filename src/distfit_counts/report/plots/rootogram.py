"""Rootogram: bars of the square root of the observed frequencies against the curve of the expected ones.

Tukey (1977), Kleiber and Zeileis (2016). On the scale of square roots all frequencies vary about equally much, so that
a gap is worth the same at a high bar as in the tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from distfit_counts.errors import DistfitError
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.report.plots.bars import CountX, bars_of, count_axis, count_title, joined, label
from distfit_counts.report.plots.theme import (
    BAND,
    BAND_EDGE,
    HEIGHT,
    INK,
    OBSERVED,
    OBSERVED_EDGE,
    WIDTH,
    Series,
    chart_of,
    dressed,
)
from distfit_counts.report.plots.words import Agreement, about, agreement, gap
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

STYLES = {
    "hanging": "Bars of √observed hang from √expected: one that ends above 0 is too short, below 0 too long.",
    "standing": "Bars of √observed stand on 0 and should reach the curve of √expected.",
    "suspended": "Bars show √expected − √observed: below 0 more was observed than expected, above 0 less.",
}
_BAND_NOTE = "Shaded: where 95 % of the bars of each count would end if the model were true (binomial, pointwise)."


def rootogram_chart(fit: Fit, told: str = "", style: str = "hanging") -> alt.TopLevelMixin:
    """The picture of one fit, with its title. ``told``: see ``pmf_chart``; ``style``: a key of STYLES."""
    bars = bars_of(fit.histogram, Pmf.of(*fit.model))
    seen = agreement(bars, fit.n)
    title = f"{inside(bars, seen)}; furthest off {gap(seen.worst_root)}"
    return dressed(rootogram_panel(fit.column, fit.n, bars, style), title, [told or about(fit), *notes(style)])


def inside(bars: Sequence[Frequency], seen: Agreement) -> str:
    """How many bars keep within their bands."""
    left = "All" if not seen.outside else f"{len(bars) - seen.outside} of"
    return f"{left} {len(bars)} bars end within their 95 % bands"


def notes(style: str) -> list[str]:
    """How to read it."""
    return [STYLES[style], _BAND_NOTE]


def rootogram_panel(column: str, n: int, bars: Sequence[Frequency], style: str = "hanging") -> Layers:
    """Bands, bars, curve and the line at zero, of ``n`` counts of ``column``."""
    import altair as alt

    if style not in STYLES:
        raise DistfitError(f"unknown style of rootogram {style!r}", f"known: {', '.join(STYLES)}")
    x = count_axis(bars, count_title(column), WIDTH)
    rows = rootogram_rows(bars, agreement(bars, n), style)
    base = chart_of(rows)
    zero = chart_of([{"zero": 0}]).mark_rule(color=INK).encode(y="zero:Q")
    # Layers of the same data in one: the specification carries them once.
    shared = alt.layer(_bars(base, x, style), *_band(base, x), *_curve(base, x))
    return alt.layer(shared, zero).properties(width=WIDTH, height=HEIGHT)


def rootogram_rows(bars: Sequence[Frequency], seen: Agreement, style: str) -> list[dict[str, Any]]:
    """The data: each bar from ``begin`` to ``end`` and the band of its end, on the scale of square roots."""
    line = joined(bars)
    found = []
    for i, (bar, low, high) in enumerate(zip(bars, seen.low, seen.high, strict=True)):
        root, curve = bar.observed**0.5, bar.expected**0.5
        ends = (
            [root, low**0.5, high**0.5] if style == "standing" else [curve - r**0.5 for r in (bar.observed, low, high)]
        )
        found.append(
            {"i": i, "left": i - 0.4, "right": i + 0.4, "count": label(bar), "joined": i in line}
            | {"observed": bar.observed, "expected": bar.expected, "curve": curve}
            | {
                "begin": curve if style == "hanging" else 0.0,
                "end": ends[0],
                "low": min(ends[1:]),
                "high": max(ends[1:]),
            }
            | {"band_left": i - 0.5, "band_right": i + 0.5}
        )
    return found


def _bars(base: alt.Chart, x: CountX, style: str) -> alt.Chart:
    import altair as alt

    title = "√expected − √observed" if style == "suspended" else "√number of observations"
    drawn: alt.Chart = base.mark_rect(fill=OBSERVED, stroke=OBSERVED_EDGE, strokeWidth=0.6).encode(
        x=x("left"),
        x2="right:Q",
        y=alt.Y("begin:Q", title=title, axis=alt.Axis(tickCount=6)),
        y2="end:Q",
        tooltip=["count:N", alt.Tooltip("observed:Q", format=","), alt.Tooltip("expected:Q", format=",.5~g")],
    )
    return drawn


def _band(base: alt.Chart, x: CountX) -> list[alt.Chart]:
    wide = base.encode(x=x("band_left"), x2="band_right:Q")
    edge = wide.mark_rule(color=BAND_EDGE, strokeWidth=1)
    return [
        wide.mark_rect(fill=BAND, opacity=0.5).encode(y="low:Q", y2="high:Q"),
        edge.encode(y="low:Q"),
        edge.encode(y="high:Q"),
    ]


def _curve(base: alt.Chart, x: CountX) -> list[alt.Chart]:
    series = Series(["expected"])
    curve = base.transform_calculate(series="'expected'").encode(x=x("i"), y="curve:Q", color=series.color)
    line = curve.transform_filter("datum.joined").mark_line(strokeWidth=1.8)
    return [line, curve.mark_point(filled=True, size=36, opacity=1)]
