"""Adam (Kingma and Ba 2015), full batch, every row for itself.

The second moment forgets faster than usual (0.99): there is no noise to average over, and with 0.999 the step
cannot shrink faster than the memory of early, large gradients, so that the last digits take ten times longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from distfit_counts.optimise.problem import Evaluation

_FIRST, _SECOND, _EPSILON = 0.9, 0.99, 1e-14


@dataclass(frozen=True)
class Adam:
    """State of the rows: first and second ``moment`` of the gradient [B, P] and the number of ``steps``."""

    tolerance: float
    learning_rate: float
    first: Tensor
    second: Tensor
    steps: int
    needs_hessian = False

    @classmethod
    def begin(cls, point: Evaluation, n: Tensor, tolerance: float, learning_rate: float) -> Adam:
        zero = torch.zeros_like(point.gradient)
        return cls(tolerance, learning_rate, zero, zero, 0)._remember(point.gradient)

    def propose(self, theta: Tensor) -> Tensor:
        first = self.first / (1.0 - _FIRST**self.steps)
        second = self.second / (1.0 - _SECOND**self.steps)
        return theta - self.learning_rate * first / (second.sqrt() + _EPSILON)

    def judge(self, point: Evaluation, trial: Evaluation) -> tuple[Tensor, Adam]:
        # Every finite step is taken, uphill too; the loop keeps the best point of each row.
        accepted = trial.finite
        return accepted, self._remember(torch.where(accepted[:, None], trial.gradient, point.gradient))

    def converged(self, point: Evaluation) -> Tensor:
        return point.gradient.abs().amax(dim=1) <= self.tolerance

    def stalled(self) -> Tensor:
        return torch.zeros_like(self.first[:, 0], dtype=torch.bool)

    def select(self, rows: Tensor) -> Adam:
        return replace(self, first=self.first[rows], second=self.second[rows])

    def _remember(self, gradient: Tensor) -> Adam:
        first = _FIRST * self.first + (1.0 - _FIRST) * gradient
        second = _SECOND * self.second + (1.0 - _SECOND) * gradient * gradient
        return replace(self, first=first, second=second, steps=self.steps + 1)
