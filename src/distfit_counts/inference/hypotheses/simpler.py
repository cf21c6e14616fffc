"""Tests of a fit against the simpler families that it contains, and of the Poisson against what it leaves out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Limit
from distfit_counts.families.poisson import Poisson
from distfit_counts.inference.hypotheses.dispersion import cameron_trivedi, dean_lawless
from distfit_counts.inference.hypotheses.tails import half_chi_square_tail
from distfit_counts.inference.hypotheses.tested import Tested
from distfit_counts.inference.hypotheses.zero_excess import van_den_broek
from distfit_counts.inference.observed import Observed
from distfit_counts.optimise.solve import Solution


def tests_of(solution: Solution, rows: npt.NDArray[np.int64], counts: Observed) -> list[Tested]:
    """Likelihood ratios against each simpler family one parameter away; score tests of the Poisson.

    Of the columns ``rows`` [C] of the solution, whose counts are ``counts``.
    """
    if solution.family == Poisson():
        return [dean_lawless(counts), cameron_trivedi(counts), van_den_broek(counts)]
    found = []
    for limit, inner in solution.nested:
        if not regular(limit):
            continue
        with np.errstate(invalid="ignore"):
            statistic = 2.0 * counts.n * (inner.supremum[rows] - solution.supremum[rows])
        found.append(likelihood_ratio(solution.family.spec, limit.family.plain().spec, statistic))
    return found


def regular(limit: Limit) -> bool:
    """Whether exactly one parameter is at its boundary there, and all the others keep their meaning.

    Where others vanish with it (a component without weight has no rate) the likelihood ratio has no simple null
    distribution: it must be simulated.
    """
    return len(limit.fixed) == 1 and not any(math.isnan(value) for value in limit.fixed.values())


def likelihood_ratio(family: str, simpler: str, statistic: Array) -> Tested:
    """2 (l - l0), whose null is a half-and-half mixture of chi-square(0) and chi-square(1), since the parameter that
    tells the two apart lies at its boundary (Chernoff 1954; Self and Liang 1987). The naive p-value is twice as large.

    Where the simpler family cannot produce the counts ``statistic`` [C] is infinite, and there is nothing to test.
    """
    made = np.isfinite(statistic)
    statistic = np.where(made, np.maximum(statistic, 0.0), np.nan)
    p = np.asarray(half_chi_square_tail(statistic))
    null = "½ χ²(0) + ½ χ²(1), as at a boundary"
    one = np.ones(len(statistic))
    return Tested(f"lr.{simpler}", f"{family} against {simpler}", statistic, one, p, lambda _: null, made)
