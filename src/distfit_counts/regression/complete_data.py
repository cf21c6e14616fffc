"""A mixture's objective with the curvature of its complete data, in which every count tells its component.

log sum_j w_j f_j has the derivatives of sum_j r_j (log w_j + log f_j), r_j the probability that the count is of
component j. Its second derivatives hold those of the r_j too, which are no guide far from a maximum. Without them there
is one concave problem for each component, and Newton on these is the EM gradient algorithm (Lange 1995): regressions of
clusters of rows, each row a member of each cluster with probability r_j. With memberships that are given, in place of
the r_j, it is the regression of those clusters.

Zero inflation and hurdles are mixtures too, with a component that is always 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.optimise.problem import Evaluation
from distfit_counts.regression.closed_form import Curve
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.row_model import CountModel
from distfit_counts.settings import PIECE_ELEMENTS

# A family's own names -> those of the whole model.
Heads = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Component:
    """One that is no mixture itself. ``problem``: its regression, None for one without parameters; ``heads``: its
    predictors' names in the whole model. ``impossible`` [N]: the counts that it does not have.
    """

    problem: Problem | None
    heads: Heads
    impossible: Tensor


@dataclass(frozen=True, eq=False)
class Gate:
    """``heads``: the logits of all ``parts`` against the last; ``parts``: the places of their components."""

    heads: tuple[str, ...]
    parts: tuple[tuple[int, ...], ...]


def is_mixed(family: Family) -> bool:
    """Whether a count may come from several components: whether a hurdle was taken is told by every count."""
    several = isinstance(family, ZeroInflated) and bool(family.base.parameters) and family.base.lowest == 0
    return several or isinstance(family, Mixture)


class CompleteData:
    """For rows theta [B, P] of ``problem``'s coefficients, as ``RegressionObjective``.

    ``memberships`` [M, J, N], where given: the probabilities with which each row is of each of the ``components``, for
    M problems; the column says which is meant.
    """

    def __init__(self, problem: Problem, memberships: Array | None = None) -> None:
        assert isinstance(problem.model, CountModel)
        self.problem = problem
        self.components: list[Component] = []
        self.gates: list[Gate] = []
        self._split(problem.model.family, {head: head for head in problem.heads})
        self._share = torch.from_numpy(problem.weights / problem.n)
        self._given = None if memberships is None else torch.from_numpy(memberships)
        self.n = torch.full((1 if memberships is None else len(memberships),), problem.n, dtype=torch.float64)

    def _split(self, family: Family, heads: Heads) -> tuple[int, ...]:
        """The places of the components that ``family`` has, and their gates."""
        parts: list[tuple[Family, Heads]] = []
        if isinstance(family, Mixture):
            gates = [heads[f"weight[{j}]"] for j in range(1, len(family.components))]
            for j, part in enumerate(family.components, start=1):
                parts.append((part, {name: heads[f"{name}[{j}]"] for name in _free(part)}))
        elif isinstance(family, ZeroInflated | Hurdle):
            own, rest = ("pi", family.base) if isinstance(family, ZeroInflated) else ("p0", family.positive_part)
            gates, parts = [heads[own]], [(PointMass(0), {}), (rest, heads)]
        else:
            self.components.append(self._component(family, heads))
            return (len(self.components) - 1,)
        places = tuple(self._split(*part) for part in parts)
        self.gates.append(Gate(tuple(gates), places))
        return tuple(place for part in places for place in part)

    def _component(self, family: Family, heads: Heads) -> Component:
        y, model = torch.from_numpy(self.problem.y), self.problem.model
        if not family.parameters:
            return Component(None, {}, y != family.lowest)
        own = {name: heads[name] for name in _free(family)}
        links = {name: model.links[head].name for name, head in own.items()}
        part = self.problem.with_model(CountModel.of(family, links), own)
        return Component(part, own, y < family.lowest)

    def __call__(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation:
        size = max(PIECE_ELEMENTS // len(self._share), 1)
        parts = zip(theta.split(size), column.split(size), strict=True)
        return Evaluation.join([self._evaluate(*part) for part in parts])

    def shares(self, theta: Tensor) -> Tensor:
        """The probability [B, J, N] that each count is of each component."""
        curves = [self._curve(component, theta) for component in self.components]
        return self._joint(curves, self._log_weights(theta)[0])[1].movedim(0, 1)

    def _evaluate(self, theta: Tensor, column: Tensor) -> Evaluation:
        curves = [self._curve(component, theta) for component in self.components]
        log_weight, before = self._log_weights(theta)
        value, share, joint = self._joint(curves, log_weight)
        if self._given is not None:
            share = self._given[column].movedim(1, 0)
            value = _times(share, joint).sum(dim=0)
        weight = share * self._share
        slope = theta.new_zeros(theta.shape)
        curve = theta.new_zeros(*theta.shape, theta.shape[1])
        for own, component, found in zip(weight, self.components, curves, strict=True):
            heads = list(component.heads.values())
            for head, rise in zip(heads, found.slope, strict=True):
                slope[:, self._where(head)] = _times(own, rise) @ self._matrix(head)
            for (a, b), bend in found.curve.items():
                self._bend(curve, heads[a], heads[b], _times(own, bend))
        for gate, inner in zip(self.gates, before, strict=True):
            members = torch.stack([weight[list(part)].sum(dim=0) for part in gate.parts])
            total = members.sum(dim=0)
            for j, head in enumerate(gate.heads):
                slope[:, self._where(head)] = (members[j] - total * inner[j]) @ self._matrix(head)
                rest = inner[torch.arange(len(inner)) != j].sum(dim=0)
                self._bend(curve, head, head, -total * inner[j] * rest)
                for k in range(j + 1, len(gate.heads)):
                    self._bend(curve, head, gate.heads[k], total * inner[j] * inner[k])
        return Evaluation(-(value * self._share).sum(dim=1), -slope, -0.5 * (curve + curve.mT))

    def _curve(self, component: Component, theta: Tensor) -> Curve:
        impossible = component.impossible
        if component.problem is None:
            return Curve(torch.where(impossible, -torch.inf, 0.0).expand(len(theta), -1), [], {})
        own = torch.cat([theta[:, self._where(head)] for head in component.heads.values()], dim=1)
        found = component.problem.objective.rows(own, torch.zeros(len(theta), dtype=torch.int64), True)
        return Curve(torch.where(impossible, -torch.inf, found.value), found.slope, found.curve)

    def _log_weights(self, theta: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Of each component [B, N]; and of each gate the probabilities [G, B, N] of its parts."""
        found = [theta.new_zeros(1, 1)] * len(self.components)
        inner = []
        for gate in self.gates:
            logits = [self._predictor(head, theta) for head in gate.heads]
            own = torch.log_softmax(torch.stack([*logits, torch.zeros_like(logits[0])]), dim=0)
            inner.append(own.exp())
            for log_weight, part in zip(own, gate.parts, strict=True):
                for place in part:
                    found[place] = found[place] + log_weight
        return found, inner

    @staticmethod
    def _joint(curves: list[Curve], log_weight: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """log P(Y = y) [B, N], the shares of the components [J, B, N] in it, and the logarithms of their parts."""
        joint = torch.stack([own + found.value for own, found in zip(log_weight, curves, strict=True)])
        # Where every part is log 0, the shares are 0, not the NaN of 0/0.
        largest = joint.amax(dim=0).clamp(min=-1e308)
        share = (joint - largest).exp_()
        total = share.sum(dim=0)
        return largest + total.log(), share / total.clamp(min=1.0), joint

    def _where(self, head: str) -> slice:
        return self.problem.slices[head]

    def _matrix(self, head: str) -> Tensor:
        return self._matrices[head]

    @cached_property
    def _matrices(self) -> dict[str, Tensor]:
        return {head: torch.from_numpy(own.matrix) for head, own in self.problem.standards.items()}

    def _predictor(self, head: str, theta: Tensor) -> Tensor:
        eta, offset = theta[:, self._where(head)] @ self._matrix(head).mT, self.problem.offsets[head]
        return eta if offset is None else eta + torch.from_numpy(offset)

    def _bend(self, curve: Tensor, a: str, b: str, weight: Tensor) -> None:
        block = (weight[:, None, :] * self._matrix(a).mT) @ self._matrix(b)
        curve[:, self._where(a), self._where(b)] = block
        if a != b:
            curve[:, self._where(b), self._where(a)] = block.mT


def _times(weight: Tensor, derivative: Tensor) -> Tensor:
    """Of a component without a share nothing matters, be it infinite."""
    return torch.where(weight > 0.0, weight * derivative, 0.0)


def _free(family: Family) -> Sequence[str]:
    return [name for p in family.parameters for name in p.names[: p.free]]
