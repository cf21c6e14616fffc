"""What every family of count distributions says about itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import FamilyError
from distfit_counts.families.constraint import Array, Constraint
from distfit_counts.families.lazy import LazyModule, namespace

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from distfit_counts.families import special
else:
    torch = LazyModule("torch")
    special = LazyModule("distfit_counts.families.special")

# Natural values by name: floats, NumPy arrays or torch tensors; the formulas of moments hold for all three.
Values = Mapping[str, Any]
Draws = Callable[[int], Array]


class Role(Enum):
    """What a parameter is for, whatever it is called: where a formula and an exposure go follows from that.

    ``LOCATION`` says how large counts are; ``DISPERSION`` how they scatter about that, ``WEIGHT`` how often a component
    is drawn: both are constants unless they are given a formula; ``ZEROS`` how many zeros there are beside.
    """

    LOCATION = "location"
    DISPERSION = "dispersion"
    ZEROS = "zeros"
    WEIGHT = "weight"


@dataclass(frozen=True)
class Parameter:
    """One parameter, or the weights of a mixture (several names that share a simplex)."""

    names: tuple[str, ...]
    constraint: Constraint
    meaning: str
    role: Role

    @property
    def free(self) -> int:
        """Unconstrained coordinates: one per name, one less on a simplex."""
        return self.constraint.free(len(self.names))


@dataclass(frozen=True)
class Limit:
    """A simpler family that this one becomes at a boundary of its parameter space.

    ``fixed``: this family's parameters there (0, 1, inf; NaN where no value is defined). ``carried``: this
    family's names -> the names under which the simpler family has them. ``code`` and ``reason``: the verdict
    when the maximum lies there.
    """

    family: Family
    fixed: Mapping[str, float]
    carried: Mapping[str, str]
    code: str
    reason: str


@dataclass(frozen=True)
class Case:
    """A simpler family that this one contains in the interior of its parameter space.

    ``values``: this family's natural values where it is the simpler one at natural values of its own.
    """

    family: Family
    values: Callable[[Values], dict[str, Any]]


class Family(ABC):
    """An immutable value: parameters and formulas, no data, no fitted numbers.

    Shapes: ``log_prob`` takes working values (see ``constraint``) and counts ``k`` (float64) that broadcast
    against each other and have the same number of dimensions. ``start`` takes ``k`` and ``w`` with shapes [..., V]
    and returns natural values without V.
    """

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return ()

    @property
    def lowest(self) -> int:
        """The smallest count with P > 0."""
        return 0

    @property
    @abstractmethod
    def spec(self) -> str:
        """The family's name in the family language; ``spec.parse`` reads it back."""

    @abstractmethod
    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        """log P(Y = k), all constants included."""

    @abstractmethod
    def mean(self, v: Values) -> Any: ...

    @abstractmethod
    def variance(self, v: Values) -> Any: ...

    @abstractmethod
    def log_prob_zero(self, v: Values) -> Any:
        """log P(Y = 0) from natural values."""

    @abstractmethod
    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """``n`` independent draws."""

    @abstractmethod
    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        """Natural values to start from: moments of the weighted counts.

        ``draws(m)`` gives uniforms [restarts, m] for families that have no single moment start; row 0 is the
        deterministic one.
        """

    def starts(self, k: Array, w: Array) -> list[dict[str, Array]]:
        """Further natural values [C] to start from, where one start from the moments of the counts ``k``, ``w`` [C, V]
        may not do.
        """
        return []

    def log_prob_natural(self, v: Mapping[str, Tensor], k: Tensor) -> Tensor:
        """``log_prob`` from natural values (a probability, not a logit), which broadcast against ``k``."""
        p = {}
        for parameter in self.parameters:
            for name in parameter.names:
                value = parameter.constraint.from_natural(v[name])
                # As many dimensions as k: a mixture stacks its components in front of them.
                p[name] = value.reshape((1,) * (k.dim() - value.dim()) + value.shape)
        return self.log_prob(p, k)

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        """log P(Y > 0), without cancellation where zeros are nearly all there is."""
        return special.log1mexp(self.log_prob(p, torch.zeros_like(next(iter(p.values())))))

    def limits(self) -> tuple[Limit, ...]:
        """The simpler families at the boundary. Where several are the same model, the first names it."""
        return ()

    def limits_at_zero(self) -> tuple[Limit, ...]:
        """What Y given Y > 0 becomes where all of Y's mass runs to zero (``family`` is on 1, 2, ...)."""
        return ()

    def special_cases(self) -> tuple[Case, ...]:
        """Simpler families that this one contains in the interior of its parameter space."""
        return ()

    @property
    def poisson_mixture(self) -> bool:
        """Whether every member is a Poisson whose rate was drawn from some distribution (a rate of 0 is allowed)."""
        return False

    @property
    def mixes(self) -> tuple[Family, ...]:
        """The families that a mixture mixes; itself for all others."""
        return (self,)

    def parts(self, v: Values) -> list[tuple[Any, Family, dict[str, Any]]]:
        """The components that a count is drawn from: (weight, family, its natural values); itself where it has none."""
        return [(1.0, self, {name: v[name] for name in self.names})]

    def peaks(self, v: Values) -> list[tuple[Any, Any]]:
        """(mean, variance) of every part that has one peak: where counts far from zero may be probable."""
        return [(self.mean(v), self.variance(v))]

    def inside(
        self, limit: Limit, start: dict[str, Array], nested: Values, k: Array, w: Array
    ) -> list[dict[str, Array]]:
        """Starts in the interior beside the solution of a simpler family: its values where both have them.

        ``k``, ``w`` [C, V] are the data, for families that look there for a place to start from.
        """
        if not limit.carried:
            return []
        return [start | {name: nested[other] for name, other in limit.carried.items()}]

    def canonical(self, v: Values) -> dict[str, str]:
        """Relabelling {name: name to take the value from} that sorts equal mixture components by mean."""
        return {name: name for name in self.names}

    def plain(self) -> Family:
        """The same model under the name that people know it by."""
        return self

    def derived(self, v: Values) -> dict[str, float]:
        """Values under the names that other tools use."""
        return {}

    def variance_formula(self) -> str:
        """The convention in words, since tools use the same names with opposite meanings."""
        return ""

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """``n`` draws of Y given Y > 0; by rejection where a family knows nothing better."""
        accepted = np.empty(0, dtype=np.int64)
        share = max(-math.expm1(float(self.log_prob_zero(v))), 1e-6)
        while len(accepted) < n:
            batch = int(1.1 * (n - len(accepted)) / share) + 16
            draws = self.sample(v, min(batch, 4_000_000), rng)
            accepted = np.concatenate([accepted, draws[draws > 0]])
        return accepted[:n]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for parameter in self.parameters for name in parameter.names)

    @cached_property
    def n_parameters(self) -> int:
        return sum(parameter.free for parameter in self.parameters)

    def check(self, v: Mapping[str, float]) -> None:
        """Refuse, by name, values that are missing, unknown or out of range."""
        known = ", ".join(self.names) or "none"
        for name in v:
            if name not in self.names:
                raise FamilyError(f"{self.spec} has no parameter {name!r}", f"its parameters are: {known}")
        for name in self.names:
            if name not in v:
                raise FamilyError(f"{self.spec} needs the parameter {name!r}", f"its parameters are: {known}")
        for parameter in self.parameters:
            _check_range(self.spec, parameter, [float(v[name]) for name in parameter.names])
        numbers = {name: np.float64(value) for name, value in v.items()}
        with np.errstate(all="ignore"):
            proper = np.isfinite(self.mean(numbers)) and np.isfinite(self.variance(numbers))
        if not proper:
            listed = ", ".join(f"{name} = {value:g}" for name, value in v.items())
            raise FamilyError(
                f"{self.spec}: there is no such distribution at {listed}", "name the simpler family there"
            )


