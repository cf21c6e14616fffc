"""Log-series (Fisher 1943): the zero-truncated negative binomial as its size runs to 0.

pmf: -q^k / (k log(1-q)), k = 1, 2, ...; 0 < q < 1. With a = -1/log(1-q): mean = a q/(1-q),
variance = mean (1/(1-q) - mean). Limit: q -> 0 puts all mass on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import UNIT, Array
from distfit_counts.families.family import Draws, Family, Limit, Parameter, Role, Values, positive, weighted_moments
from distfit_counts.families.lazy import LazyModule, namespace
from distfit_counts.families.point_mass import PointMass

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from distfit_counts.families import special
else:
    torch = LazyModule("torch")
    special = LazyModule("distfit_counts.families.special")


@dataclass(frozen=True)
class LogSeries(Family):
    parameters = (Parameter(("q",), UNIT, "ratio of successive terms", Role.LOCATION),)
    spec = "logseries"
    lowest = 1

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        positive = k > 0
        safe = torch.where(positive, k, torch.ones_like(k))
        # log q - log(-log(1-q)) is one function of the logit l that tends to 0: for l < -30 both parts are l.
        log_q = torch.nn.functional.logsigmoid(p["q"])
        norm = special.log_softplus(p["q"])[0]
        return torch.where(positive, (safe - 1.0) * log_q + (log_q - norm) - torch.log(safe), -torch.inf)

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        return torch.zeros_like(next(iter(p.values())))

    def mean(self, v: Values) -> Any:
        # Counts beyond 1e15 bring q so near to 1 that a float64 is 1: the mean is then out of its reach.
        rest = 1.0 - v["q"]
        if isinstance(rest, float) and rest == 0.0:
            return np.inf
        return -v["q"] / (rest * namespace(v["q"]).log1p(-v["q"]))

    def variance(self, v: Values) -> Any:
        mean = self.mean(v)
        if isinstance(mean, float) and mean == np.inf:
            return np.inf
        return mean * (1.0 / (1.0 - v["q"]) - mean)

    def variance_formula(self) -> str:
        return "Var = mean (1/(1-q) - mean)"

    def log_prob_zero(self, v: Values) -> Any:
        return -np.inf

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return rng.logseries(v["q"], n)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        mean = positive(weighted_moments(k, w)[1], 1.001)
        # mean = a q/(1-q), a slowly varying: a few rounds of q = mean/(mean + a).
        q = 1.0 - 1.0 / mean
        for _ in range(20):
            q = np.clip(1.0 - 1.0 / (1.0 - mean * np.log1p(-q)), 1e-6, 1.0 - 1e-12)
        return {"q": q}

    def limits(self) -> tuple[Limit, ...]:
        reason = "Every positive count is 1: q runs to 0, and nothing is left to estimate."
        return (Limit(PointMass(1), {"q": 0.0}, {}, "logseries.all_one", reason),)
