"""Hurdle: zero with probability p0, otherwise a zero-truncated count of the base family.

pmf: p0 at k = 0, (1-p0) P_base(k)/(1 - P_base(0)) at k > 0; 0 < p0 < 1. p0 is P(Y = 0) itself. Unlike zero
inflation it can also have fewer zeros than its base. With m, s2 the truncated base's moments:
mean = (1-p0) m, variance = (1-p0) (s2 + p0 m^2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import UNIT, Array
from distfit_counts.families.family import Case, Draws, Family, Limit, Parameter, Role, Values, weighted_moments
from distfit_counts.families.lazy import LazyModule, namespace
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.truncated import Truncated, truncate, untruncated
from distfit_counts.families.zero_inflated import behind, by_zeros

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = LazyModule("torch")

_P0 = Parameter(("p0",), UNIT, "P(Y = 0)", Role.ZEROS)


@dataclass(frozen=True)
class Hurdle(Family):
    base: Family

    @property
    def positive_part(self) -> Family:
        return truncate(self.base)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (_P0, *self.base.parameters)

    @property
    def spec(self) -> str:
        return f"hurdle({self.base.spec})"

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        is_zero = k == 0
        log_positive = torch.nn.functional.logsigmoid(-p["p0"])
        safe = torch.where(is_zero, torch.ones_like(k), k)
        rest = {name: value for name, value in p.items() if name != "p0"}
        positive = log_positive + self.positive_part.log_prob(rest, safe)
        return torch.where(is_zero, torch.nn.functional.logsigmoid(p["p0"]), positive)

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        return torch.nn.functional.logsigmoid(-p["p0"])

    def mean(self, v: Values) -> Any:
        return (1.0 - v["p0"]) * self.positive_part.mean(v)

    def variance(self, v: Values) -> Any:
        part = self.positive_part
        return (1.0 - v["p0"]) * (part.variance(v) + v["p0"] * part.mean(v) ** 2)

    def variance_formula(self) -> str:
        return f"zeros with probability p0; the rest is zero-truncated {self.base.spec}: {self.base.variance_formula()}"

    def log_prob_zero(self, v: Values) -> Any:
        return namespace(v["p0"]).log(v["p0"])

    def derived(self, v: Values) -> dict[str, float]:
        return self.base.derived(v)

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        counts = np.zeros(n, dtype=np.int64)
        shown = rng.random(n) >= v["p0"]
        counts[shown] = self.positive_part.sample(v, int(shown.sum()), rng)
        return counts

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return self.positive_part.sample(v, n, rng)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        p0, shown = self._apart(k, w)
        return {"p0": p0} | self.base.start(k, shown, draws)

    def starts(self, k: Array, w: Array) -> list[dict[str, Array]]:
        p0, shown = self._apart(k, w)
        return [{"p0": p0} | values for values in self.positive_part.starts(k, shown)]

    def _apart(self, k: Array, w: Array) -> tuple[Array, Array]:
        """The share of zeros, kept off 0 and 1, and the weights of the positive counts, of all where there is none."""
        total, _, _ = weighted_moments(k, w)
        without = np.where(k == 0, 0.0, w)
        shown = without.sum(axis=-1)
        p0 = np.clip(1.0 - shown / np.where(total > 0, total, 1.0), 1e-3, 1.0 - 1e-3)
        return p0, np.where(shown[..., None] > 0, without, w)

    def limits(self) -> tuple[Limit, ...]:
        base = {name: name for name in self.base.names}
        part = self.positive_part
        none = f"There are no zeros: p0 runs to 0, and {self.spec} there is {part.spec}."
        all_zero = "All counts are zero: p0 runs to 1, and the positive part cannot be estimated."
        limits = [
            Limit(PointMass(0), {"p0": 1.0} | {name: np.nan for name in base}, {}, "hurdle.all_zero", all_zero),
            Limit(part, {"p0": 0.0}, base, "hurdle.no_zeros", none),
        ]
        limits += [
            replace(
                limit,
                family=Hurdle(limit.family.base if isinstance(limit.family, Truncated) else limit.family),
                carried={"p0": "p0"} | dict(limit.carried),
            )
            for limit in part.limits()
        ]
        return tuple(limits)

    def special_cases(self) -> tuple[Case, ...]:
        # p0 of at least P_base(0) is zero inflation; p0 equal to it is the base.
        return (*by_zeros("p0", untruncated(self.base)), *behind("p0", Hurdle, self.base))

    def parts(self, v: Values) -> list[tuple[Any, Family, dict[str, Any]]]:
        rest = {name: v[name] for name in self.base.names}
        return [(v["p0"], PointMass(0), {}), (1.0 - v["p0"], self.positive_part, rest)]

    def peaks(self, v: Values) -> list[tuple[Any, Any]]:
        return self.base.peaks(v)

    def inside(
        self, limit: Limit, start: dict[str, Array], nested: Values, k: Array, w: Array
    ) -> list[dict[str, Array]]:
        if "p0" in limit.fixed:
            return super().inside(limit, start, nested, k, w)
        # Where the positive part has no interior start beside this limit, its own moments serve.
        rest = {name: value for name, value in start.items() if name != "p0"}
        simpler = limit.family.positive_part if isinstance(limit.family, Hurdle) else limit.family
        found = self.positive_part.inside(replace(limit, family=simpler), rest, nested, k, self._apart(k, w)[1])
        return [{"p0": nested["p0"]} | values for values in found or [rest]]

    def canonical(self, v: Values) -> dict[str, str]:
        return {"p0": "p0"} | self.base.canonical(v)
