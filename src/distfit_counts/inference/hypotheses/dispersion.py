"""Is the Poisson's variance too small? Tests against overdispersion that need no other family fitted.

Both look for a larger variance only: a large p-value does not say that variance and mean are equal, since the variance
may be smaller.
"""

from __future__ import annotations

import numpy as np

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.hypotheses.tails import normal_tail
from distfit_counts.result import HypothesisTest

NAN = float("nan")
_NULL = "standard normal, upper tail"


def dean_lawless(histogram: Histogram) -> HypothesisTest:
    """Score test of the Poisson against overdispersion, corrected for the fitted mean (Dean and Lawless 1989, JASA 84).

    T = Σ [(y_i − m)² − y_i + h_i m] / √(2 Σ m²), where h_i is the hat value of observation i. With only a mean fitted
    h_i = 1/n, and T = (n − 1)(s²/m − 1)/√(2n), s² the variance with divisor n − 1. Without the correction T has a
    negative mean, and the test rejects too rarely; with it the mean is exactly 0, given the sum of the counts.
    """
    reason = _undefined(histogram)
    if reason:
        return _score(NAN, reason)
    n = histogram.n
    return _score((n - 1) * (histogram.variance / histogram.mean - 1.0) / (2.0 * n) ** 0.5, _NULL)


def cameron_trivedi(histogram: Histogram) -> HypothesisTest:
    """Regression-based test of overdispersion (Cameron and Trivedi 1990, Journal of Econometrics 46).

    t = √n z̄/s_z of z_i = ((y_i − m)² − y_i)/m: the t value of a constant, Var = (1 + α) m. With one common mean
    the alternative Var = m + α m² gives the same t. Unlike the score test it takes the spread of (y − m)²
    from the data, not from the Poisson.
    """
    reason = _undefined(histogram)
    if reason:
        return _regression(NAN, reason)
    n, mean, weights = histogram.n, histogram.mean, histogram.weights
    values = histogram.values.astype(float)
    z = ((values - mean) ** 2 - values) / mean
    average = float(np.average(z, weights=weights))
    deviation = float((weights * (z - average) ** 2).sum() / (n - 1)) ** 0.5
    # Constant data, but also {0, 0, 0, 2}: every z is the same up to rounding.
    if deviation <= 1e-9 * float(np.abs(z).max()):
        return _regression(
            NAN, "none: every observation has the same (y − mean)² − y, so the test has no standard error"
        )
    return _regression(n**0.5 * average / deviation, _NULL)


def _undefined(histogram: Histogram) -> str | None:
    if histogram.n < 2:
        return "none: a single observation has no variance"
    if histogram.mean == 0.0:
        return "none: every count is 0, and so are mean and variance"
    return None


def _score(statistic: float, null: str) -> HypothesisTest:
    title = "Dean–Lawless, overdispersion"
    return HypothesisTest("score.overdispersion", title, statistic, NAN, float(normal_tail(statistic)), null)


def _regression(statistic: float, null: str) -> HypothesisTest:
    title = "Cameron–Trivedi, overdispersion"
    return HypothesisTest("regression.overdispersion", title, statistic, NAN, float(normal_tail(statistic)), null)
