"""How numbers are written for people."""

from __future__ import annotations

import math


def number(value: float | None, digits: int = 5) -> str:
    """``digits`` significant ones; thin where there is nothing: "–" for NaN, "∞" for infinity."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e7:
        places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        return f"{value:.{places}f}"
    return f"{value:.{digits - 1}e}"


def resolved(value: float, error: float, digits: int = 5) -> str:
    """``value`` in as many digits as two of its ``error`` need, at least as many as ``number`` gives it.

    1,000,012,300 ± 1,400 in five digits is 1.0000e+09, and so are both ends of its interval.
    """
    if not (math.isfinite(value) and math.isfinite(error)) or value == 0.0 or error <= 0.0:
        return number(value, digits)
    # More than float64 has would be noise.
    needed = min(math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2, 15)
    if needed <= digits or not 1e7 <= abs(value) < 1e15:
        return number(value, max(needed, digits))
    return f"{value:,.{max(1 - math.floor(math.log10(error)), 0)}f}"


def count(value: int) -> str:
    return f"{value:,}"


def fixed(value: float, places: int) -> str:
    """A fixed number of decimals, for figures that are compared down a column."""
    # Adding 0.0 after rounding turns -0.00 into 0.00.
    return number(value) if not math.isfinite(value) else f"{round(value, places) + 0.0:.{places}f}"
