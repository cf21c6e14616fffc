"""More zeros than a Poisson has? A test that needs no zero-inflated fit."""

from __future__ import annotations

import math

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.hypotheses.tails import normal_tail, poisson_tail
from distfit_counts.result import HypothesisTest

NAN = float("nan")

# Zeros expected below which their number is a rare event, whose tail is a Poisson's and not a normal's.
_RARE = 5.0


def van_den_broek(histogram: Histogram) -> HypothesisTest:
    """Score test of the Poisson against zero inflation (van den Broek 1995, Biometrics 51).

    S = (n₀ − n p₀)² / (n p₀ (1 − p₀) − n ȳ p₀²), p₀ = exp(−ȳ). Inflation means more zeros, the one side that the
    boundary pi = 0 leaves open: the statistic is the signed root of S, its p-value the upper tail of N(0, 1).

    Where fewer than 5 zeros are expected that tail is far too light (one zero where 0.05 are expected: 1e-5, in truth
    0.05). There p = P(Poisson(n p₀) >= n₀). Given the sum of the counts, n₀ is a number of empty boxes, a sum of
    independent indicators (Vatutin and Mikhailov 1982), so from n p₀ + 1 on this tail errs to the safe side
    (Hoeffding 1956), most where the mean is small too.
    """
    n, zeros, mean = histogram.n, histogram.zeros, histogram.mean if histogram.n else 0.0
    if n < 2:
        return _test(NAN, NAN, "none: a single observation has no share of zeros")
    if mean == 0.0:
        return _test(NAN, NAN, "none: every count is 0, which the Poisson with rate 0 fits exactly")
    prob_zero = math.exp(-mean)
    # 1 − p₀ − ȳ p₀ = P(Y >= 2) cancels for a small mean; so does n₀/n − p₀, less so from the side of the positives.
    variance = float(poisson_tail(2.0, mean))
    excess = zeros / n - prob_zero if mean > 1.0 else -math.expm1(-mean) - (n - zeros) / n
    # 1/√p₀ written so that p₀ may underflow; beyond 700 it says no more than "beyond all doubt".
    statistic = n**0.5 * excess * math.exp(0.5 * min(mean, 1400.0)) / variance**0.5
    if n * prob_zero >= _RARE:
        return _test(statistic, float(normal_tail(statistic)), "standard normal, upper tail (more zeros)")
    rare = f"Poisson number of zeros, upper tail: only {n * prob_zero:.2g} expected, too few for a normal"
    return _test(statistic, float(poisson_tail(zeros, n * prob_zero)), rare)


def _test(statistic: float, p_value: float, null: str) -> HypothesisTest:
    title = "van den Broek, zero inflation"
    return HypothesisTest("score.zero_inflation", title, statistic, NAN, p_value, null)
