"""Where the restarts of a regression begin: moments, the simpler families' solutions, and random labellings.

A zero-inflated likelihood has several maxima, because which zeros are structural can be told in several ways. A random
labelling makes such a way up: it calls some of the zeros structural (the likelier, the further they lie in a random
direction of the covariates), fits the zero part to the labels and the counts to the rest, and starts there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Limit
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.optimise.ending import Ints
from distfit_counts.optimise.minimise import CONVERGED, minimise
from distfit_counts.regression.natural import BERNOULLI
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.row_model import ZEROS, CountModel, bare
from distfit_counts.settings import LEARNING_RATE, MAX_STEPS, TOLERANCE

# Newton steps that a labelling's parts are fitted with: near enough to start from.
_STEPS = 8
# Largest |coefficient| of a start, on the standard scale: labels that are told apart perfectly have no finite fit.
_FARTHEST = 8.0
# Converged starts that are no farther apart, on the standard scale, are at the same maximum.
_SAME = 1e-4
# Standard deviation of the jitter around the moments where there is nothing to label.
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


def random_starts(problem: Problem, count: int, rng: np.random.Generator, first: Array) -> Array:
    """``count`` starts [count, P]."""
    if count == 0:
        return np.zeros((0, len(first)))
    family = problem.model.family if isinstance(problem.model, CountModel) else None
    if isinstance(family, ZeroInflated) and _can_be_labelled(family, problem):
        return _with_structural_zeros(problem, family, count, rng)
    if isinstance(family, Mixture):
        return _with_components(problem, family, count, rng)
    found: Array = first + _SPREAD * rng.standard_normal((count, len(first)))
    return found


def _can_be_labelled(family: ZeroInflated, problem: Problem) -> bool:
    """Whether some of the zeros may be structural and others not."""
    both = bool((problem.y == 0).any() and (problem.y > 0).any())
    return both and bool(family.base.parameters) and family.base.lowest == 0


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
            if bare(head) in ZEROS and head not in limit.carried:
                rare = start.copy()
                rare[problem.slices[head]] = problem.constant(head, -3.0)
                found.append(rare)
    return np.array(found).reshape(len(found), len(first))


def _with_structural_zeros(problem: Problem, family: ZeroInflated, count: int, rng: np.random.Generator) -> Array:
    zero = problem.y == 0
    labels = np.zeros((count, len(zero)))
    matrix = problem.standards["pi"].matrix
    share = rng.uniform(0.1, 0.9, count)
    for i in range(count):
        direction = rng.standard_normal(matrix.shape[1])
        score = matrix[zero] @ direction * rng.exponential(2.0) + rng.logistic(size=int(zero.sum()))
        labels[i, zero] = score > np.quantile(score, 1.0 - share[i])
    gate = _fitted(problem.with_model(BERNOULLI, {"probability": "pi"}), labels, np.tile(problem.weights, (count, 1)))
    counts = problem.with_model(CountModel.of(family.base), {head: head for head in CountModel.of(family.base).heads})
    rest = _fitted(counts, np.tile(problem.y, (count, 1)), problem.weights * (1.0 - labels))
    return np.concatenate([gate, rest], axis=1)


def _with_components(problem: Problem, family: Mixture, count: int, rng: np.random.Generator) -> Array:
    """Rows dealt out to the components along a random direction of the response and the covariates."""
    k, n = len(family.components), len(problem.y)
    rank = np.argsort(np.argsort(problem.y + 1e-6 * rng.random(n))) / n
    matrix = max((s.matrix for s in problem.standards.values()), key=lambda m: m.shape[1])
    own = np.empty((count, n), dtype=np.int64)
    for i in range(count):
        score = 3.0 * rng.standard_normal() * rank + matrix @ (0.5 * rng.standard_normal(matrix.shape[1]))
        score = score + 0.5 * rng.logistic(size=n)
        own[i] = np.searchsorted(np.quantile(score, np.sort(rng.uniform(0.1, 0.9, k - 1))), score)
    found = np.zeros((count, problem.objective.width))
    size = np.stack([(own == j).sum(axis=1) + 1.0 for j in range(k)], axis=1)
    for j, component in enumerate(family.components, start=1):
        if j < k:
            head = f"weight[{j}]"
            unit = problem.constant(head, 1.0)
            found[:, problem.slices[head]] = np.log(size[:, j - 1 : j] / size[:, -1:]) * unit
        if component.parameters:
            model = CountModel.of(component)
            part = problem.with_model(model, {head: f"{head}[{j}]" for head in model.heads})
            weights = problem.weights * np.where(own == j - 1, 1.0, 1e-3)
            fitted = _fitted(part, np.tile(problem.y, (count, 1)), weights)
            for head, where in part.slices.items():
                found[:, problem.slices[f"{head}[{j}]"]] = fitted[:, where]
    return found


def _fitted(problem: Problem, y: Array, weights: Array) -> Array:
    """A few Newton steps of every row of ``y`` and ``weights`` [C, N] from its moments: coefficients [C, P]."""
    first = []
    for own, weight in zip(y, weights, strict=True):
        values, places = np.unique(own, return_inverse=True)
        eta = problem.model.start(values, _counted(places, weight))
        first.append(np.concatenate([problem.constant(h, float(e)) for h, e in zip(problem.heads, eta, strict=True)]))
    objective = problem.weighted(y, weights)
    rows = torch.arange(len(y))
    start = torch.from_numpy(np.array(first))
    found = minimise(objective, start, rows, "newton", TOLERANCE, _STEPS, LEARNING_RATE)
    theta: Array = np.clip(np.nan_to_num(found.theta.numpy()), -_FARTHEST, _FARTHEST)
    return theta


def _counted(places: Ints, weights: Array) -> Array:
    return np.bincount(places, weights).astype(np.float64)
