"""Covariances of the coefficients, on the standard scale, and which directions the data do not determine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.ending import Ints
from distfit_counts.regression.recession import Recession
from distfit_counts.regression.solve import Solution

# Eigenvalues below this share of the largest, at a unit diagonal, are rounding.
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class Information:
    """The observed information (minus the Hessian of the log-likelihood) at the supremum.

    ``inverse`` [P, P] over the directions that the data determine; ``flat`` [P, m] directions in which the likelihood
    is flat at its maximum without being so all the way.
    """

    inverse: Array
    flat: Array

    @classmethod
    def of(cls, recession: Recession) -> Information:
        solution, free = recession.solution, recession.free
        total = free.T @ solution.hessian @ free * solution.problem.n
        # Coordinates of curvature one: the eigenvalues of a covariate and of a size are then comparable.
        diagonal = np.diag(total)
        unit = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        values, vectors = np.linalg.eigh(total / (unit[:, None] * unit[None, :]))
        directions = free @ (vectors / unit[:, None])
        known = values > _ROUNDING * max(values.max(initial=0.0), 0.0)
        inverse = (directions[:, known] / values[known]) @ directions[:, known].T
        return cls(inverse, directions[:, ~known])


def scores(solution: Solution) -> Array:
    """Derivatives [N, P] of every row's log-likelihood by the coefficients, rows weighted."""
    objective = solution.problem.objective
    theta = torch.from_numpy(solution.theta[solution.best][None])
    rows = objective.rows(theta, torch.zeros(1, dtype=torch.int64))
    parts = [
        slope[0].numpy()[:, None] * matrix.numpy() for slope, matrix in zip(rows.slope, objective.matrices, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def sandwich(solution: Solution, information: Information, correction: str, groups: Ints | None = None) -> Array:
    """The robust covariance (White 1980; Liang and Zeger 1986 for clusters) on the standard scale.

    ``groups`` [N], numbered from 0; without them every row is a cluster of its own. ``correction``: see
    ``small_sample``.
    """
    own, weights = scores(solution), solution.problem.weights
    n, p = solution.problem.n, own.shape[1]
    if groups is None:
        clusters, meat = n, (own * weights[:, None]).T @ own
    else:
        summed = np.zeros((int(groups.max()) + 1, p))
        np.add.at(summed, groups, own * weights[:, None])
        clusters, meat = float(len(summed)), summed.T @ summed
    result: Array = information.inverse @ meat @ information.inverse * small_sample(correction, clusters, n, p)
    return result


def small_sample(correction: str, clusters: float, n: float, p: int) -> float:
    """What a robust covariance is multiplied by: G/(G - 1) x (n - 1)/(n - p) if ``full``, G/(G - 1) if ``clusters``,
    1 if ``none``; G the number of clusters, without any that of the rows. NaN where it is infinite.
    """
    factor = 1.0 if correction == "none" else clusters / (clusters - 1.0) if clusters > 1.0 else float("nan")
    if correction != "full":
        return factor
    return factor * (n - 1.0) / (n - p) if n > p else float("nan")
