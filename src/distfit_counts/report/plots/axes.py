"""Axes of parameters and likelihoods: linear, or logarithmic where values span orders of magnitude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

# Without a precision of its own Vega writes 50 as 5e+1.
NUMBERS = ".6~g"


def value_axis(values: Sequence[float | None], wide: bool, most: int = 6) -> tuple[alt.Scale, alt.Axis]:
    """Scale and axis that hold ``values``; ``wide``: logarithmic, with ``most`` powers of ten as ticks."""
    import altair as alt

    shown = [value for value in values if value is not None]
    if not wide or not shown:
        return alt.Scale(zero=False), _linear(shown)
    low, high = min(shown) / 1.2, max(shown) * 1.2
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    ticks = [10.0**power for power in powers[:: -(-len(powers) // most) or 1]]
    if len(ticks) < 2:
        ticks = [value for power in range(powers.start - 1, powers.stop + 1) for value in _steps(power, low, high)]
    label = "format(datum.value, datum.value >= 1e5 || datum.value < 1e-4 ? '~e' : '~g')"
    return alt.Scale(type="log", domain=[low, high], nice=False), alt.Axis(values=ticks, labelExpr=label)


def _linear(values: Sequence[float]) -> alt.Axis:
    """With as many digits as tell the ticks apart: from 999,997,000 to 1,000,003,000 six would all be 1e+9."""
    import altair as alt

    if values and max(values) > min(values):
        largest = math.floor(math.log10(max(map(abs, values))))
        apart = math.floor(math.log10((max(values) - min(values)) / 5.0))
        if largest - apart + 1 > 6:
            return alt.Axis(tickCount=3, format=f",.{max(-apart, 0)}~f")
    return alt.Axis(tickCount=5, format=NUMBERS)


def _steps(power: int, low: float, high: float) -> list[float]:
    return [step * 10.0**power for step in (1, 2, 5) if low <= step * 10.0**power <= high]
