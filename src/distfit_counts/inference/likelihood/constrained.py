"""The best fit of all other parameters where one is held fixed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.minimise import minimise
from distfit_counts.optimise.pinned import Pinned, Place
from distfit_counts.optimise.problem import Objective
from distfit_counts.optimise.solve import Solution
from distfit_counts.settings import MAX_STEPS, TOLERANCE

Rows = npt.NDArray[np.int64]


class Constrained:
    """Fits of a solution's columns with the parameter at ``place`` pinned."""

    def __init__(self, solution: Solution, place: Place) -> None:
        family = solution.family
        self.solution, self.place = solution, place
        self.objective = Objective(family, solution.batch, solution.scale)
        bounds = np.array([p.constraint.start_range for p in family.parameters for _ in range(p.free)])
        self.bounds = np.delete(bounds, place.first + min(place.own, place.free - 1), axis=0).T

    def deviance(self, pinned: Array, columns: Rows, start: Array) -> tuple[Array, Array]:
        """2 (l_max - l) [A] of ``columns`` [A] at ``pinned`` [A], and the free coordinates there [A, P - 1], begun at
        ``start`` [A, P - 1].
        """
        import torch

        # A solution far out at a boundary does not feel that, with this value, the maximum has come inside.
        theta = torch.from_numpy(np.clip(start, *self.bounds))
        index = torch.arange(len(theta))
        objective = Pinned(self.objective, self.place, torch.from_numpy(pinned), torch.from_numpy(columns))
        if theta.shape[1]:
            minimum = minimise(objective, theta, index, "newton", TOLERANCE, MAX_STEPS["newton"], 1.0)
            theta, value = minimum.theta, minimum.point.value
        else:
            value = objective.value(theta, index)
        rise = np.maximum(np.nan_to_num(value.numpy(), nan=np.inf) - self.solution.supremum[columns], 0.0)
        found: Array = 2.0 * self.solution.batch.n[columns] * rise
        return found, theta.numpy()
