"""P(Y <= k) from a pmf."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import split


def cumulative(pmf: Pmf, k: Array) -> Array:
    """P(Y <= k) for whole numbers ``k`` of any shape; 0 below zero, never above 1. As exact as ``split``."""
    inside = np.maximum(k, 0.0)
    reached = split(pmf, np.unique(inside).astype(np.int64) + 1).cdf(inside)
    return np.where(k < 0.0, 0.0, reached)
