"""What each component of a fitted distribution adds to its pmf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from distfit_counts.families.family import Family
from distfit_counts.inference.fitted.pmf import Pmf


@dataclass(frozen=True)
class Component:
    """A share ``weight`` of all counts follows ``family`` with natural ``values``."""

    weight: float
    family: Family
    values: Mapping[str, float]

    @property
    def pmf(self) -> Pmf:
        """weight P(Y = k | component): summed over all components, the mixture's pmf."""
        return Pmf.of(self.family, self.values, self.weight)


def components(family: Family, values: Mapping[str, float]) -> list[Component]:
    """The components of a distribution; a single one of weight 1 where it has none."""
    return [
        Component(float(weight), part, {name: float(value) for name, value in own.items()})
        for weight, part, own in family.parts(values)
    ]
