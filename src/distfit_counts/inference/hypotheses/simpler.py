"""Tests of a fit against the simpler families that it contains, and of the Poisson against what it leaves out."""

from __future__ import annotations

import math

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.family import Limit
from distfit_counts.families.poisson import Poisson
from distfit_counts.inference.hypotheses.dispersion import cameron_trivedi, dean_lawless
from distfit_counts.inference.hypotheses.tails import half_chi_square_tail
from distfit_counts.inference.hypotheses.zero_excess import van_den_broek
from distfit_counts.optimise.solve import Solution
from distfit_counts.result import HypothesisTest


def tests_of(solution: Solution, row: int, histogram: Histogram) -> tuple[HypothesisTest, ...]:
    """Likelihood ratios against each simpler family one parameter away; score tests of the Poisson."""
    if solution.family == Poisson():
        return (dean_lawless(histogram), cameron_trivedi(histogram), van_den_broek(histogram))
    n = float(solution.batch.n[row])
    found = []
    for limit, inner in solution.nested:
        statistic = 2.0 * n * float(inner.supremum[row] - solution.supremum[row])
        if regular(limit) and math.isfinite(statistic):
            found.append(likelihood_ratio(solution.family.spec, limit.family.plain().spec, max(statistic, 0.0)))
    return tuple(found)


def regular(limit: Limit) -> bool:
    """Whether exactly one parameter is at its boundary there, and all the others keep their meaning.

    Where others vanish with it (a component without weight has no rate) the likelihood ratio has no simple null
    distribution: it must be simulated.
    """
    return len(limit.fixed) == 1 and not any(math.isnan(value) for value in limit.fixed.values())


def likelihood_ratio(family: str, simpler: str, statistic: float) -> HypothesisTest:
    """2 (l - l0), whose null is a half-and-half mixture of chi-square(0) and chi-square(1), since the parameter that
    tells the two apart lies at its boundary (Chernoff 1954; Self and Liang 1987). The naive p-value is twice as large.
    """
    p = float(half_chi_square_tail(statistic))
    null = "½ χ²(0) + ½ χ²(1), as at a boundary"
    return HypothesisTest(f"lr.{simpler}", f"{family} against {simpler}", statistic, 1.0, p, null)
