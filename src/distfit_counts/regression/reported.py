"""Whether the log-likelihood that a search reached is that of the coefficients as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.ending import differs
from distfit_counts.optimise.minimise import INCONSISTENT
from distfit_counts.regression.definition import defined
from distfit_counts.regression.design import Predictor
from distfit_counts.regression.solve import Solution

# Roundings that a predictor of several terms adds up.
_ROUNDINGS = 8.0 * np.finfo(np.float64).eps


def reported(solution: Solution, predictors: Mapping[str, Predictor], beta: Mapping[str, Array]) -> Solution:
    """``solution`` itself, or with the status of an error of ours and the log-likelihood of ``beta``, which are the
    coefficients of the model reached on the covariates' own scale, by head.
    """
    reached = solution.reached
    etas = {head: _predictor(predictors[head], beta[head]) for head in reached.problem.heads}
    told = defined(reached.problem, etas)
    found = np.array([solution.log_likelihood])
    if not differs(found, np.array([told]))[0]:
        return solution
    if not differs(found, np.array([told]), _rounding(reached, predictors, beta))[0]:
        return solution
    value, status = reached.value.copy(), reached.status.copy()
    value[reached.best], status[reached.best] = -told / reached.problem.n, INCONSISTENT
    return solution.with_reached(replace(reached, value=value, status=status))


def _predictor(own: Predictor, beta: Array) -> Array:
    eta: Array = own.matrix @ beta
    return eta if own.offset is None else eta + own.offset


def _rounding(reached: Solution, predictors: Mapping[str, Predictor], beta: Mapping[str, Array]) -> float:
    """What the rounding of coefficients that nearly cancel may do to the log-likelihood."""
    theta = torch.from_numpy(reached.theta[reached.best][None])
    slopes = reached.problem.objective.rows(theta, torch.zeros(1, dtype=torch.int64)).slope
    total = 0.0
    for head, slope in zip(reached.problem.heads, slopes, strict=True):
        own = predictors[head]
        size = np.abs(own.matrix) @ np.abs(beta[head]) + (0.0 if own.offset is None else np.abs(own.offset))
        total += float(reached.problem.weights @ (np.abs(slope[0].numpy()) * size))
    return _ROUNDINGS * total
