"""The distribution of one response given its linear predictors, one row per observation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from distfit_counts.errors import FamilyError
from distfit_counts.families.constraint import SIMPLEX, UNIT, Array
from distfit_counts.families.family import Family, Role
from distfit_counts.regression.link import Link, chosen

# What people call the location, whatever the family calls it.
_LOCATIONS = ("rate", "mean")


class RowModel(Protocol):
    """``spec``: the name of the family; ``heads``: the names of the predictors, in order; ``links`` and ``roles`` by
    head.

    ``log_prob``: [H tensors of N], [N] -> [N].
    """

    @property
    def spec(self) -> str: ...

    @property
    def heads(self) -> tuple[str, ...]: ...

    @property
    def links(self) -> Mapping[str, Link]: ...

    @property
    def roles(self) -> Mapping[str, Role]: ...

    def log_prob(self, eta: Sequence[Tensor], y: Tensor) -> Tensor: ...

    def start(self, values: Array, weights: Array) -> Array:
        """Predictors [H] without covariates, from the moments of distinct ``values`` [V] and their ``weights`` [V]."""
        ...


@dataclass(frozen=True)
class CountModel:
    """A count family with a link for each of its parameters: a predictor for every free coordinate."""

    family: Family
    links: Mapping[str, Link]

    @classmethod
    def of(cls, family: Family, links: Mapping[str, str] | None = None) -> CountModel:
        """``links``: names of links by parameter, where they are not the default. Raises FamilyError."""
        # The last weight is what the others leave.
        kinds = {name: p.constraint for p in family.parameters for name in p.names[: p.free]}
        roles = roles_of(family)
        asked = {head: link for name, link in (links or {}).items() for head in heads_called(name, roles, family.spec)}
        return cls(family, {name: chosen(name, kind, asked.get(name)) for name, kind in kinds.items()})

    @property
    def spec(self) -> str:
        return self.family.spec

    @property
    def heads(self) -> tuple[str, ...]:
        return tuple(self.links)

    @property
    def roles(self) -> Mapping[str, Role]:
        return roles_of(self.family)

    def log_prob(self, eta: Sequence[Tensor], y: Tensor) -> Tensor:
        """log P(Y = y) of every row, all constants included."""
        return self.family.log_prob(self.working(eta), y)

    def start(self, values: Array, weights: Array) -> Array:
        def middle(count: int) -> Array:
            return ((np.arange(count) + 0.5) / count)[None]

        natural = self.family.start(values[None], weights[None], middle)
        found = []
        for parameter in self.family.parameters:
            first = [float(np.ravel(natural[name])[0]) for name in parameter.names]
            if parameter.constraint is SIMPLEX:
                found += [np.log(first[i] / first[-1]) for i in range(len(first) - 1)]
            else:
                found += [
                    float(self.links[name].of(np.array(v))) for name, v in zip(parameter.names, first, strict=True)
                ]
        return np.array(found)

    def working(self, eta: Sequence[Tensor]) -> dict[str, Tensor]:
        """Working values of all parameters, from the predictors."""
        by_head = dict(zip(self.heads, eta, strict=True))
        values: dict[str, Tensor] = {}
        for parameter in self.family.parameters:
            if parameter.constraint is SIMPLEX:
                logits = [by_head[name] for name in parameter.names[:-1]]
                stacked = torch.stack([*logits, torch.zeros_like(logits[0])])
                values |= dict(zip(parameter.names, torch.log_softmax(stacked, dim=0), strict=True))
            else:
                values |= {name: self.links[name].to(by_head[name]) for name in parameter.names}
        return values

    def natural(self, eta: Sequence[Array]) -> dict[str, Array]:
        """Natural values of all parameters, each [N]."""
        tensors = self.natural_tensors([torch.from_numpy(head) for head in eta])
        return {name: value.numpy() for name, value in tensors.items()}

    def natural_tensors(self, eta: Sequence[Tensor]) -> dict[str, Tensor]:
        """The same in torch, to be differentiated."""
        working = self.working(eta)
        shown: dict[str, Tensor] = {}
        for parameter in self.family.parameters:
            for name in parameter.names:
                value = working[name]
                if parameter.constraint is UNIT:
                    value = torch.sigmoid(value)
                elif parameter.constraint is SIMPLEX:
                    value = torch.exp(value)
                shown[name] = value
        return shown


def bare(head: str) -> str:
    """``rate`` of ``rate[2]``."""
    return head.partition("[")[0]


def roles_of(family: Family) -> dict[str, Role]:
    """The role of every head, in their order."""
    return {name: p.role for p in family.parameters for name in p.names[: p.free]}


def heads_called(name: str, roles: Mapping[str, Role], spec: str) -> list[str]:
    """The parameters, of all those with ``roles``, that ``name`` means: ``rate`` is that of every component, and the
    location of any family may be called mean or rate, so that another family is another word and no more. Raises
    FamilyError where there is none.
    """
    exact = [head for head in roles if name in (head, bare(head))]
    own, component = bare(name), name[len(bare(name)) :]
    if not exact and own in _LOCATIONS:
        exact = [head for head, role in roles.items() if role is Role.LOCATION and head.endswith(component)]
    if not exact:
        raise FamilyError(f"{spec} has no parameter {name!r}", f"its parameters are: {', '.join(roles)}")
    return exact
