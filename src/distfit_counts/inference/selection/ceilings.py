"""How high the log-likelihood can go at all."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from distfit_counts.comparison import Ceiling
from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.poisson_mixtures.npmle import npmle

# Distinct values beyond which the search for the best Poisson mixture takes longer than all fits together (24,000 take
# 12 s), and from which a coarser gap per observation will do.
_DISTINCT, _MANY = 5_000, 500
_FINE, _COARSE = 1e-9, 1e-6
# Of thousands of columns each family is judged as a whole, and each column again when it is shown.
_REMEMBERED = 1 << 14


def saturated(histogram: Histogram) -> float:
    """sum_v w_v log(w_v / n): every observed value has its own frequency as probability. No model exceeds it."""
    weights = histogram.weights.astype(np.float64)
    return float((weights * np.log(weights / histogram.n)).sum()) + 0.0


@lru_cache(maxsize=_REMEMBERED)
def poisson_mixtures(histogram: Histogram) -> Ceiling | None:
    """The nonparametric maximum over all Poisson mixtures (Lindsay 1983); None for data too wide to search.

    It is asked for by each family that is compared on a column, and remembered until they have been.
    """
    if histogram.distinct > _DISTINCT:
        return None
    tolerance = _FINE if histogram.distinct <= _MANY else _COARSE
    found = npmle(histogram.values.astype(np.float64), histogram.weights.astype(np.float64), tolerance)
    rates, weights = tuple(map(float, found.rates)), tuple(map(float, found.weights))
    return Ceiling(found.log_likelihood, histogram.n * found.gap, rates, weights)
