"""Poisson.

pmf: rate^k exp(-rate) / k!, k = 0, 1, 2, ...; rate > 0. mean = variance = rate.
Limit: rate -> 0 puts all mass on zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import POSITIVE, Array
from distfit_counts.families.family import Draws, Family, Limit, Parameter, Role, Values, positive, weighted_moments
from distfit_counts.families.lazy import LazyModule
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson_draws import poisson_draws

if TYPE_CHECKING:
    from torch import Tensor

    from distfit_counts.families import log_pmf
else:
    log_pmf = LazyModule("distfit_counts.families.log_pmf")


@dataclass(frozen=True)
class Poisson(Family):
    parameters = (Parameter(("rate",), POSITIVE, "mean of the Poisson", Role.LOCATION),)
    spec = "poisson"
    poisson_mixture = True

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        return log_pmf.poisson_log_prob(k, p["rate"])

    def mean(self, v: Values) -> Any:
        return v["rate"]

    def variance(self, v: Values) -> Any:
        return v["rate"]

    def variance_formula(self) -> str:
        return "Var = rate"

    def log_prob_zero(self, v: Values) -> Any:
        return -v["rate"]

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return poisson_draws(rng, v["rate"], n)

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        # The first arrival, given that there is one in [0, rate]; the others follow freely. No rejection.
        first = -np.log1p(rng.random(n) * np.expm1(-v["rate"]))
        return 1 + poisson_draws(rng, np.maximum(v["rate"] - first, 0.0))

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        return {"rate": positive(weighted_moments(k, w)[1])}

    def limits(self) -> tuple[Limit, ...]:
        reason = "All counts are zero: the rate runs to 0 and any family fits them equally well."
        return (Limit(PointMass(0), {"rate": 0.0}, {}, "poisson.all_zero", reason),)

    def limits_at_zero(self) -> tuple[Limit, ...]:
        reason = "Every positive count is 1: the rate runs to 0, and nothing is left to estimate."
        return (Limit(PointMass(1), {"rate": 0.0}, {}, "poisson.all_one", reason),)
