"""How many components: the likelihood ratio with a simulated null."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.family import Family
from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.inference.goodness.edf import monte_carlo_p
from distfit_counts.inference.replicates import pieces, refit, simulated, warm_values
from distfit_counts.optimise.solve import Solution
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import HypothesisTest
from distfit_counts.settings import FitSettings


@one_thread()
def bootstrap_lrt(smaller: Judgement, larger: Judgement, row: int, settings: FitSettings) -> HypothesisTest:
    """2 (l_larger - l_smaller) against its distribution over samples simulated from the smaller fit, to which both
    families are fitted (McLachlan 1987, Applied Statistics 36).

    A component that is not there has no parameters: no chi-square distribution holds.
    """
    small, large = smaller.solution.family, larger.solution.family
    n = int(larger.solution.batch.n[row])
    statistic = 2.0 * n * max(float(smaller.solution.supremum[row] - larger.solution.supremum[row]), 0.0)
    model, values = smaller.reduced(row)
    warm = warm_values(larger.solution, row) | warm_values(smaller.solution, row)
    rng = np.random.default_rng([settings.seed, 3])
    found = []
    for size in pieces(settings.replicates, int(smaller.solution.batch.k.shape[1])):
        batch = simulated(model, values, n, size, rng)
        known: dict[Family, Solution] = {}
        null_fit = refit(small, batch, warm, settings, known)
        fit = refit(large, batch, warm, settings, known)
        found.append(2.0 * n * np.maximum(null_fit.supremum - fit.supremum, 0.0))
    p = monte_carlo_p(statistic, np.concatenate(found))
    null = f"{settings.replicates} samples simulated from {small.spec}, both refitted"
    title = f"{large.spec} against {small.spec}"
    return HypothesisTest(f"bootstrap_lr.{small.spec}", title, statistic, float("nan"), p, null)
