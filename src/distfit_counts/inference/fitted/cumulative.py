"""P(Y <= k) from a pmf."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.tabulate import tabulate
from distfit_counts.inference.goodness.frequencies import Pmf

# Up to here every count is summed.
_EVERY = 100_000


def cumulative(pmf: Pmf, k: Array) -> Array:
    """P(Y <= k) for whole numbers ``k`` of any shape; 0 below zero, never above 1.

    The sum over every count, or, for larger counts, over a table of the pmf (``tabulate``, within 2e-6).
    """
    if k.size == 0:
        return np.zeros(k.shape)
    inside = np.maximum(k, 0.0)
    if inside.max() <= _EVERY:
        total = np.cumsum(pmf(np.arange(inside.max() + 1.0)))
        reached = total[inside.astype(np.int64)]
    else:
        reached = tabulate(pmf, np.unique(inside).astype(np.int64)).cdf(inside)
    return np.where(k < 0.0, 0.0, np.minimum(reached, 1.0))
