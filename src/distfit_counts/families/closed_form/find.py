"""Which families have a closed form, and theirs by composition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from distfit_counts.families.closed_form.base import OfGeometric, OfNegativeBinomial, OfPoisson
from distfit_counts.families.closed_form.derivatives import Derivatives
from distfit_counts.families.closed_form.mixture import Group, OfMixture
from distfit_counts.families.closed_form.zeros import OfHurdle, OfTruncated, OfZeroInflated
from distfit_counts.families.family import Family
from distfit_counts.families.geometric import Geometric
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated

Working = Mapping[str, Tensor]


def derivatives(family: Family, p: Working, k: Tensor) -> Derivatives | None:
    """Of ``family`` at working values ``p`` [..., 1] and counts ``k`` [..., V], or None: then autograd knows them."""
    find = _FOUND.get(type(family))
    return find(family, p, k) if find else None


def _mixture(family: Mixture, p: Working, k: Tensor) -> Derivatives | None:
    groups = []
    for indices in family.equal():
        component = family.components[indices[0]]
        own = {name: torch.stack([p[f"{name}[{i + 1}]"] for i in indices]) for name in component.names}
        found = derivatives(component, own, k) if own else None
        if found is None and own:
            return None
        log_prob = component.log_prob({}, k).expand(len(indices), *k.shape) if found is None else found.log_prob
        groups.append(Group(indices, log_prob, found))
    return OfMixture(groups, [p[f"weight[{i + 1}]"] for i in range(len(family.components))])


def _truncated(family: Truncated, p: Working, k: Tensor) -> Derivatives | None:
    if type(family.base).log_prob_positive is not Family.log_prob_positive:
        return None  # it knows P(Y > 0) better than by 1 - P(Y = 0)
    positive = k > 0
    base, zero = derivatives(family.base, p, torch.where(positive, k, 1.0)), _at_zero(family.base, p)
    if base is None or zero is None:
        return None
    return OfTruncated(base, zero, family.base.log_prob_positive(p), positive)


def _hurdle(family: Hurdle, p: Working, k: Tensor) -> Derivatives | None:
    is_zero = k == 0
    part = derivatives(family.positive_part, p, torch.where(is_zero, 1.0, k))
    return None if part is None else OfHurdle(p["p0"], part, is_zero)


def _zero_inflated(family: ZeroInflated, p: Working, k: Tensor) -> Derivatives | None:
    is_zero = k == 0
    if family.base.lowest > 0:
        # Every zero is structural: a hurdle whose positive part is the base.
        part = derivatives(family.base, p, torch.where(is_zero, family.base.lowest, k))
        return None if part is None else OfHurdle(p["pi"], part, is_zero)
    base, zero = derivatives(family.base, p, k), _at_zero(family.base, p)
    if base is None or zero is None:
        return None
    return OfZeroInflated(p["pi"], base, zero, family.log_prob(p, torch.zeros_like(p["pi"])), is_zero)


def _at_zero(family: Family, p: Working) -> Derivatives | None:
    return derivatives(family, p, torch.zeros_like(p[family.names[0]]))


# By the exact type: a family derived from one of these may have another log-pmf.
_FOUND: dict[type[Family], Callable[[Any, Working, Tensor], Derivatives | None]] = {
    Poisson: lambda _, p, k: OfPoisson(k, p["rate"]),
    Geometric: lambda _, p, k: OfGeometric(k, p["mean"]),
    NegativeBinomial: lambda _, p, k: OfNegativeBinomial(k, p["mean"], p["size"]),
    Mixture: _mixture,
    Truncated: _truncated,
    Hurdle: _hurdle,
    ZeroInflated: _zero_inflated,
}
