"""The one loop: step, keep the best, retire the rows that are done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from distfit_counts.optimise.adam import Adam
from distfit_counts.optimise.newton import Newton
from distfit_counts.optimise.problem import Evaluation
from distfit_counts.optimise.race import Race

OPTIMIZERS: dict[str, type[Newton] | type[Adam]] = {"newton": Newton, "adam": Adam}

# Outcomes of a row, with the words that people read; the best of a column's is never RETIRED.
# INCONSISTENT: the value reached is not that of the estimates, by the definition of the family: an error of ours.
CONVERGED, STALLED, MAX_STEPS, NOT_FINITE, SADDLE, RETIRED, INCONSISTENT = range(7)
STATUS = {
    CONVERGED: "converged",
    STALLED: "stalled",
    MAX_STEPS: "max_steps",
    NOT_FINITE: "not_finite",
    SADDLE: "saddle",
    RETIRED: "retired",
    INCONSISTENT: "inconsistent",
}


class Differentiable(Protocol):
    """What is minimised: ``n`` [C] observations of every column; called with theta [B, P] and the column [B] of each
    row, it gives values with derivatives.
    """

    n: Tensor

    def __call__(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation: ...


class Optimiser(Protocol):
    """Proposes a step for every row, judges the outcome, and says which rows are done."""

    needs_hessian: bool

    def propose(self, theta: Tensor) -> Tensor: ...
    def judge(self, point: Evaluation, trial: Evaluation) -> tuple[Tensor, Self]: ...
    def converged(self, point: Evaluation) -> Tensor: ...
    def stalled(self) -> Tensor: ...
    def select(self, rows: Tensor) -> Self: ...


@dataclass(frozen=True)
class Minimum:
    """The best point of every row: ``theta`` [B, P] with its evaluation, ``steps`` [B] and ``status`` [B].

    ``trace``, where asked for: per step the rows that were active, their theta, value and gradient norm.
    """

    theta: Tensor
    point: Evaluation
    steps: Tensor
    status: Tensor
    trace: list[tuple[Tensor, Tensor, Tensor, Tensor]]

    def select(self, rows: Tensor) -> Minimum:
        """Some of the rows, or some more than once; without their trace."""
        return Minimum(self.theta[rows], self.point.select(rows), self.steps[rows], self.status[rows], [])


def minimise(
    objective: Differentiable,
    theta: Tensor,
    column: Tensor,
    optimizer: str,
    tolerance: float,
    max_steps: int,
    learning_rate: float,
    trace: bool = False,
    progress: Callable[[int], None] | None = None,
    race: Race | None = None,
) -> Minimum:
    """Minimise every row of ``theta`` [B, P] on its own; ``column`` [B] says which data each row fits.

    A row's outcome does not depend on the rows beside it, unless in a ``race`` with those of its column. ``progress``
    is told how many rows are done.
    """
    kind = OPTIMIZERS[optimizer]
    rows = torch.arange(len(theta))
    point = objective(theta, column, kind.needs_hessian)
    state: Optimiser = kind.begin(point, objective.n[column], tolerance, learning_rate)
    # Copies: the rows of ``final`` are written in place, those of the running state never.
    began = Evaluation(
        point.value.clone(), point.gradient.clone(), None if point.hessian is None else point.hessian.clone()
    )
    steps, status = torch.zeros(len(rows), dtype=torch.int64), torch.full((len(rows),), MAX_STEPS)
    final = Minimum(theta.clone(), began, steps, status, [])
    best = point.value.clone()
    for step in range(max_steps + 1):
        if trace:
            final.trace.append((rows, theta, point.value, point.gradient_norm))
        failed = ~point.finite
        done = state.converged(point)
        stuck = state.stalled() & ~done
        status = torch.where(failed, NOT_FINITE, torch.where(done, CONVERGED, torch.where(stuck, STALLED, MAX_STEPS)))
        # A first-order path may climb; where it ends converged, the end is the answer, otherwise the best point.
        better = (point.value <= best) | done
        best = torch.where(better, point.value, best)
        final = _record(final, rows, better | failed, theta, point, status, step)
        if race is not None:
            assert isinstance(state, Newton), "others do not know where they are"
            left = race.left(step, rows, state, final.theta, final.point)
            status = torch.where(left & (status == MAX_STEPS), RETIRED, status)
            final.status.index_copy_(0, rows, status)
        active = (status == MAX_STEPS).nonzero()[:, 0]
        if len(active) < len(rows):
            rows, theta, column, best = rows[active], theta[active], column[active], best[active]
            point, state = point.select(active), state.select(active)
            if progress is not None:
                progress(len(final.theta) - len(rows))
        if len(rows) == 0 or step == max_steps:
            break
        proposed = state.propose(theta)
        trial = objective(proposed, column, kind.needs_hessian)
        accepted, state = state.judge(point, trial)
        theta = torch.where(accepted[:, None], proposed, theta)
        point = point.replace(accepted, trial)
    return final if race is None else replace(final.select(race.ends()), steps=final.steps, trace=final.trace)


def _record(
    final: Minimum, rows: Tensor, better: Tensor, theta: Tensor, point: Evaluation, status: Tensor, step: int
) -> Minimum:
    final.steps.index_fill_(0, rows, step)
    final.status.index_copy_(0, rows, status)
    chosen = rows[better]
    final.theta.index_copy_(0, chosen, theta[better])
    for kept, new in zip(final.point.tensors, point.tensors, strict=True):
        kept.index_copy_(0, chosen, new[better])
    return final
