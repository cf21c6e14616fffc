"""Negative binomial, by mean and size.

pmf: Gamma(k+size)/(Gamma(size) k!) * (size/(size+mean))^size * (mean/(size+mean))^k, k = 0, 1, 2, ...;
mean > 0, size > 0. variance = mean + mean^2/size. Derived: dispersion = 1/size, prob = size/(size+mean).

Limits: size -> infinity is the Poisson (the maximum lies there exactly when the variance, divisor n, does not
exceed the mean: Levin and Reeds 1977); mean -> 0. Given Y > 0 with size -> 0 and mean/(mean+size) -> q it is
the log-series (Fisher 1943).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import POSITIVE, POSITIVE_BOTH_ENDS, Array
from distfit_counts.families.family import (
    Case,
    Draws,
    Family,
    Limit,
    Parameter,
    Role,
    Values,
    positive,
    weighted_moments,
)
from distfit_counts.families.geometric import Geometric
from distfit_counts.families.lazy import LazyModule, namespace
from distfit_counts.families.log_series import LogSeries
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.poisson_draws import poisson_draws

if TYPE_CHECKING:
    from torch import Tensor

    from distfit_counts.families import log_pmf
else:
    log_pmf = LazyModule("distfit_counts.families.log_pmf")


@dataclass(frozen=True)
class NegativeBinomial(Family):
    parameters = (
        Parameter(("mean",), POSITIVE, "mean of the negative binomial", Role.LOCATION),
        Parameter(("size",), POSITIVE_BOTH_ENDS, "Var = mean + mean²/size", Role.DISPERSION),
    )
    spec = "nb"
    poisson_mixture = True

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        return log_pmf.negative_binomial_log_prob(k, p["mean"], p["size"])

    def mean(self, v: Values) -> Any:
        return v["mean"]

    def variance(self, v: Values) -> Any:
        return v["mean"] + v["mean"] ** 2 / v["size"]

    def variance_formula(self) -> str:
        return "Var = mean + mean²/size"

    def log_prob_zero(self, v: Values) -> Any:
        if isinstance(v["size"], float) and v["size"] == np.inf:
            return -v["mean"]
        return -v["size"] * namespace(v["size"]).log1p(v["mean"] / v["size"])

    def derived(self, v: Values) -> dict[str, float]:
        return {"dispersion": 1.0 / v["size"], "prob": 1.0 / (1.0 + v["mean"] / v["size"])}

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        # Gamma-Poisson: NumPy's own negative_binomial takes prob, which rounds to 1 for large sizes.
        return poisson_draws(rng, rng.standard_gamma(v["size"], n) * (v["mean"] / v["size"]))

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        clusters = -float(self.log_prob_zero(v))
        if clusters > 1.0:  # at most e^-1 of the draws are zeros
            return super().sample_positive(v, n, rng)
        # A Poisson number of log-series clusters (Quenouille 1949), given at least one: exact, however rare Y > 0.
        number = Poisson().sample_positive({"rate": clusters}, n, rng)
        members = rng.logseries(v["mean"] / (v["mean"] + v["size"]), int(number.sum()))
        ends = np.cumsum(number)
        return np.add.reduceat(members, ends - number).astype(np.int64)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        _, mean, variance = weighted_moments(k, w)
        mean = positive(mean)
        excess = np.maximum(variance - mean, 1e-3 * mean)
        return {"mean": mean, "size": np.clip(mean**2 / excess, 1e-3, 1e9)}

    def limits(self) -> tuple[Limit, ...]:
        poisson = (
            "The counts are not overdispersed: size runs to infinity, and the negative binomial there is the Poisson."
        )
        zero = "All counts are zero: the mean runs to 0 and any family fits them equally well."
        return (
            Limit(PointMass(0), {"mean": 0.0, "size": np.nan}, {}, "nb.all_zero", zero),
            Limit(Poisson(), {"size": np.inf}, {"mean": "rate"}, "nb.poisson_limit", poisson),
        )

    def special_cases(self) -> tuple[Case, ...]:
        return (Case(Geometric(), lambda v: {"mean": v["mean"], "size": np.ones_like(v["mean"])}),)

    def limits_at_zero(self) -> tuple[Limit, ...]:
        series = (
            "size and mean run to 0 together: the positive counts follow the log-series distribution, which "
            "the zero-truncated negative binomial only approaches."
        )
        ones = "Every positive count is 1: the mean runs to 0, and nothing is left to estimate."
        return (
            Limit(PointMass(1), {"mean": 0.0, "size": np.nan}, {}, "nb.all_one", ones),
            Limit(LogSeries(), {"mean": 0.0, "size": 0.0}, {}, "nb.log_series_limit", series),
        )
