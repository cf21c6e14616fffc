"""What each component of a fitted distribution adds to its pmf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.families.family import Family
from distfit_counts.inference.fitted.reached import log_pmf


@dataclass(frozen=True)
class Component:
    """A share ``weight`` of all counts follows ``family`` with natural ``values``."""

    weight: float
    family: Family
    values: Mapping[str, float]

    def pmf(self, k: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """weight P(Y = k | component) for whole numbers k >= 0: summed over all components, the mixture's pmf."""
        result: npt.NDArray[np.float64] = self.weight * np.exp(log_pmf(self.family, self.values, k))
        return result


def components(family: Family, values: Mapping[str, float]) -> list[Component]:
    """The components of a distribution; a single one of weight 1 where it has none."""
    return [
        Component(float(weight), part, {name: float(value) for name, value in own.items()})
        for weight, part, own in family.parts(values)
    ]
