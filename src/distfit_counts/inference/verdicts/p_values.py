"""When p-values reject, and how they are written, in sentences and in tables."""

from __future__ import annotations

import math

# A fit that is rejected once in a hundred true models is worth a sentence.
_REJECTED = 0.01


def rejects(p: float, replicates: int = 0) -> bool:
    """Whether a p-value is worth a sentence; ``replicates`` B is how many samples it was simulated with, 0 if none.

    A simulated p-value is never below 1/(B + 1): there, where no sample fitted as badly, it rejects whatever B is.
    """
    return p <= rejection(replicates)


def rejection(replicates: int = 0) -> float:
    """The largest p-value that ``rejects``."""
    smallest = 1.0 / (replicates + 1) if replicates else 0.0
    return max(_REJECTED, smallest * (1.0 + 1e-9))


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
