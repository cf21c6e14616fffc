"""Geometric: the number of failures before the first success.

pmf: (1/(1+mean)) * (mean/(1+mean))^k, k = 0, 1, 2, ...; mean > 0. variance = mean + mean^2.
Other tools give prob = 1/(1+mean). It is the negative binomial of size 1. Limit: mean -> 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import POSITIVE, Array
from distfit_counts.families.family import Draws, Family, Limit, Parameter, Role, Values, positive, weighted_moments
from distfit_counts.families.lazy import LazyModule, namespace
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson_draws import poisson_draws

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = LazyModule("torch")


@dataclass(frozen=True)
class Geometric(Family):
    parameters = (Parameter(("mean",), POSITIVE, "mean of the geometric", Role.LOCATION),)
    spec = "geometric"
    poisson_mixture = True

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        return -k * torch.log1p(1.0 / p["mean"]) - torch.log1p(p["mean"])

    def mean(self, v: Values) -> Any:
        return v["mean"]

    def variance(self, v: Values) -> Any:
        return v["mean"] + v["mean"] ** 2

    def variance_formula(self) -> str:
        return "Var = mean + mean²"

    def log_prob_zero(self, v: Values) -> Any:
        return -namespace(v["mean"]).log1p(v["mean"])

    def derived(self, v: Values) -> dict[str, float]:
        return {"prob": 1.0 / (1.0 + v["mean"])}

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return poisson_draws(rng, v["mean"] * rng.standard_exponential(n))

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return 1 + self.sample(v, n, rng)  # no memory: after one failure it starts anew

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        return {"mean": positive(weighted_moments(k, w)[1])}

    def limits(self) -> tuple[Limit, ...]:
        reason = "All counts are zero: the mean runs to 0 and any family fits them equally well."
        return (Limit(PointMass(0), {"mean": 0.0}, {}, "geometric.all_zero", reason),)

    def limits_at_zero(self) -> tuple[Limit, ...]:
        reason = "Every positive count is 1: the mean runs to 0, and nothing is left to estimate."
        return (Limit(PointMass(1), {"mean": 0.0}, {}, "geometric.all_one", reason),)
