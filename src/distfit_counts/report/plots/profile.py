"""The profile log-likelihood of every parameter, with the cut of its confidence interval."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.report.numbers import number, resolved
from distfit_counts.report.plots.axes import NUMBERS, value_axis
from distfit_counts.report.plots.optima import is_wide
from distfit_counts.report.plots.theme import (
    BLUE,
    INK,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    VERMILLION,
    chart_of,
    dressed,
)
from distfit_counts.report.plots.words import about
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

Curves = Mapping[str, tuple[Array, Array]]

# Log-likelihood units below the top that are drawn: twice as deep as the cut at 95 %.
_DEEPEST = 5.0


def profile_chart(fit: Fit, curves: Curves) -> alt.TopLevelMixin:
    """The picture of one fit; ``curves``: {parameter: (values, profile deviance)}."""
    import altair as alt

    if not curves:
        raise DistfitError(f"{fit.family} has no parameter to profile here", "choose another --kind")
    cut = NormalDist().inv_cdf(0.5 + fit.level / 2.0)
    ends = {name: interval(values, deviance, cut) for name, (values, deviance) in curves.items()}
    panels = [_panel(fit, name, curves[name], ends[name], cut) for name in curves]
    told = "; ".join(f"{name} {_told(*pair)}" for name, pair in ends.items())
    notes = [
        about(fit),
        f"Each value with the best fit of all other parameters. Dashed: {0.5 * cut**2:.2f} below the top, where the "
        f"{100 * fit.level:g} % interval (triangles) ends. Circle: the estimate.",
    ]
    chart = alt.concat(*panels, columns=2, spacing=24)
    return dressed(chart, f"{100 * fit.level:g} % profile interval{'s' * (len(ends) > 1)}: {told}", notes)


def _told(low: float, high: float) -> str:
    if np.isnan(low):
        return "without ends" if np.isnan(high) else f"up to {number(high, 3)}"
    if np.isnan(high):
        return f"{number(low, 3)} or more"
    # Both in as many digits: 9.71e+08 is no company for 1,020,466,299.
    return f"{resolved(low, (high - low) * abs(low / high), 3)} to {resolved(high, high - low, 3)}"


def interval(values: Array, deviance: Array, cut: float) -> tuple[float, float]:
    """Where sqrt(deviance), nearly linear, crosses ``cut`` below and above the lowest point; NaN where it does not."""
    root, best = np.sqrt(np.nan_to_num(deviance, nan=np.inf)), int(np.nanargmin(deviance))
    below, above = np.flatnonzero(root[:best] > cut), best + np.flatnonzero(root[best:] > cut)
    low = _crossing(values, root, below[-1], below[-1] + 1, cut) if len(below) else float("nan")
    high = _crossing(values, root, above[0], above[0] - 1, cut) if len(above) else float("nan")
    return low, high


def _crossing(values: Array, root: Array, outside: int, inside: int, cut: float) -> float:
    share = (cut - root[inside]) / (root[outside] - root[inside])
    return float(values[inside] + share * (values[outside] - values[inside]))


def curve_rows(values: Array, deviance: Array) -> list[dict[str, Any]]:
    """The data of one curve: the log-likelihood below its top, as deep as it is drawn."""
    return [
        {"value": float(value), "log-likelihood": -0.5 * float(d)}
        for value, d in zip(values, deviance, strict=True)
        if np.isfinite(d) and 0.5 * d <= _DEEPEST
    ]


def _panel(fit: Fit, name: str, curve: tuple[Array, Array], ends: tuple[float, float], cut: float) -> Layers:
    import altair as alt

    wide = is_wide(fit, name, curve[0].tolist())
    rows = curve_rows(*curve)
    scale, axis = value_axis([row["value"] for row in rows], wide)
    x = alt.X("value:Q", title=name + (" (log scale)" if wide else ""), scale=scale, axis=axis)
    y = alt.Y("log-likelihood:Q", title="log-likelihood below the top", axis=alt.Axis(tickCount=5))

    def points(values: list[dict[str, Any]], **mark: Any) -> alt.Chart:
        made = chart_of(values).mark_point(filled=True, opacity=1, **mark)
        drawn: alt.Chart = made.encode(x=x, y=y, tooltip=[alt.Tooltip("value:Q", format=NUMBERS)])
        return drawn

    level = -0.5 * cut**2
    line = chart_of(rows).mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y)
    rule = chart_of([{"log-likelihood": level}]).mark_rule(color=INK, strokeDash=[5, 3]).encode(y=y)
    marked = [{"value": end, "log-likelihood": level} for end in ends if np.isfinite(end)]
    best = float(curve[0][int(np.nanargmin(curve[1]))])
    estimate = fit.parameters[name].estimate
    top = [
        {"value": estimate if np.isfinite(estimate) and (estimate > 0.0 or not wide) else best, "log-likelihood": 0.0}
    ]
    layers = [
        line,
        rule,
        points(marked, color=VERMILLION, shape="triangle-up", size=80),
        points(top, color=INK, size=44),
    ]
    return alt.layer(*layers).properties(width=PANEL_WIDTH, height=PANEL_HEIGHT)
