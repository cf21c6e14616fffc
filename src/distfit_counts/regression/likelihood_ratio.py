"""Likelihood-ratio tests of the terms of a regression: each is left out, and all others fitted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.hypotheses.tails import chi_square_tail
from distfit_counts.regression.result import FittedPredictor
from distfit_counts.regression.solve import Solution, best_from
from distfit_counts.regression.standard import Standard
from distfit_counts.result import HypothesisTest
from distfit_counts.settings import FitSettings


def with_likelihood_ratios(
    own: FittedPredictor, raw: Array, reached: Solution, log_likelihood: float, settings: FitSettings
) -> FittedPredictor:
    """Twice what the ``log_likelihood`` loses without each term; not of a term that is part of another (x of x:z).

    ``raw`` [N, p]: the columns of the predictor.
    """
    problem = reached.problem
    standard, where = problem.standards[own.head], problem.slices[own.head]
    eta = standard.matrix @ reached.theta[reached.best][where]
    factors = {term.text: set(term.factors) for term in own.terms.spec.terms}
    tests = []
    for test in own.tests:
        columns = own.terms.by_term[test.term]
        inside = any(factors[test.term] < other for other in factors.values())
        kept = [j for j in standard.kept if j not in columns]
        df = len(standard.kept) - len(kept)
        if inside or not df or not kept:
            tests.append(test)
            continue
        smaller = Standard.of(raw[:, kept], problem.weights)
        # As near to the predictor as it can come without the term.
        near = np.linalg.lstsq(smaller.matrix, eta, rcond=None)[0]
        theta = reached.theta[reached.best]
        here = np.concatenate([theta[: where.start], near, theta[where.stop :]])
        without = best_from(replace(problem, standards=dict(problem.standards) | {own.head: smaller}), here, settings)
        statistic = max(2.0 * (log_likelihood - without), 0.0)
        p = float(chi_square_tail(statistic, df))
        found = HypothesisTest("lr", test.wald.title, statistic, df, p, "chi-square")
        tests.append(replace(test, likelihood_ratio=found))
    return replace(own, tests=tuple(tests))
