"""Where the restarts of a mixture's regression begin: each at the best end of many short runs (Biernacki, Celeux and
Govaert 2003).

A likelihood of several components has many maxima, because which count is of which component can be told in many ways.
A run begins with one of them: every row a member of a random component, by the rank of its response, by its distance
from a random regression, by which of a few lines it is nearest to, or by chance; of the zeros some are structural, by a
random direction of the covariates, by cells, or by chance. The clusters' regressions are fitted, and then followed
uphill by EM, where the exact Hessian would mislead; those that fall behind are given up early.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.optimise.ending import Ints
from distfit_counts.optimise.minimise import Differentiable, minimise
from distfit_counts.regression.complete_data import CompleteData, Component
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.row_model import CountModel
from distfit_counts.settings import LEARNING_RATE, TOLERANCE

# Rows that runs begin on, and rows times runs: what takes about as long as the restarts that follow.
_ROWS, _ELEMENTS = 1_000, 1 << 15
# How many such samples, where there are more rows.
_SAMPLES = 3
# Runs for each restart, at least and at most.
_FEWEST, _MOST = 8, 32
# Steps of the clusters' regressions, and of EM, which tells late which of two maxima is higher; and of Newton after
# them, on all rows, with as many of a restart's runs as take about as long.
_APART, _TOGETHER, _NEWTON = 6, 14, 8
_FINALISTS, _FINAL_ELEMENTS = (2, 6), 1 << 17
# Zeros towards which corners without a positive count are looked for, at most; and how far directions are turned.
_CORNERS, _TURNED = 500, 0.5
# Membership in the components that a row is not dealt to.
_LITTLE = 1e-3


def short_runs(problem: Problem, count: int, rng: np.random.Generator) -> tuple[Array, int]:
    """``count`` starts [count, P], and of how many runs each is the best."""
    # A few rows may hide a maximum: others will not.
    samples = min(-(-len(problem.y) // _ROWS), _SAMPLES, count)
    rows = min(len(problem.y), _ROWS)
    each = int(np.clip(_ELEMENTS // (rows * count), _FEWEST, _MOST))
    parts = [count * (i + 1) // samples - count * i // samples for i in range(samples)]
    left = int(np.clip(_FINAL_ELEMENTS // (len(problem.y) * count), *_FINALISTS))
    begun = torch.cat([_begun(problem.sample(_ROWS, rng), part, each, left, rng) for part in parts])
    return _risen(problem.objective, begun, _NEWTON, 1)[:, 0].numpy(), each


def _begun(few: Problem, count: int, each: int, left: int, rng: np.random.Generator) -> Tensor:
    """Of so many runs for ``each`` of ``count`` starts the best, [count, left, P]."""
    data = CompleteData(few)
    given = memberships(data, count * each, rng)
    theta = torch.from_numpy(first_regressions(data, given))
    runs = torch.arange(len(given))
    theta = minimise(CompleteData(few, given), theta, runs, "newton", TOLERANCE, _APART, LEARNING_RATE).theta
    return _risen(data, theta.nan_to_num().reshape(count, each, -1), _TOGETHER, left)


def _risen(objective: Differentiable, theta: Tensor, steps: int, left: int) -> Tensor:
    """``theta`` [S, R, P] after so many steps, the best of the R runs of every start."""
    starts, runs, _ = theta.shape
    rows = torch.zeros(starts * runs, dtype=torch.int64)
    found = minimise(objective, theta.flatten(0, 1), rows, "newton", TOLERANCE, steps, LEARNING_RATE)
    value = found.point.value.nan_to_num(nan=torch.inf).reshape(starts, runs)
    order = value.argsort(dim=1, stable=True)[:, :left]
    return found.theta.reshape(theta.shape).gather(1, order[:, :, None].expand(-1, -1, theta.shape[2]))


def first_regressions(data: CompleteData, given: Array) -> Array:
    """Coefficients [M, P] without covariates, from the moments of each component's members ``given`` [M, J, N]."""
    problem = data.problem
    theta = np.zeros((len(given), problem.objective.width))
    weights = given * problem.weights
    for j, component in enumerate(data.components):
        if component.problem is not None:
            for head, eta in _moments(component, component.problem, weights[:, j]).items():
                theta[:, problem.slices[head]] = eta[:, None] * problem.constant(head, 1.0)
    for gate in data.gates:
        members = [weights[:, list(part)].sum(axis=(1, 2)) + 0.1 for part in gate.parts]
        for head, own in zip(gate.heads, members[:-1], strict=True):
            theta[:, problem.slices[head]] = np.log(own / members[-1])[:, None] * problem.constant(head, 1.0)
    return theta


