"""One natural parameter held fixed, the others free: what a profile likelihood minimises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.constraint import POSITIVE, SIMPLEX, Array, Constraint
from distfit_counts.families.family import Family
from distfit_counts.optimise.problem import Evaluation, Objective, differentiated


@dataclass(frozen=True)
class Place:
    """Where a natural parameter sits: its block's coordinates [first, first + free) of theta, the block's first name
    ``start``, and ``own``, which of the block it is.
    """

    constraint: Constraint
    first: int
    free: int
    start: int
    own: int

    @property
    def simplex(self) -> bool:
        """Whether it is one of several weights, whose coordinate moves the others too."""
        return self.constraint is SIMPLEX

    @property
    def unbounded(self) -> bool:
        """Whether the coordinate grows linearly with the value, without an end that is a model."""
        return self.constraint is POSITIVE

    def split(self, theta: Array) -> tuple[Array, Array]:
        """theta [..., P] -> the pinned coordinate [...] and the free ones [..., P - 1]."""
        if not self.simplex:
            at = self.first + self.own
            return theta[..., at], np.delete(theta, at, axis=-1)
        block = theta[..., self.first : self.first + self.free]
        padded = np.concatenate([block, np.zeros_like(block[..., :1])], axis=-1)
        others = np.delete(padded, self.own, axis=-1)
        logit = padded[..., self.own] - np.logaddexp.reduce(others, axis=-1)
        rest = others[..., :-1] - others[..., -1:]
        return logit, np.concatenate([theta[..., : self.first], rest, theta[..., self.first + self.free :]], axis=-1)

    def join(self, pinned: Tensor, free: Tensor) -> Tensor:
        """The reverse of ``split``. A weight is pinned at its logit; the others share what it leaves."""
        if not self.simplex:
            at = self.first + self.own
            return torch.cat([free[:, :at], pinned[:, None], free[:, at:]], dim=1)
        end = self.first + self.free - 1
        rest = torch.cat([free[:, self.first : end], torch.zeros_like(pinned[:, None])], dim=1)
        others = torch.nn.functional.logsigmoid(-pinned)[:, None] + torch.log_softmax(rest, dim=1)
        own = torch.nn.functional.logsigmoid(pinned)[:, None]
        log_weight = torch.cat([others[:, : self.own], own, others[:, self.own :]], dim=1)
        return torch.cat([free[:, : self.first], log_weight[:, :-1] - log_weight[:, -1:], free[:, end:]], dim=1)


def places(family: Family) -> dict[str, Place]:
    """The place of every natural parameter that can be held fixed (the single weight of a mixture of one cannot)."""
    found: dict[str, Place] = {}
    first = start = 0
    for parameter in family.parameters:
        free, count = parameter.free, len(parameter.names)
        if free:
            found |= {
                name: Place(parameter.constraint, first, free, start, own) for own, name in enumerate(parameter.names)
            }
        first, start = first + free, start + count
    return found


class Pinned(Objective):
    """The objective of rows whose pinned coordinate is ``pinned`` [R], as a function of the free ones [R, P - 1].

    What ``minimise`` calls a column is here a row: every row has its own pinned value.
    """

    def __init__(self, objective: Objective, place: Place, pinned: Tensor, column: Tensor) -> None:
        self.whole, self.device = objective, objective.device
        self.k, self.width = objective.k, objective.width[column]
        self.place, self.pinned, self.column = place, pinned, column
        self.n = objective.n[column]

    def _evaluate(self, theta: Tensor, column: Tensor, hessian: bool, part: slice) -> Evaluation:
        """In all coordinates, and from there by the quadratic that has the same derivatives."""
        free = theta.detach().requires_grad_(True)
        joined = self.place.join(self.pinned[column], free)
        found = self.whole._evaluate(joined.detach(), self.column[column], hessian, part)
        apart = joined - joined.detach()
        value = found.value + (found.gradient * apart).sum(dim=1)
        if found.hessian is not None:
            value = value + 0.5 * ((found.hessian @ apart[:, :, None])[:, :, 0] * apart).sum(dim=1)
        return differentiated(value, free, hessian)

    def value(self, theta: Tensor, column: Tensor, part: slice = slice(None)) -> Tensor:
        """The objective [B] of the free coordinates ``theta`` [B, P - 1] of rows ``column`` [B]."""
        return self.whole.value(self.place.join(self.pinned[column], theta), self.column[column], part)
