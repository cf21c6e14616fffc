"""Coefficients that run to infinity: directions along which the likelihood never falls, and the fit in their limit.

A direction d moves the predictor of row i by x_i'd. What a row allows is seen from its own likelihood at both ends of
its predictor: a Poisson count of 0 lets it fall, a count above 0 lets it stay, a level lets its own logit rise. So d
solves linear equations and inequalities, one a row, and a linear programme finds one that moves every row that can be
moved (Konis 2007; Geyer 2009; Correia, Guimarães and Zylkin 2019). Where there is none the estimates are finite,
however flat the likelihood. Rows that are settled are then put at their end, and the others fitted on: their
coefficients, errors and likelihood are those of the limit itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.ending import finished
from distfit_counts.optimise.minimise import minimise
from distfit_counts.regression.directions import RANK, complement, null_space
from distfit_counts.regression.link import SOFTPLUS, Link
from distfit_counts.regression.natural import Categorical, Gaussian
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.separating import Cone
from distfit_counts.regression.solve import Solution
from distfit_counts.settings import BOUNDARY_MARGIN, LEARNING_RATE, MAX_STEPS, FitSettings

Bools = npt.NDArray[np.bool_]
# How far a predictor is moved to be at its end: exp(-50) is 2e-22, and its square can still be divided by. A softplus
# is at its upper end only where its value is.
_END, _SOFTPLUS_END = 50.0, 1e12
# Log-likelihood units that a row may lose at an end and is still said to allow it: the rounding of a sum, and what is
# left of an exponential tail where Newton stops.
_NOTHING = 1e-8
# Log-likelihood units that a row has left at most on its way to an end, where Newton has converged.
_NEAR = 1e-3
# Rounds in which what one predictor settles may open another.
_ROUNDS = 4
# A standard error, on the standard scale, from which on it is worth trying whether the likelihood falls at all.
_WIDE = 100.0
# Of 1: rows that a direction of the Hessian moves less are not moved; and how much of it must be a parameter's own.
_HARDLY, _OWN = 1e-3, 0.1


@dataclass(frozen=True, eq=False)
class Recession:
    """``solution``: the supremum, rows that are settled being at their end. ``unbounded`` [P, m]: directions of
    recession; ``unidentified`` [P, k]: directions of which the data say nothing. Both on the standard scale, each
    within the coefficients of one parameter (of all levels of a categorical response), and none where the maximum is a
    point.
    """

    solution: Solution
    unbounded: Array
    unidentified: Array

    @property
    def free(self) -> Array:
        """An orthonormal basis [P, P - l] of the directions that are left."""
        return complement(np.concatenate([self.unbounded, self.unidentified], axis=1))

    @property
    def dimension(self) -> int:
        """How many of the P coordinates have no value."""
        return int(len(self.unbounded) - self.free.shape[1])

    @classmethod
    def of(cls, solution: Solution, settings: FitSettings) -> Recession:
        """``solution``: of the model that was reached."""
        if isinstance(solution.problem.model, Gaussian):
            width = solution.problem.objective.width
            return cls(solution, np.zeros((width, 0)), np.zeros((width, 0)))
        return _Limit(solution, settings).found()


class _Limit:
    """The limit of one solution: ``cones`` by the place of their coefficients, ``shifts`` [N] by head."""

    def __init__(self, solution: Solution, settings: FitSettings) -> None:
        self.began, self.settings = solution, settings
        self.now = solution
        self.cones: dict[tuple[int, int], Cone] = {}
        self.shifts: dict[tuple[int, int], dict[str, Array]] = {}

    def found(self) -> Recession:
        for _ in range(_ROUNDS):
            if not any([self._settle(heads) for heads in _blocks(self.began.problem)]):
                break
        for head in self.began.problem.heads:
            self._try_wide(head)
        width = self.began.problem.objective.width
        unbounded, unidentified = [np.zeros((width, 0))], [np.zeros((width, 0))]
        for (start, stop), cone in self.cones.items():
            for own, all_of in ((cone.unbounded, unbounded), (cone.unidentified, unidentified)):
                padded = np.zeros((width, own.shape[1]))
                padded[start:stop] = own
                all_of.append(padded)
        joined = (self._in_units_of_rows(np.concatenate(own, axis=1)) for own in (unbounded, unidentified))
        return Recession(self.now, *joined)

    def _in_units_of_rows(self, directions: Array) -> Array:
        """Such that each moves no predictor by more than 1."""
        problem = self.began.problem
        reach = [
            np.abs(problem.standards[head].matrix @ directions[problem.slices[head]]).max(axis=0, initial=0.0)
            for head in problem.heads
        ]
        farthest = np.max(reach, axis=0)
        return np.asarray(directions[:, farthest > 0.0] / farthest[farthest > 0.0])

    def _settle(self, heads: Sequence[str]) -> bool:
        """Look for the cone of ``heads`` beside what is settled of the others; whether anything has changed."""
        problem = self.began.problem
        place = _place(problem, heads)
        rank = max(RANK, 10.0 * np.finfo(float).eps * max(problem.standards[head].condition for head in heads))
        cone = self._cone(heads, rank)
        known = self.cones.get(place)
        if cone is None or (known is not None and _size(cone) <= _size(known)):
            return False
        if not cone.unbounded.shape[1]:
            self.cones[place] = cone
            return True
        return self._accept(place, cone, _shift(problem, heads, cone.unbounded[:, 0], _etas(problem, self.now)))

    def _accept(self, place: tuple[int, int], cone: Cone, shift: dict[str, Array]) -> bool:
        """Take ``cone`` if the likelihood at its end is no lower than what was reached."""
        ended = self._ended(self.shifts | {place: shift})
        if ended is None:
            return False
        self.cones[place], self.shifts[place], self.now = cone, shift, ended
        return True

    def _ended(self, shifts: dict[tuple[int, int], dict[str, Array]]) -> Solution | None:
        """The maximum with ``shifts``; None where it is lower than without."""
        problem = _shifted(self.began.problem, shifts.values())
        theta = torch.from_numpy(self.now.theta[self.now.best][None])
        row, n = torch.zeros(1, dtype=torch.int64), np.array([problem.n])
        before = self.now.log_likelihood
        first = -float(problem.objective(theta, row, hessian=False).value[0]) * problem.n
        # What falls by so much falls.
        if not first >= before - 1.0:
            return None
        steps = self.settings.max_steps or MAX_STEPS["newton"]
        found = minimise(
            problem.objective, theta, row, "newton", self.settings.tolerance, steps, LEARNING_RATE, False, None
        )
        ending = finished(found, problem.objective, row, n, self.settings)
        solution = replace(
            self.now,
            problem=problem,
            theta=found.theta.numpy(),
            value=ending.value[0],
            gradient_norm=ending.gradient_norm[0],
            status=ending.status[0],
            best=0,
            hessian=ending.hessian[0],
        )
        margin = BOUNDARY_MARGIN + 1e-12 * abs(before)
        return solution if solution.log_likelihood >= before - margin else None

    def _cone(self, heads: Sequence[str], rank: float) -> Cone | None:
        problem = self.began.problem
        others = [own for place, own in self.shifts.items() if place != _place(problem, heads)]
        etas = _etas(_shifted(problem, others), self.now)
        seen = problem.weights > 0.0
        back = _back(problem, heads)
        if isinstance(problem.model, Categorical):
            rows = _pairs(problem, seen)
            up = np.ones(len(rows), dtype=bool)
            return Cone.of(rows, up, ~up, back, rank)
        (head,) = heads
        matrix = problem.standards[head].matrix
        fall, rise = _gains(problem, etas, head)
        up, down, near = rise >= -_NOTHING, fall >= -_NOTHING, np.maximum(fall, rise) <= _NEAR
        if not seen.all():
            matrix, up, down, near = matrix[seen], up[seen], down[seen], near[seen]
        # Where Newton has arrived, what runs off has nearly arrived too: a direction in which a row could still gain
        # would have been taken. Most often too few rows are left for any.
        if self.began.converged:
            up, down = up & near, down & near
        return Cone.of(matrix, up, down, back, rank)

    def _try_wide(self, head: str) -> None:
        """Take the direction in which the coefficients of ``head`` have gone off if the likelihood does not fall in its
        limit: rows that would lose there may be outweighed by others, as where a size grows for a group.
        """
        problem = self.began.problem
        place = _place(problem, [head])
        known = self.cones.get(place, Cone(*(np.zeros((place[1] - place[0], 0)),) * 2))
        matrix = problem.standards[head].matrix[problem.weights > 0.0]
        own, lengths, _ = np.linalg.svd(_wide(self.now, complement(self._lost()))[place[0] : place[1]])
        wide = own[:, : len(lengths)][:, lengths > _OWN]
        direction = wide @ (wide.T @ self.now.theta[self.now.best][place[0] : place[1]])
        reach = np.abs(matrix @ direction)
        space = null_space(matrix[reach < _HARDLY * reach.max()])
        direction = space @ (space.T @ direction)
        if not np.abs(matrix @ direction).max() > _HARDLY * reach.max():
            return
        axes = direction[:, None] + _HARDLY * np.linalg.norm(direction) * (space @ (space.T @ wide))
        unbounded = np.concatenate([known.unbounded, direction[:, None], axes], axis=1)
        shift = _shift(problem, [head], direction, _etas(problem, self.now))
        shift = {head: shift[head] + self.shifts.get(place, {}).get(head, 0.0)}
        self._accept(place, Cone(unbounded, known.unidentified), shift)

    def _lost(self) -> Array:
        width = self.began.problem.objective.width
        found = np.zeros((width, 0))
        for (start, stop), cone in self.cones.items():
            own = np.zeros((width, cone.unbounded.shape[1] + cone.unidentified.shape[1]))
            own[start:stop] = np.concatenate([cone.unbounded, cone.unidentified], axis=1)
            found = np.concatenate([found, own], axis=1)
        return found


def _blocks(problem: Problem) -> list[list[str]]:
    """The parameters that are looked at together: the levels of a response share their rows."""
    heads = list(problem.heads)
    return [heads] if isinstance(problem.model, Categorical) else [[head] for head in heads]


def _place(problem: Problem, heads: Sequence[str]) -> tuple[int, int]:
    return problem.slices[heads[0]].start, problem.slices[heads[-1]].stop


def _back(problem: Problem, heads: Sequence[str]) -> Array:
    blocks = [torch.from_numpy(problem.standards[head].back) for head in heads]
    return np.asarray(torch.block_diag(*blocks).numpy())


def _size(cone: Cone) -> int:
    both = np.concatenate([cone.unbounded, cone.unidentified], axis=1)
    return int(len(both) - complement(both).shape[1])


def _shifted(problem: Problem, shifts: Iterable[dict[str, Array]]) -> Problem:
    """``problem`` with offsets that put rows at their ends."""
    offsets = dict(problem.offsets)
    for own in shifts:
        for head, shift in own.items():
            before = offsets[head]
            offsets[head] = shift if before is None else before + shift
    return replace(problem, offsets=offsets)


def _etas(problem: Problem, solution: Solution) -> list[torch.Tensor]:
    theta = torch.from_numpy(solution.theta[solution.best][None])
    return [eta[0] for eta in problem.objective.predictors(theta)]


def _gains(problem: Problem, etas: Sequence[torch.Tensor], head: str) -> tuple[Array, Array]:
    """Log-likelihood units that each row gains [N] as the predictor of ``head`` falls, and rises, to its end."""
    place, y = problem.heads.index(head), torch.from_numpy(problem.y)
    link = problem.model.links[head]

    def log_prob(at: torch.Tensor) -> Array:
        with torch.no_grad():
            found: Array = problem.model.log_prob([*etas[:place], at, *etas[place + 1 :]], y).numpy()
        return found

    now, own = log_prob(etas[place]), etas[place].numpy()
    with np.errstate(invalid="ignore"):
        fall, rise = (
            problem.weights * (log_prob(torch.from_numpy(own + _to_end(own, s, link))) - now) for s in (-1, 1)
        )
    return np.nan_to_num(fall, nan=-np.inf), np.nan_to_num(rise, nan=-np.inf)


def _to_end(eta: Array, sign: Array | int, link: Link) -> Array:
    """By how much predictors ``eta`` [N] move to be at their lower, or upper, end; 0 where ``sign`` is."""
    upper = _SOFTPLUS_END if link is SOFTPLUS else _END
    found: Array = np.sign(sign) * (np.where(np.asarray(sign) > 0, upper, _END) + np.abs(eta))
    return found


def _pairs(problem: Problem, seen: Bools) -> Array:
    """Rows [M, P] of the differences between each response's own predictor and those of the other levels."""
    matrices = [problem.standards[head].matrix for head in problem.heads]
    found = []
    for level in range(len(matrices) + 1):
        own = seen & (problem.y == level)
        for other in range(len(matrices) + 1):
            if other != level:
                row = [np.zeros((int(own.sum()), matrix.shape[1])) for matrix in matrices]
                if level:
                    row[level - 1] = matrices[level - 1][own]
                if other:
                    row[other - 1] = -matrices[other - 1][own]
                found.append(np.concatenate(row, axis=1))
    return np.concatenate(found)


