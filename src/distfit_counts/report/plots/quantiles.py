"""Randomised quantile residuals (Dunn and Smyth 1996) against normal quantiles."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.bands import normal_band
from distfit_counts.report.numbers import fixed
from distfit_counts.report.plots.theme import (
    BAND,
    BLUE,
    HEIGHT,
    INK,
    PANEL_HEIGHT,
    WIDTH,
    chart_of,
    dressed,
    small_title,
)
from distfit_counts.report.plots.words import about, too_few
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

# Points that are drawn: all at the ends, where the tails show, and evenly spaced ranks between.
_ENDS, _BETWEEN = 100, 200
NOT_RANDOMISED = (
    "Quantile residuals: on the line where the model is right (mean 0, standard deviation 1). Shaded: where "
    "all points would lie with probability 95 % (simulated)."
)
NOTE = "Randomised q" + NOT_RANDOMISED.removeprefix("Q")


def quantile_chart(fit: Fit, told: str = "") -> alt.TopLevelMixin:
    """The picture of one fit, with its title, randomised with the fit's seed. ``told``: see ``pmf_chart``."""
    rows, sentence = _seen(fit)
    return dressed(residual_panel(rows), sentence, [told or about(fit), NOTE])


def quantile_page_panel(fit: Fit) -> Layers:
    """The same as one panel among others, under a small title."""
    rows, sentence = _seen(fit)
    return residual_panel(rows).properties(title=small_title(sentence, [NOTE]), height=PANEL_HEIGHT + 60)


def _seen(fit: Fit) -> tuple[list[dict[str, Any]], str]:
    residuals = np.sort(fit.quantile_residuals(fit.seed))
    rows = quantile_rows(residuals)
    return rows, sentence(fit.family, residuals, rows)


def quantile_rows(residuals: Array) -> list[dict[str, Any]]:
    """The data: sorted ``residuals`` thinned to some 400 ranks, their normal quantile z((i - 1/2)/n) and its band.

    Infinite ones (counts that the model cannot produce) have no place.
    """
    n = len(residuals)
    between = np.linspace(0, n - 1, _BETWEEN).round().astype(np.int64)
    ranks = np.unique(np.concatenate([np.arange(min(n, _ENDS)), between, np.arange(max(n - _ENDS, 0), n)]))
    low, high = normal_band(n, ranks)
    normal = [NormalDist().inv_cdf(float(p)) for p in (ranks + 0.5) / n]
    return [
        {"normal": z, "residual": float(residuals[rank]), "low": float(a), "high": float(b)}
        for rank, z, a, b in zip(ranks, normal, low, high, strict=True)
        if np.isfinite(residuals[rank])
    ]


def sentence(family: str, residuals: Array, rows: list[dict[str, Any]]) -> str:
    """Whether all points of ``rows`` keep within the band, and if not, what is wrong."""
    n, impossible = len(residuals), int(np.isinf(residuals).sum())
    if impossible:
        return f"{family} cannot produce {impossible:,} of {n:,} counts: their residuals are infinite"
    mean, deviation = float(residuals.mean()), float(residuals.std(ddof=1)) if n > 1 else 1.0
    numbers = f"mean {fixed(mean, 2)}, standard deviation {fixed(deviation, 2)}".replace("-", "−")
    outside = sum(not row["low"] <= row["residual"] <= row["high"] for row in rows)
    if not outside:
        few = too_few(n, f"the residuals of {family} are normal")
        return few or f"The residuals of {family} look normal: {numbers}"
    wrong = ["shifted"] if abs(mean) > 3.0 / n**0.5 else []
    if abs(deviation - 1.0) > 3.0 / (2.0 * n) ** 0.5:
        wrong.append("too far apart" if deviation > 1.0 else "too close together")
    if wrong:
        return f"The residuals of {family} are {' and '.join(wrong)}: {numbers}"
    return f"The residuals of {family} are not quite normal: {outside} of {len(rows)} points leave the band"


def residual_panel(rows: list[dict[str, Any]]) -> Layers:
    """Points, the line on which they should lie, and its band."""
    import altair as alt

    base = chart_of(rows).encode(
        x=alt.X(
            "normal:Q",
            title="standard normal quantile",
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickCount=8, format="~g"),
        )
    )
    band = base.mark_area(color=BAND, opacity=0.5).encode(
        y=alt.Y("low:Q", title="quantile residual", scale=alt.Scale(zero=False)), y2="high:Q"
    )
    line = base.mark_line(color=INK, strokeWidth=1.2).encode(y="normal:Q")
    points = base.mark_point(filled=True, size=22, color=BLUE, opacity=0.8).encode(
        y="residual:Q", tooltip=[alt.Tooltip(f"{name}:Q", format=".3f") for name in ("normal", "residual")]
    )
    return alt.layer(band, line, points).properties(width=WIDTH, height=HEIGHT)
