"""Zero-inflated: with probability pi a structural zero, otherwise a count of the base family.

pmf: pi + (1-pi) P_base(0) at k = 0, (1-pi) P_base(k) at k > 0; 0 < pi < 1. With m, s2 the base's moments:
mean = (1-pi) m, variance = (1-pi) (s2 + pi m^2). pi is P(structural zero), not P(Y = 0).
Limits: pi -> 0 is the base family; pi -> 1 puts all mass on zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import UNIT, Array
from distfit_counts.families.family import Case, Draws, Family, Limit, Parameter, Role, Values, log_weighted_sum
from distfit_counts.families.lazy import LazyModule
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.truncated import Truncated, poisson_zeros

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = LazyModule("torch")

_PI = Parameter(("pi",), UNIT, "P(structural zero)", Role.ZEROS)


@dataclass(frozen=True)
class ZeroInflated(Family):
    base: Family

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (_PI, *self.base.parameters)

    @property
    def spec(self) -> str:
        return {"poisson": "zip", "nb": "zinb"}.get(self.base.spec, f"zi({self.base.spec})")

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        logit = p["pi"]
        log_count = torch.nn.functional.logsigmoid(-logit)
        if self.base.lowest > 0:
            # Every zero is structural; log P0 = -inf would make NaN of the second derivatives below.
            safe = torch.where(k == 0, torch.full_like(k, self.base.lowest), k)
            return torch.where(k == 0, torch.nn.functional.logsigmoid(logit), log_count + self.base.log_prob(p, safe))
        at_zero = self.base.log_prob(p, torch.zeros_like(logit))
        # log(pi + (1-pi) P0): through 1 - (1-pi)(1-P0) where P0 is near 1 (pi plus the rest would round to 1
        # and lose the answer), through logaddexp elsewhere. Both branches get an argument they can bear.
        near_one = at_zero > -0.6931471805599453
        high = torch.where(near_one, at_zero, torch.full_like(at_zero, -0.5))
        low = torch.where(near_one, torch.full_like(at_zero, -1.0), at_zero)
        by_share = torch.log1p(torch.sigmoid(-logit) * torch.expm1(high))
        # Not torch.logaddexp: its second derivative is NaN where the two are more than 709 apart.
        by_sum = torch.logsumexp(
            torch.stack([torch.nn.functional.logsigmoid(logit).expand_as(low), log_count + low]), 0
        )
        zero = torch.where(near_one, by_share, by_sum)
        return torch.where(k == 0, zero, log_count + self.base.log_prob(p, k))

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        return torch.nn.functional.logsigmoid(-p["pi"]) + self.base.log_prob_positive(p)

    def mean(self, v: Values) -> Any:
        return (1.0 - v["pi"]) * self.base.mean(v)

    def variance(self, v: Values) -> Any:
        return (1.0 - v["pi"]) * (self.base.variance(v) + v["pi"] * self.base.mean(v) ** 2)

    def variance_formula(self) -> str:
        return f"structural zeros with probability pi; the rest: {self.base.variance_formula()}"

    def log_prob_zero(self, v: Values) -> Any:
        return log_weighted_sum([(v["pi"], 0.0), (1.0 - v["pi"], self.base.log_prob_zero(v))])

    def derived(self, v: Values) -> dict[str, float]:
        return self.base.derived(v)

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        # The base is only drawn where it shows: most of the work is saved where pi is large.
        counts = np.zeros(n, dtype=np.int64)
        shown = rng.random(n) >= v["pi"]
        counts[shown] = self.base.sample(v, int(shown.sum()), rng)
        return counts

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return self.base.sample_positive(v, n, rng)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        pi, held = self._gate(k, w)
        return {"pi": pi} | self.base.start(k, held, draws)

    def starts(self, k: Array, w: Array) -> list[dict[str, Array]]:
        pi, held = self._gate(k, w)
        return [{"pi": pi} | values for values in self.base.starts(k, held)]

    def _gate(self, k: Array, w: Array) -> tuple[Array, Array]:
        """The share of structural zeros, kept off 0 and 1, and the weights of all other counts."""
        total, held = w.sum(axis=-1), self._held(k, w)
        return np.clip(1.0 - held.sum(axis=-1) / np.where(total > 0, total, 1.0), 0.02, 0.98), held

    def _held(self, k: Array, w: Array) -> Array:
        """The weights without the structural zeros: as many zeros as a Poisson with these positive counts has."""
        is_zero, zeros = k == 0, poisson_zeros(k, w)
        held: Array = np.where(is_zero, np.minimum(w, zeros[..., None]), w)
        return np.where(held.sum(axis=-1, keepdims=True) > 0, held, w)

    def limits(self) -> tuple[Limit, ...]:
        base = {name: name for name in self.base.names}
        reason = (
            f"There are no more zeros than {self.base.spec} expects: pi runs to 0, and {self.spec} there is "
            f"{self.base.spec}."
        )
        all_zero = "All counts are zero: pi = 1 with any base, or pi = 0 with a mean of 0, fit them equally well."
        unknown = {"pi": np.nan} | {name: np.nan for name in base}
        limits = [
            Limit(PointMass(0), unknown, {}, "zi.all_zero", all_zero),
            Limit(self.base, {"pi": 0.0}, base, "zi.no_excess_zeros", reason),
        ]
        limits += [
            replace(limit, family=ZeroInflated(limit.family), carried={"pi": "pi"} | dict(limit.carried))
            for limit in self.base.limits()
            if "point(0)" not in limit.family.spec
        ]
        return tuple(limits)

    def special_cases(self) -> tuple[Case, ...]:
        # Over a truncated base pi is P(Y = 0), free to be what the base itself would have.
        inner = by_zeros("pi", self.base.base) if isinstance(self.base, Truncated) else ()
        return (*inner, *behind("pi", ZeroInflated, self.base))

    @property
    def poisson_mixture(self) -> bool:
        return self.base.poisson_mixture

    def parts(self, v: Values) -> list[tuple[Any, Family, dict[str, Any]]]:
        rest = [((1.0 - v["pi"]) * weight, family, own) for weight, family, own in self.base.parts(v)]
        return [(v["pi"], PointMass(0), {}), *rest]

    def peaks(self, v: Values) -> list[tuple[Any, Any]]:
        return self.base.peaks(v)

    def inside(
        self, limit: Limit, start: dict[str, Array], nested: Values, k: Array, w: Array
    ) -> list[dict[str, Array]]:
        if "pi" in limit.fixed:
            return super().inside(limit, start, nested, k, w)
        if not limit.carried:
            return []
        return [
            {"pi": nested["pi"]} | values
            for values in self.base.inside(limit, start, nested, k, self._left(limit, nested, k, w))
        ]

    def _left(self, limit: Limit, nested: Values, k: Array, w: Array) -> Array:
        """The weights without the zeros that are expected to be structural where ``limit`` gave the counts."""
        simpler = limit.family
        if not isinstance(simpler, ZeroInflated) or simpler.base.lowest > 0:
            return self._held(k, w)
        with np.errstate(all="ignore"):
            share = (1.0 - nested["pi"]) * np.exp(simpler.base.log_prob_zero(nested) - simpler.log_prob_zero(nested))
        left = np.broadcast_to(np.nan_to_num(share, nan=1.0), len(w))[:, None]
        return np.where(k == 0, w * np.clip(left, 1e-9, 1.0), w)

    def canonical(self, v: Values) -> dict[str, str]:
        return {"pi": "pi"} | self.base.canonical(v)


def by_zeros(name: str, inner: Family) -> tuple[Case, ...]:
    """``inner`` and its zero inflation in a family with its positive counts and with P(Y = 0) as parameter ``name``."""

    def values(family: Family, v: Values) -> dict[str, Any]:
        with np.errstate(all="ignore"):
            zeros = np.exp(np.asarray(family.log_prob_zero(v), dtype=np.float64))
        return {name: zeros} | {own: v[own] for own in inner.names}

    families = (inner, ZeroInflated(inner)) if inner.lowest == 0 and inner.parameters else ()
    return tuple(Case(family, partial(values, family)) for family in families)


def behind(name: str, wrapped: Callable[[Family], Family], base: Family) -> tuple[Case, ...]:
    """The special cases of ``base``, each in the same wrapper, whose own parameter ``name`` stays what it is."""

    def values(case: Case, v: Values) -> dict[str, Any]:
        return {name: v[name]} | case.values({own: v[own] for own in case.family.names})

    return tuple(Case(wrapped(case.family), partial(values, case)) for case in base.special_cases())
