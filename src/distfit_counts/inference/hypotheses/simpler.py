"""Tests of a fit against the simpler families that it contains, and of the Poisson against what it leaves out."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family, Limit
from distfit_counts.families.poisson import Poisson
from distfit_counts.inference.hypotheses.dispersion import cameron_trivedi, dean_lawless
from distfit_counts.inference.hypotheses.tails import half_chi_square_tail
from distfit_counts.inference.hypotheses.tested import Tested
from distfit_counts.inference.hypotheses.zero_excess import van_den_broek
from distfit_counts.inference.observed import Observed
from distfit_counts.inference.selection.criteria import bic
from distfit_counts.optimise.solve import Solution


def tests_of(solution: Solution, rows: npt.NDArray[np.int64], counts: Observed) -> list[Tested]:
    """Likelihood ratios against each simpler family one parameter away that is not itself a simpler one; score tests
    of the Poisson.

    Of the columns ``rows`` [C] of the solution, whose counts are ``counts``.
    """
    if solution.family == Poisson():
        return [dean_lawless(counts), cameron_trivedi(counts), van_den_broek(counts)]
    found = []
    for limit, inner in solution.nested:
        if not regular(solution.family, limit):
            continue
        with np.errstate(invalid="ignore"):
            statistic = 2.0 * counts.n * (inner.supremum[rows] - solution.supremum[rows])
        statistic = np.where(needed(inner)[rows], statistic, np.nan)
        found.append(likelihood_ratio(solution.family.spec, limit.family.plain().spec, statistic))
    return found


def needed(solution: Solution) -> npt.NDArray[np.bool_]:
    """For which columns [C] the family's own BIC is below that of every family that it becomes at a boundary.

    Only there may its fit be the null of a test: the half-and-half mixture asks for a truth inside the family's own
    range. If the counts are Poisson, a zip is a Poisson too, and 2*poisson against it tests two components against one.
    That the zip's own estimate lies inside is not enough (it does on half of all Poisson samples). BIC is consistent:
    tests that should have been made and are not, and those that should not have been, vanish with n.
    """
    return np.asarray(_own_bic(solution) <= _lowest_bic(solution))


def _own_bic(solution: Solution) -> Array:
    n = solution.batch.n
    return bic(-n * solution.supremum, solution.family.n_parameters, n)


def _lowest_bic(solution: Solution) -> Array:
    lowest = _own_bic(solution)
    for _, inner in solution.nested:
        lowest = np.minimum(lowest, _lowest_bic(inner))
    return lowest


def regular(family: Family, limit: Limit) -> bool:
    """Whether exactly one parameter of ``family`` is at its boundary there, all the others keep their meaning, and it
    is known which parameter that is.

    Where others vanish with it (a component without weight has no rate) the likelihood ratio has no simple null
    distribution: it must be simulated. So too where the component at its boundary is then like another (2*poisson in
    poisson+nb): either may be the one that leaves it, and the statistic is the larger of two.
    """
    one = len(limit.fixed) == 1 and not any(math.isnan(value) for value in limit.fixed.values())
    before, after = _parts(family), _parts(limit.family)
    return one and not any(number > 1 and number > before[part] for part, number in after.items())


def _parts(family: Family) -> Counter[Family]:
    """How many components of each family there are; the values do not matter to that."""
    return Counter(part for _, part, _ in family.parts(dict.fromkeys(family.names, 0.5)))


def likelihood_ratio(family: str, simpler: str, statistic: Array) -> Tested:
    """2 (l - l0), whose null is a half-and-half mixture of chi-square(0) and chi-square(1), since the parameter that
    tells the two apart lies at its boundary (Chernoff 1954; Self and Liang 1987). The naive p-value is twice as large.

    Where the simpler family cannot produce the counts ``statistic`` [C] is infinite, where it is no null of a test NaN:
    no test is made.
    """
    made = np.isfinite(statistic)
    statistic = np.where(made, np.maximum(statistic, 0.0), np.nan)
    p = np.asarray(half_chi_square_tail(statistic))
    null = "½ χ²(0) + ½ χ²(1), as at a boundary"
    one = np.ones(len(statistic))
    return Tested(f"lr.{simpler}", f"{family} against {simpler}", statistic, one, p, lambda _: null, made)
