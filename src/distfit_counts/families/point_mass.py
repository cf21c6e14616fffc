"""Point mass: all probability on one count. No parameters; it is what other families become at a boundary.

pmf: 1 at k = value, 0 elsewhere. mean = value, variance = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Draws, Family, Values
from distfit_counts.families.lazy import LazyModule

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = LazyModule("torch")


@dataclass(frozen=True)
class PointMass(Family):
    value: int

    @property
    def lowest(self) -> int:
        return self.value

    @property
    def spec(self) -> str:
        return f"point({self.value})"

    @property
    def poisson_mixture(self) -> bool:
        return self.value == 0

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        zero = torch.zeros((), dtype=torch.float64)
        return torch.where(k == self.value, zero, zero - torch.inf)

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        return torch.tensor(0.0 if self.value else -torch.inf, dtype=torch.float64)

    def mean(self, v: Values) -> Any:
        return float(self.value)

    def variance(self, v: Values) -> Any:
        return 0.0

    def variance_formula(self) -> str:
        return "Var = 0"

    def log_prob_zero(self, v: Values) -> Any:
        return 0.0 if self.value == 0 else -np.inf

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return np.full(n, self.value, dtype=np.int64)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        return {}
