"""One regression, together with the simpler families at its boundary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family, Limit
from distfit_counts.optimise.ending import INTERIOR, Ending, Ints, ends, finished, supremum
from distfit_counts.optimise.minimise import CONVERGED, STATUS, Minimum, minimise
from distfit_counts.regression.definition import defined
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.starts import approached, has_components, moments, nested_starts, random_starts
from distfit_counts.settings import LEARNING_RATE, FitSettings
from distfit_counts.settings import MAX_STEPS as DEFAULT_STEPS

# Rows on which all starts are followed first. Estimates from so many are within one percent of a standard deviation of
# those from all, and the rest takes two steps.
_FEW = 50_000

# Restarts of a limit that has components.
_LIMITS = 2

# How many of the starts are finished, and how many there are, of which family.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Solution:
    """S starts of a regression with P coefficients on the standard scale.

    ``start``, ``theta`` [S, P]; ``value`` (mean NLL), ``gradient_norm``, ``steps``, ``status`` [S]; ``best`` the index
    of the best start, ``hessian`` [P, P] of the mean NLL there. ``limit``: the simpler family in which the supremum
    lies, with its solution; None in the interior.
    """

    problem: Problem
    origins: tuple[str, ...]
    start: Array
    theta: Array
    value: Array
    gradient_norm: Array
    steps: Ints
    status: Ints
    best: int
    hessian: Array
    limit: tuple[Limit, Solution] | None

    @property
    def log_likelihood(self) -> float:
        """The supremum."""
        if self.limit is not None:
            return self.limit[1].log_likelihood
        return -float(self.value[self.best]) * self.problem.n

    @property
    def reached(self) -> Solution:
        """The solution of the model that the supremum is, with all boundaries resolved."""
        return self if self.limit is None else self.limit[1].reached

    def with_reached(self, ended: Solution) -> Solution:
        """The same with another solution of the model that was reached."""
        return ended if self.limit is None else replace(self, limit=(self.limit[0], self.limit[1].with_reached(ended)))

    @property
    def converged(self) -> bool:
        reached = self.reached
        return bool(reached.status[reached.best] == CONVERGED)

    @property
    def status_text(self) -> str:
        inner = STATUS[int(self.reached.status[self.reached.best])]
        return "boundary" if self.limit is not None and inner == "converged" else inner


def solve(
    problem: Problem,
    settings: FitSettings,
    known: dict[Family, Solution] | None = None,
    progress: Progress | None = None,
    asked: bool = True,
) -> Solution:
    """The simpler families go first: their solutions are starts, and their maxima are lower bounds.

    Those that were not ``asked`` for start from what is simpler still, and where there is nothing from the moments; if
    they have components, from a few restarts too.
    """
    known = {} if known is None else known
    nested: list[tuple[Limit, Solution]] = []
    if isinstance(problem.model, CountModel):
        if problem.model.family in known:
            return known[problem.model.family]
        for limit in problem.model.family.limits():
            simpler = problem.at(limit)
            if simpler is not None:
                nested.append((limit, solve(simpler, settings, known, progress, asked=False)))
    solution = _descend(problem, settings, nested, progress, asked)
    if isinstance(problem.model, CountModel):
        known[problem.model.family] = solution
    return solution


def _descend(
    problem: Problem,
    settings: FitSettings,
    nested: list[tuple[Limit, Solution]],
    progress: Progress | None,
    asked: bool,
) -> Solution:
    rng = np.random.default_rng(settings.seed)
    few = problem.sample(_FEW, rng)
    first = moments(few)
    # Of a family that cannot produce these counts there is nothing to learn.
    possible = [(limit, s) for limit, s in nested if np.isfinite(s.log_likelihood)]
    start = nested_starts(problem, first, [(limit, s.problem, s.theta[s.best]) for limit, s in possible])
    origins = _origins(possible, len(start))
    searched = asked or not possible
    # A limit that has several maxima of its own is searched too: its supremum may lie where no interior start leads.
    count = settings.restarts - 1 if searched else min(settings.restarts - 1, _LIMITS)
    if searched or has_components(problem):
        drawn, name = random_starts(few, count, rng, first)
        start = np.concatenate([first[None], drawn, start])
        origins = ["moments", *[name] * len(drawn), *origins]
    near, place = (start, np.arange(len(start))) if few is problem else approached(few, start)
    minimum = _minimised(problem, near, settings, settings.max_steps, progress).select(torch.from_numpy(place))
    ending = finished(minimum, problem.objective, torch.zeros(len(start), dtype=torch.int64), _n(problem), settings)
    return Solution(
        problem=problem,
        origins=tuple(origins),
        start=start,
        theta=minimum.theta.numpy(),
        value=ending.value[0],
        gradient_norm=ending.gradient_norm[0],
        steps=minimum.steps.numpy(),
        status=ending.status[0],
        best=int(ending.best[0]),
        hessian=ending.hessian[0],
        limit=_limit(ending, problem, nested),
    )


def best_from(problem: Problem, theta: Array, settings: FitSettings) -> float:
    """The log-likelihood at the top of the hill from ``theta`` [P], or from the moments where that is higher."""
    minimum = _minimised(problem, np.stack([theta, moments(problem)]), settings, settings.max_steps, None)
    _, _, _, best = ends(minimum, _n(problem))
    return defined(problem, etas_at(problem, minimum.theta[best[0]].numpy()))


_STEPS = DEFAULT_STEPS["newton"]


def _minimised(
    problem: Problem, start: Array, settings: FitSettings, steps: int | None, progress: Progress | None
) -> Minimum:
    def report(done: int) -> None:
        if progress is not None:
            progress(problem.model.spec, done, len(start))

    rows = torch.zeros(len(start), dtype=torch.int64)
    theta = torch.from_numpy(start)
    return minimise(
        problem.objective, theta, rows, "newton", settings.tolerance, steps or _STEPS, LEARNING_RATE, False, report
    )


def _origins(nested: list[tuple[Limit, Solution]], count: int) -> list[str]:
    if not nested:
        return []
    each = [spec_of(solution.problem) for _, solution in nested]
    return [each[i * len(each) // count] for i in range(count)]


def spec_of(problem: Problem) -> str:
    """The family's name in the family language."""
    return problem.model.spec


def _n(problem: Problem) -> Array:
    return np.array([problem.n])


def _limit(ending: Ending, problem: Problem, nested: list[tuple[Limit, Solution]]) -> tuple[Limit, Solution] | None:
    """The simplest of the limits that the interior does not beat."""
    limits = [[-solution.log_likelihood / problem.n] for _, solution in nested]
    sizes = [[solution.reached.problem.objective.width] for _, solution in nested]
    chosen, _ = supremum(ending.best_value, _n(problem), np.array(limits), np.array(sizes))
    return None if chosen[0] == INTERIOR else nested[chosen[0]]


def natural_heads(solution: Solution) -> dict[str, Array]:
    """eta [N] of every head at the best point."""
    return etas_at(solution.problem, solution.theta[solution.best])


def etas_at(problem: Problem, theta: Array) -> dict[str, Array]:
    """eta [N] of every head at coefficients [P] on the standard scale."""
    etas = problem.objective.predictors(torch.from_numpy(theta[None]))
    return {head: eta[0].numpy() for head, eta in zip(problem.heads, etas, strict=True)}
