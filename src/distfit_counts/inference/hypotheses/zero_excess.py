"""More zeros than a Poisson has? A test that needs no zero-inflated fit."""

from __future__ import annotations

import numpy as np

from distfit_counts.inference.hypotheses.tails import normal_tail, poisson_tail
from distfit_counts.inference.hypotheses.tested import Tested, of_all
from distfit_counts.inference.observed import Observed

# Zeros expected below which their number is a rare event, whose tail is a Poisson's and not a normal's.
_RARE = 5.0


def van_den_broek(counts: Observed) -> Tested:
    """Score test of the Poisson against zero inflation (van den Broek 1995, Biometrics 51).

    S = (n₀ − n p₀)² / (n p₀ (1 − p₀) − n ȳ p₀²), p₀ = exp(−ȳ). Inflation means more zeros, the one side that the
    boundary pi = 0 leaves open: the statistic is the signed root of S, its p-value the upper tail of N(0, 1).

    Where fewer than 5 zeros are expected that tail is far too light (one zero where 0.05 are expected: 1e-5, in truth
    0.05). There p = P(Poisson(n p₀) >= n₀). Given the sum of the counts, n₀ is a number of empty boxes, a sum of
    independent indicators (Vatutin and Mikhailov 1982), so from n p₀ + 1 on this tail errs to the safe side
    (Hoeffding 1956), most where the mean is small too.
    """
    n, zeros, mean = counts.n, counts.zeros, counts.mean
    defined = (n > 1) & (mean > 0.0)
    prob_zero = np.exp(-mean)
    # 1 − p₀ − ȳ p₀ = P(Y >= 2) cancels for a small mean; so does n₀/n − p₀, less so from the side of the positives.
    variance = poisson_tail(2.0, np.where(mean > 0.0, mean, 1.0))
    excess = np.where(mean > 1.0, zeros / n - prob_zero, -np.expm1(-mean) - (n - zeros) / n)
    # 1/√p₀ written so that p₀ may underflow; where that is beyond float64, so is the statistic of a single zero.
    statistic = np.sqrt(n) * excess * np.exp(0.5 * np.minimum(mean, 1400.0)) / np.sqrt(variance)
    statistic = np.where((mean > 1400.0) & (zeros > 0), np.inf, statistic)
    statistic = np.where(defined, statistic, np.nan)
    rare = n * prob_zero < _RARE
    p_value = np.where(rare, poisson_tail(zeros, n * prob_zero), normal_tail(statistic))

    def null(i: int) -> str:
        if n[i] < 2:
            return "none: a single observation has no share of zeros"
        if mean[i] == 0.0:
            return "none: every count is 0, which the Poisson with rate 0 fits exactly"
        if not rare[i]:
            return "standard normal, upper tail (more zeros)"
        few = f"only {n[i] * prob_zero[i]:.2g} expected, too few for a normal"
        return f"Poisson number of zeros, upper tail: {few}"

    title = "van den Broek, zero inflation"
    return of_all("score.zero_inflation", title, statistic, np.where(defined, p_value, np.nan), null)
