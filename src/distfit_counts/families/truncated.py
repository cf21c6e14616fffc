"""Zero-truncated: a family given that the count is positive (left truncation at zero).

pmf: P_base(k) / (1 - P_base(0)), k = 1, 2, ... With s = 1 - P_base(0) and m = base mean: mean = m/s,
variance = (base variance + m^2)/s - (m/s)^2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Case, Draws, Family, Limit, Parameter, Values, positive, weighted_moments
from distfit_counts.families.lazy import LazyModule, namespace

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from distfit_counts.families import special
else:
    torch = LazyModule("torch")
    special = LazyModule("distfit_counts.families.special")


# Zeros that a truncation is taken to hide, for each count that is seen: of a rate near 0 there are no bounds.
_MOST_UNSEEN = 1e4


@dataclass(frozen=True)
class Truncated(Family):
    base: Family
    lowest = 1

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.base.parameters

    @property
    def spec(self) -> str:
        return f"zt({self.base.spec})"

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        positive = k > 0
        # At k = 0 the base is asked for k = 1, so that no gradient there can be NaN.
        safe = torch.where(positive, k, torch.ones_like(k))
        log_prob = self.base.log_prob(p, safe) - self.base.log_prob_positive(p)
        return torch.where(positive, log_prob, -torch.inf)

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        return torch.zeros_like(next(iter(p.values())))

    def mean(self, v: Values) -> Any:
        return self.base.mean(v) / self._share(v)

    def variance(self, v: Values) -> Any:
        share, mean = self._share(v), self.base.mean(v)
        return (self.base.variance(v) + mean**2) / share - (mean / share) ** 2

    def peaks(self, v: Values) -> list[tuple[Any, Any]]:
        return self.base.peaks(v)

    def variance_formula(self) -> str:
        return f"zero-truncated; before truncation {self.base.variance_formula()}"

    def log_prob_zero(self, v: Values) -> Any:
        return -np.inf

    def derived(self, v: Values) -> dict[str, float]:
        return self.base.derived(v)

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        return self.base.sample_positive(v, n, rng)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        return self.base.start(k, w, draws)

    def starts(self, k: Array, w: Array) -> list[dict[str, Array]]:
        return self.base.starts(*with_zeros(k, w, poisson_zeros(k, w)))

    def limits(self) -> tuple[Limit, ...]:
        kept = [
            replace(limit, family=truncate(limit.family))
            for limit in self.base.limits()
            if "point(0)" not in limit.family.spec
        ]
        return (*self.base.limits_at_zero(), *kept)

    def special_cases(self) -> tuple[Case, ...]:
        return tuple(replace(case, family=truncate(case.family)) for case in self.base.special_cases())

    def inside(
        self, limit: Limit, start: dict[str, Array], nested: Values, k: Array, w: Array
    ) -> list[dict[str, Array]]:
        return self.base.inside(
            limit, start, nested, *with_zeros(k, w, unseen_zeros(untruncated(limit.family), nested, w))
        )

    def canonical(self, v: Values) -> dict[str, str]:
        return self.base.canonical(v)

    def _share(self, v: Values) -> Any:
        log_zero = self.base.log_prob_zero(v)
        return -namespace(log_zero).expm1(log_zero)


def untruncated(family: Family) -> Family:
    """What ``truncate`` made ``family`` from."""
    return family.base if isinstance(family, Truncated) else family


def with_zeros(k: Array, w: Array, zeros: Array) -> tuple[Array, Array]:
    """The positive counts of ``k``, ``w`` [C, V] after so many ``zeros`` [C]: counts and weights [C, V + 1]."""
    positive_only = np.where(k > 0, w, 0.0)
    return np.pad(k, ((0, 0), (1, 0))), np.concatenate([zeros[:, None], positive_only], axis=1)


def unseen_zeros(base: Family, v: Values, w: Array) -> Array:
    """How many zeros [C] the truncation at zero is expected to have kept from sight, where ``base`` at natural values
    ``v`` [C] gave the counts of weights ``w`` [C, V].

    With them the gradient of the likelihood of ``base`` is that of the truncated one (Fisher's identity).
    """
    if base.lowest > 0 or not base.parameters:
        return np.zeros(len(w))
    with np.errstate(all="ignore"):
        log_zero = base.log_prob_zero(v)
        odds = np.exp(log_zero) / -np.expm1(log_zero)
    bounded = np.clip(np.nan_to_num(odds, posinf=_MOST_UNSEEN), 0.0, _MOST_UNSEEN)
    return np.asarray(w.sum(axis=1) * bounded)


def poisson_zeros(k: Array, w: Array) -> Array:
    """How many zeros [...] a Poisson has that has the positive counts of ``k``, ``w`` [..., V]."""
    shown, mean, _ = weighted_moments(k, np.where(k == 0, 0.0, w))
    # The rate of a zero-truncated Poisson of this mean: rate = mean (1 - exp(-rate)).
    rate = positive(mean)
    for _ in range(10):
        rate = positive(-mean * np.expm1(-rate))
    return np.asarray(shown * np.exp(-rate) / -np.expm1(-rate))


def truncate(family: Family) -> Family:
    """``family`` given Y > 0; itself if it has no zeros anyway."""
    return family if family.lowest > 0 else Truncated(family)
