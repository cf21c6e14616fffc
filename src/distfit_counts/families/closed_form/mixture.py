"""The closed form of a finite mixture, from those of its components."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from distfit_counts.families.closed_form.derivatives import Derivatives, products


@dataclass(frozen=True)
class Group:
    """Equal components, evaluated in one call: which of the mixture they are, their log-pmfs [m, ..., V] and their
    derivatives (None for a point mass).
    """

    indices: list[int]
    log_prob: Tensor
    own: Derivatives | None


class OfMixture(Derivatives):
    """With f_j the log-pmf of component j plus its log-weight and r_j its share of p(k): first derivatives r_j f_j',
    second r_j f_j'' + r_j (1 - r_j) f_j' f_j'^T within a component and -r_j r_l f_j' f_l'^T between two of them.

    Of the working values the log-weights come first, then each component's own.
    """

    def __init__(self, groups: list[Group], log_weight: list[Tensor]) -> None:
        self._own = {i: (g.own, at) for g in groups if g.own is not None for at, i in enumerate(g.indices)}
        self._groups = groups
        logs = {i: g.log_prob[at] for g in groups for at, i in enumerate(g.indices)}
        parts = torch.stack([log_weight[i] + logs[i] for i in range(len(log_weight))])
        # Where every part is log 0, the shares are 0, not the NaN of 0/0; elsewhere the largest makes the total >= 1.
        largest = parts.amax(dim=0).clamp(min=-1e308)
        share = parts.sub_(largest).exp_()
        total = share.sum(dim=0)
        self._share = share.div_(total.clamp(min=1.0))
        self.log_prob = largest + total.log()
        self._places, end = {}, len(log_weight)
        for i, (own, _) in sorted(self._own.items()):
            self._places[i] = slice(end, end + len(own.first))
            end = end + len(own.first)
        self.first = self._share.new_empty((end, *self._share.shape[1:]))
        self.first[: len(log_weight)] = self._share
        for i, (own, at) in self._own.items():
            torch.mul(own.first[:, at], self._share[i], out=self.first[self._places[i]])

    def second(self, weight: Tensor) -> Tensor:
        found = -products(self.first, self.first * weight)
        for group in self._groups:
            curves = None if group.own is None else group.own.second(weight * self._share[group.indices])
            for at, i in enumerate(group.indices):
                rest = weight * self._share[i] * self._others(i)
                found[..., i, i] = rest.sum(dim=-1)
                if group.own is None or curves is None:
                    continue
                here, own = self._places[i], group.own.first[:, at]
                weighted = own * rest
                found[..., here, here] = curves[at] + products(own, weighted)
                found[..., i, here] = found[..., here, i] = weighted.sum(dim=-1).movedim(0, -1)
        return found

    def _others(self, i: int) -> Tensor:
        """1 - r_i: as a difference it would lose the digits of a component that has nearly all of a count."""
        rest: Tensor = reduce(torch.add, [share for j, share in enumerate(self._share) if j != i])
        return rest
