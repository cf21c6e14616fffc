"""Likelihood-ratio tests of the terms of a regression: each is left out, and all others fitted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distfit_counts.inference.hypotheses.tails import chi_square_tail
from distfit_counts.regression.result import FittedPredictor
from distfit_counts.regression.solve import Solution, best_from
from distfit_counts.regression.standard import Standard
from distfit_counts.result import HypothesisTest
from distfit_counts.settings import FitSettings


def with_likelihood_ratios(own: FittedPredictor, reached: Solution, settings: FitSettings) -> FittedPredictor:
    """Twice what the log-likelihood loses without each term; not of a term that is part of another (x of x:z)."""
    problem = reached.problem
    standard = problem.standards[own.head]
    factors = {term.text: set(term.factors) for term in own.terms.spec.terms}
    tests = []
    for test in own.tests:
        columns = own.terms.by_term[test.term]
        inside = any(factors[test.term] < other for other in factors.values())
        kept = [place for place, j in enumerate(standard.kept) if j not in columns]
        lost = [place for place, j in enumerate(standard.kept) if j in columns]
        if inside or not lost or not kept:
            tests.append(test)
            continue
        smaller = Standard(
            np.asfortranarray(standard.matrix[:, kept]),
            tuple(standard.kept[place] for place in kept),
            standard.back[:, kept],
        )
        here = np.delete(reached.theta[reached.best], [problem.slices[own.head].start + j for j in lost])
        without = best_from(replace(problem, standards=dict(problem.standards) | {own.head: smaller}), here, settings)
        statistic = max(2.0 * (reached.log_likelihood - without), 0.0)
        p = float(chi_square_tail(statistic, len(lost)))
        found = HypothesisTest("lr", test.wald.title, statistic, len(lost), p, "chi-square")
        tests.append(replace(test, likelihood_ratio=found))
    return replace(own, tests=tuple(tests))
