"""Where the restarts of a regression begin: moments, the simpler families' solutions, and random places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Limit, Role
from distfit_counts.optimise.ending import Ints
from distfit_counts.optimise.minimise import CONVERGED, minimise
from distfit_counts.regression.complete_data import is_mixed
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.short_runs import short_runs
from distfit_counts.settings import LEARNING_RATE, MAX_STEPS, TOLERANCE

# Largest |coefficient| of a start, on the standard scale: what is told apart perfectly has no finite fit.
_FARTHEST = 8.0
# Converged starts that are no farther apart, on the standard scale, are at the same maximum.
_SAME = 1e-4
# Standard deviation of the jitter around the moments where there are no components.
_SPREAD = 0.5


def moments(problem: Problem) -> Array:
    """Coefficients [P] of the model without covariates."""
    values, places = np.unique(problem.y, return_inverse=True)
    eta = problem.model.start(values, _counted(places, problem.weights))
    parts = []
    for head, value in zip(problem.heads, eta, strict=True):
        offset = problem.offsets[head]
        if offset is not None:
            value -= np.log(problem.weights @ np.exp(offset - offset.max()) / problem.n) + offset.max()
        parts.append(problem.constant(head, float(value)))
    return np.concatenate(parts)


def approached(few: Problem, start: Array) -> tuple[Array, Ints]:
    """Where ``start`` [S, P] lead on a ``few`` of the rows: distinct places [D, P], near the end for a fraction of the
    work, and which of them each start has reached [S].

    A start that runs off there stays what it was: what a few rows leave open, all of them may decide.
    """
    rows = torch.zeros(len(start), dtype=torch.int64)
    found = minimise(
        few.objective, torch.from_numpy(start), rows, "newton", TOLERANCE, MAX_STEPS["newton"], LEARNING_RATE
    )
    near = (found.status == CONVERGED) & (found.theta.abs() <= _FARTHEST).all(dim=1)
    theta = np.where(near.numpy()[:, None], found.theta.numpy(), start)
    same = np.abs(theta[:, None] - theta[None]).max(axis=2) < _SAME
    first, place = np.unique(same.argmax(axis=1), return_inverse=True)
    return theta[first], place


def has_components(problem: Problem) -> bool:
    """Whether a count may come from several components."""
    return isinstance(problem.model, CountModel) and is_mixed(problem.model.family)


def random_starts(problem: Problem, count: int, rng: np.random.Generator, first: Array) -> tuple[Array, str]:
    """``count`` starts [count, P], and what they are called."""
    if count and has_components(problem):
        found, runs = short_runs(problem, count, rng)
        return found, f"best of {runs}"
    return first + _SPREAD * rng.standard_normal((count, len(first))), "random"


def nested_starts(problem: Problem, first: Array, nested: Sequence[tuple[Limit, Problem, Array]]) -> Array:
    """Beside the solution of each simpler family [E, P]: its coefficients where both have them, elsewhere the moments'
    (``first``), with few structural zeros and with many.
    """
    found = []
    for limit, simpler, theta in nested:
        start = first.copy()
        for head, own in simpler.slices.items():
            here = next(name for name, other in limit.carried.items() if other == head)
            start[problem.slices[here]] = theta[own]
        found.append(start)
        for head in problem.heads:
            if problem.model.roles[head] is Role.ZEROS and head not in limit.carried:
                rare = start.copy()
                rare[problem.slices[head]] = problem.constant(head, -3.0)
                found.append(rare)
    return np.array(found).reshape(len(found), len(first))


def _counted(places: Ints, weights: Array) -> Array:
    return np.bincount(places, weights).astype(np.float64)