def _check_range(spec: str, parameter: Parameter, values: list[float]) -> None:
    constraint = parameter.constraint
    for name, value in zip(parameter.names, values, strict=True):
        if not constraint.holds(value):
            raise FamilyError(
                f"{spec}: {name} = {value:g} is out of range", f"{name} ({parameter.meaning}) lies {constraint.range}"
            )
    if len(values) > 1 and abs(sum(values) - 1.0) > 1e-9:
        raise FamilyError(f"{spec}: the weights sum to {sum(values):g}", "they must sum to 1")


def weighted_moments(k: Array, w: Array) -> tuple[Array, Array, Array]:
    """Total weight, mean and variance (divisor n) over the last axis; zero where there is no weight."""
    total = w.sum(axis=-1)
    safe = np.where(total > 0, total, 1.0)
    mean = (w * k).sum(axis=-1) / safe
    variance = (w * (k - mean[..., None]) ** 2).sum(axis=-1) / safe
    return total, mean, variance


def positive(value: Any, floor: float = 1e-6) -> Array:
    """Keep a moment estimate off the boundary: a start must lie inside."""
    result: Array = np.maximum(np.asarray(value, dtype=float), floor)
    return result


def log_weighted_sum(parts: Sequence[tuple[Any, Any]]) -> Any:
    """log(sum of w exp(l)) for the weights w, of sum 1, and logarithms l <= 0 in ``parts``; NumPy or torch.

    Where the sum is near 1 its complement is summed, so that 1e-20 below 1 is told from 1; elsewhere the logarithms,
    for then the complement rounds to 1, or beyond.
    """
    xp = namespace(parts[0][1])
    rest = sum(w * -namespace(value).expm1(value) for w, value in parts)
    # Not log(0), whose slope is infinite: in a where, that makes NaN of the other branch's.
    logs = [namespace(w).log(w + 1e-320) + value for w, value in parts]
    xp = next((namespace(value) for value in logs if namespace(value) is not np), np)
    total = reduce(xp.logaddexp, [value if namespace(value) is xp else xp.as_tensor(value) for value in logs])
    near = rest < 0.5
    return xp.where(near, xp.log1p(-xp.where(near, rest, 0.5)), total)