def _moments(component: Component, problem: Problem, weights: Array) -> dict[str, Array]:
    """Predictors [M] without covariates, by head of the whole model; ``weights`` [M, N]."""
    assert isinstance(problem.model, CountModel)
    values, places = np.unique(problem.y, return_inverse=True)
    counted = np.zeros((len(weights), len(values)))
    np.add.at(counted.T, places, weights.T)
    found = {}
    for own, eta in zip(problem.heads, np.stack([problem.model.start(values, w) for w in counted]).T, strict=True):
        offset = problem.offsets[own]
        if offset is not None:
            high = offset.max()
            eta = eta - np.log(weights @ np.exp(offset - high) / weights.sum(axis=1)) - high
        found[component.heads[own]] = np.nan_to_num(eta)
    return found


def memberships(data: CompleteData, count: int, rng: np.random.Generator) -> Array:
    """[count, J, N]: nearly all of a row's weight with one component."""
    problem, n = data.problem, len(data.problem.y)
    zeros = [j for j, own in enumerate(data.components) if own.problem is None]
    others = [j for j, own in enumerate(data.components) if own.problem is not None]
    possible = np.stack([~own.impossible.numpy() for own in data.components])
    dealt = _Dealt(problem, len(others), rng)
    found = np.full((count, len(data.components), n), _LITTLE)
    for i in range(count):
        own = np.array(others)[dealt(i)] if len(others) > 1 else np.full(n, others[0])
        if zeros:
            own = np.where(dealt.structural(i // len(dealt.kinds)), zeros[0], own)
        found[i, own, np.arange(n)] = 1.0
    found *= possible
    shares: Array = found / found.sum(axis=1, keepdims=True)
    return shares


class _Dealt:
    """Deals the rows of ``problem`` to so many ``components`` [N], every time in another way."""

    def __init__(self, problem: Problem, components: int, rng: np.random.Generator) -> None:
        self._rng, self._k, self._n = rng, components, len(problem.y)
        located = [head for head in problem.heads if problem.model.roles[head] is Role.LOCATION] or list(problem.heads)
        widest = max(located, key=lambda head: problem.standards[head].matrix.shape[1])
        self._x, offset = problem.standards[widest].matrix, problem.offsets[widest]
        gates = [head for head in problem.heads if problem.model.roles[head] is Role.ZEROS]
        self._z = problem.standards[gates[0]].matrix if gates else self._x
        added = np.zeros(self._n) if offset is None else offset
        self._log, root = np.log1p(problem.y) - added, np.sqrt(problem.weights)
        fitted = self._x @ np.linalg.lstsq(self._x * root[:, None], self._log * root, rcond=None)[0]
        self._expected = problem.weights * np.exp(np.clip(fitted + added, -10.0, 10.0))
        self._rest = self._log - fitted
        self._rest /= max(float(self._rest.std()), 1e-9)
        self._rank = np.argsort(np.argsort(problem.y + 1e-6 * rng.random(self._n))) / self._n
        self._zero = problem.y == 0
        self.kinds: tuple[Callable[[], Ints], ...] = (
            self._by_lines,
            self._by_distance,
            self._by_rank,
            self._by_chance,
            self._by_few,
        )

    def __call__(self, i: int) -> Ints:
        return self.kinds[i % len(self.kinds)]()

    def _by_lines(self) -> Ints:
        """To the nearest of the regressions of as few rows as there are coefficients, drawn at random."""
        size = min(self._x.shape[1] + 1, self._n)
        lines = []
        for _ in range(self._k):
            rows = self._rng.choice(self._n, size, replace=False)
            lines.append(np.linalg.lstsq(self._x[rows], self._log[rows], rcond=None)[0])
        near: Ints = np.abs(self._log - np.stack(lines) @ self._x.T).argmin(axis=0)
        return near

    def _by_distance(self) -> Ints:
        """By the distance from the regression of all, turned at random."""
        return self._cut(self._rest + self._direction(0.7))

    def _by_rank(self) -> Ints:
        """By the rank of the response, turned at random."""
        score = 3.0 * self._rng.standard_normal() * self._rank + self._direction(0.3)
        return self._cut(score + 0.5 * self._rng.logistic(size=self._n))

    def _by_chance(self) -> Ints:
        own: Ints = self._rng.choice(self._k, self._n, p=self._rng.dirichlet(np.full(self._k, 3.0)))
        return own

    def _by_few(self) -> Ints:
        """By the distance from a line through few rows."""
        rows = self._rng.choice(self._n, min(self._x.shape[1] + 1, self._n), replace=False)
        line = np.linalg.lstsq(self._x[rows], self._log[rows], rcond=None)[0]
        return self._cut(self._rng.choice([-1.0, 1.0]) * np.abs(self._log - self._x @ line))

    def structural(self, i: int) -> npt.NDArray[np.bool_]:
        """Which zeros are structural [N]: by chance, the likelier the further in a direction of the covariates, or all
        that lie beyond the positive counts in a direction.
        """
        zero, kind = self._zero, i % 3
        if not zero.any():
            return np.zeros(self._n, dtype=bool)
        sets, gain = self._corners
        if kind == 2 and len(sets):
            corner: npt.NDArray[np.bool_] = sets[self._rng.choice(len(sets), p=gain)]
            return corner
        share = self._rng.uniform(0.1, 0.9)
        score = self._rng.logistic(size=self._n)
        if kind == 1:
            score += self._z @ self._rng.standard_normal(self._z.shape[1]) * self._rng.exponential(2.0)
        chosen: npt.NDArray[np.bool_] = zero & (score > np.quantile(score[zero], 1.0 - share))
        return chosen

    @cached_property
    def _corners(self) -> tuple[npt.NDArray[np.bool_], Array]:
        """Sets of zeros beyond all positive counts [S, N], and what calling each structural gains, as shares.

        A zero costs about its mean, so that a few where many were expected gain most. The directions are towards each
        zero, in the metric in which the rows scatter alike, these turned a little, and random ones.
        """
        rows = np.flatnonzero(self._zero)
        if len(rows) == self._n:
            return np.zeros((0, self._n), dtype=bool), np.zeros(0)
        centred = self._z - self._z.mean(axis=0)
        metric = np.linalg.pinv(centred.T @ centred, rcond=1e-10, hermitian=True)
        towards = metric @ centred[self._rng.permutation(rows)[:_CORNERS]].T
        noise = towards.std(axis=1, keepdims=True) * self._rng.standard_normal((2, *towards.shape))
        score = centred @ np.concatenate([towards, towards + _TURNED * noise[0], noise[1]], axis=1)
        farthest = score[~self._zero].max(axis=0) + 1e-9 * np.abs(score).max(axis=0)
        beyond = self._zero[:, None] & (score > farthest)
        sets = np.unique(beyond[:, beyond.any(axis=0)].T, axis=0)
        gain = sets @ self._expected
        return sets, gain / gain.sum()

    def _direction(self, spread: float) -> Array:
        turned: Array = self._x @ self._rng.standard_normal(self._x.shape[1]) * self._rng.exponential(spread)
        return turned

    def _cut(self, score: Array) -> Ints:
        ends = np.quantile(score, np.sort(self._rng.uniform(0.05, 0.95, self._k - 1)))
        return np.searchsorted(ends, score)
