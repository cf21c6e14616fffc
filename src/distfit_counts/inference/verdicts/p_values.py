"""How p-values are written, in sentences and in tables."""

from __future__ import annotations

import math


def p_equals(p: float) -> str:
    """``p = 0.031``, ``p < 1e-300``, for running text."""
    text = p_text(p)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def p_text(p: float) -> str:
    """A p-value in the digits that matter; none where no null distribution holds."""
    if math.isnan(p):
        return "–"
    if p == 0.0:
        return "<1e-300"
    return f"{p:.2g}" if p >= 1e-4 else f"{p:.0e}"