def _shift(problem: Problem, heads: Sequence[str], direction: Array, etas: Sequence[torch.Tensor]) -> dict[str, Array]:
    """How far each row's predictors are moved along ``direction`` [q] to be at their ends, [N] by head."""
    start = problem.slices[heads[0]].start
    reach = {}
    for head in heads:
        where = problem.slices[head]
        reach[head] = problem.standards[head].matrix @ direction[where.start - start : where.stop - start]
    farthest = max(float(np.abs(own).max()) for own in reach.values())
    least = RANK * farthest
    if len(heads) > 1:
        # Levels that run off together keep their proportions: what is not moved apart stays together.
        rows = np.abs(_pairs(problem, problem.weights > 0.0) @ direction)
        return {head: own * (_END / rows[rows > least].min(initial=farthest)) for head, own in reach.items()}
    ((head, own),) = reach.items()
    sign = np.where(np.abs(own) > least, np.sign(own), 0.0)
    return {head: _to_end(etas[problem.heads.index(head)].numpy(), sign, problem.model.links[head])}


def _wide(solution: Solution, free: Array) -> Array:
    """Directions [P, m] within ``free`` [P, r] whose standard error is wide, or has no bound."""
    total = free.T @ solution.hessian @ free * solution.problem.n
    values, vectors = np.linalg.eigh(total)
    return np.asarray(free @ vectors[:, values < 1.0 / _WIDE**2])
