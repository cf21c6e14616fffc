"""The log-likelihood of rows by the definition of their distribution: what is reported is never another number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.problem import Problem


def defined(problem: Problem, etas: Mapping[str, Array]) -> float:
    """Sum over rows of weight times log P(Y = y), by the distribution's own log-pmf, at the predictors [N] of every
    head.
    """
    with torch.no_grad():
        listed = [torch.from_numpy(np.ascontiguousarray(etas[head])) for head in problem.heads]
        log_prob = problem.model.log_prob(listed, torch.from_numpy(problem.y)).numpy()
    return float(np.where(problem.weights > 0.0, problem.weights * log_prob, 0.0).sum())
