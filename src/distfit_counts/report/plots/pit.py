"""Non-randomised PIT histogram (Czado, Gneiting and Held 2009): flat where the fitted distribution is calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import tabulate
from distfit_counts.inference.goodness.bands import pit_band
from distfit_counts.inference.goodness.residuals import pit_histogram
from distfit_counts.report.plots.theme import (
    BAND,
    BAND_EDGE,
    HEIGHT,
    INK,
    OBSERVED,
    OBSERVED_EDGE,
    WIDTH,
    chart_of,
    dressed,
)
from distfit_counts.report.plots.words import about, too_few
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

NOTE = (
    "Probability integral transform, not randomised: each count spreads over the probabilities from P(Y < k) to "
    "P(Y ≤ k). Line: uniform. Shaded: where 95 % of each height would lie if the model were true (pointwise)."
)


def pit_chart(fit: Fit, told: str = "") -> alt.TopLevelMixin:
    """The picture of one fit, with its title. ``told``: see ``pmf_chart``."""
    rows = pit_rows(fit)
    return dressed(pit_panel(rows), sentence(fit.family, rows, fit.n, not told), [told or about(fit), NOTE])


def pit_rows(fit: Fit) -> list[dict[str, Any]]:
    """The data: the ten heights, which sum to 1, and the band of each."""
    table = tabulate(Pmf.of(*fit.model), fit.histogram.values)
    heights = pit_histogram(fit.histogram, table.cdf)
    low, high = pit_band(fit.n, table.cdf, len(heights))
    return [
        {"left": i / len(heights), "right": (i + 1) / len(heights)}
        | {"share": float(heights[i]), "low": float(low[i]), "high": float(high[i])}
        for i in range(len(heights))
    ]


def sentence(family: str, rows: list[dict[str, Any]], n: int, own: bool) -> str:
    """What the shape says: a U where the fitted distribution is too narrow, a hump where it is too wide.

    ``own``: the counts are those that it was fitted to.
    """
    above = [row["share"] > row["high"] for row in rows]
    below = [row["share"] < row["low"] for row in rows]
    outside = sum(above) + sum(below)
    few = too_few(n, f"{family} is calibrated")
    if few and outside <= 2:
        return few
    if not outside:
        where = " on the data it was fitted to" if own else ""
        return f"The PIT histogram is flat within its bands: {family} is calibrated{where}"
    # The 95 % quantile of Binomial(10, 0.05): so many leave a pointwise band by chance.
    if outside <= 2:
        return f"The PIT histogram is nearly flat: {outside} of {len(rows)} bars outside their bands, as chance allows"
    start = f"{outside} of {len(rows)} bars of the PIT histogram leave their bands"
    if above[0] and above[-1]:
        return f"{start}: U-shaped, the counts spread more than {family} says"
    if below[0] and below[-1]:
        return f"{start}: hump-shaped, the counts spread less than {family} says"
    return start


def pit_panel(rows: list[dict[str, Any]], height: int = HEIGHT) -> Layers:
    """Bars, bands and the uniform line."""
    import altair as alt

    base = chart_of(rows).encode(x2="right:Q")
    x = alt.X(
        "left:Q",
        title="probability integral transform",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="~g", tickCount=10, grid=False),
    )
    y = alt.Y("share:Q", title="share of observations", axis=alt.Axis(tickCount=6))
    bars = base.mark_rect(fill=OBSERVED, stroke=OBSERVED_EDGE, strokeWidth=0.6).encode(
        x=x, y=y, y2=alt.datum(0), tooltip=[alt.Tooltip(f"{name}:Q", format=".4f") for name in ("share", "low", "high")]
    )
    edge = base.mark_rule(color=BAND_EDGE, strokeWidth=1).encode(x=x)
    band = base.mark_rect(fill=BAND, opacity=0.5).encode(x=x, y="low:Q", y2="high:Q")
    uniform = chart_of([{"uniform": 1.0 / len(rows)}]).mark_rule(color=INK, strokeDash=[6, 3])
    shared = alt.layer(bars, band, edge.encode(y="low:Q"), edge.encode(y="high:Q"))
    return alt.layer(shared, uniform.encode(y="uniform:Q")).properties(width=WIDTH, height=height)
