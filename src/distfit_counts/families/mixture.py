"""Finite mixture: one of K component families, chosen with probabilities weight[1..K].

pmf: sum_i weight[i] P_i(k). mean = sum_i weight[i] m_i, variance = sum_i weight[i] (s2_i + m_i^2) - mean^2.
Component i's parameters carry its number: rate[1], size[2]. Equal components are sorted by their means, since
the likelihood does not change when they swap places. Limits: a component's weight runs to 0, or a component
becomes one of its own limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import SIMPLEX, Array
from distfit_counts.families.family import Draws, Family, Limit, Parameter, Values
from distfit_counts.families.lazy import LazyModule, namespace
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.quantiles import between, quantiles
from distfit_counts.families.zero_inflated import ZeroInflated

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from distfit_counts.families import log_pmf
else:
    log_pmf = LazyModule("distfit_counts.families.log_pmf")
    torch = LazyModule("torch")

# Where a new component may help: slices of the data by cumulative share, and of the positive counts, often few.
_SLICES = ((0.0, 0.25), (0.25, 0.75), (0.75, 0.95), (0.95, 0.99), (0.99, 1.0))
_POSITIVE_SLICES = ((0.0, 0.5), (0.5, 0.9), (0.9, 1.0))
# A point mass has no place to look for, only a weight.
_POINT_WEIGHTS = (0.02, 0.25)
# Distinct values on which a further component is tried.
_GRID = 24


@dataclass(frozen=True)
class Mixture(Family):
    components: tuple[Family, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        weights = tuple(f"weight[{i}]" for i in range(1, len(self.components) + 1))
        listed = [Parameter(weights, SIMPLEX, "P(component)")]
        for i, component in enumerate(self.components, start=1):
            listed += [
                Parameter(tuple(f"{name}[{i}]" for name in parameter.names), parameter.constraint, parameter.meaning)
                for parameter in component.parameters
            ]
        return tuple(listed)

    @property
    def lowest(self) -> int:
        return min(component.lowest for component in self.components)

    @property
    def spec(self) -> str:
        runs = [(spec, len(list(group))) for spec, group in groupby(c.spec for c in self.components)]
        return "+".join(f"{count}*{spec}" if count > 1 else spec for spec, count in runs)

    def log_prob(self, p: Mapping[str, Tensor], k: Tensor) -> Tensor:
        parts = []
        for indices in self.equal():
            # Equal components are evaluated in one call, stacked along a new first axis.
            component = self.components[indices[0]]
            own = {name: torch.stack([p[f"{name}[{i + 1}]"] for i in indices]) for name in component.names}
            weight = torch.stack([p[f"weight[{i + 1}]"] for i in indices])
            parts.append(weight + component.log_prob(own, k))
        shape = np.broadcast_shapes(*(part.shape[1:] for part in parts))  # torch's own imports SymPy
        return log_pmf.log_sum_exp(torch.cat([part.expand(-1, *shape) for part in parts]))

    def log_prob_positive(self, p: Mapping[str, Tensor]) -> Tensor:
        parts = [
            p[f"weight[{i}]"] + component.log_prob_positive({name: p[f"{name}[{i}]"] for name in component.names})
            for i, component in enumerate(self.components, start=1)
        ]
        return log_pmf.log_sum_exp(torch.stack(parts))

    def mean(self, v: Values) -> Any:
        return sum(w * c.mean(own) for w, c, own in self.parts(v))

    def variance(self, v: Values) -> Any:
        second = sum(w * (c.variance(own) + c.mean(own) ** 2) for w, c, own in self.parts(v))
        return second - self.mean(v) ** 2

    def variance_formula(self) -> str:
        formulas = dict.fromkeys(c.variance_formula() for c in self.components)
        return "mixture; in each component " + ", ".join(formulas)

    def log_prob_zero(self, v: Values) -> Any:
        # Through P(Y > 0): P(Y = 0) itself rounds to 1 where positive counts are rare.
        zeros = [(w, c.log_prob_zero(own)) for w, c, own in self.parts(v)]
        positive = sum(w * -namespace(zero).expm1(zero) for w, zero in zeros)
        with np.errstate(divide="ignore"):
            return namespace(positive).log1p(-positive)

    def derived(self, v: Values) -> dict[str, float]:
        return {
            f"{name}[{i}]": value
            for i, (_, component, own) in enumerate(self.parts(v), start=1)
            for name, value in component.derived(own).items()
        }

    def sample(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        parts = self.parts(v)
        return self._draw([float(w) for w, _, _ in parts], [c.sample for c in self.components], parts, n, rng)

    def sample_positive(self, v: Values, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        parts = self.parts(v)
        chance = [float(-w * np.expm1(c.log_prob_zero(own))) for w, c, own in parts]
        chosen = [c.sample_positive for c in self.components]
        return self._draw([x / sum(chance) for x in chance], chosen, parts, n, rng)

    def start(self, k: Array, w: Array, draws: Draws) -> dict[str, Array]:
        count = len(self.components)
        # Restart 1 splits at equal quantiles; the others put their centres at random quantiles.
        centre = quantiles(k, w, np.sort(draws(count), axis=-1))
        # Nearest centre on the scale of the square root, where a Poisson's spread does not depend on its mean.
        distance = np.abs(np.sqrt(k)[..., None] - np.sqrt(centre)[..., None, :])
        nearest = distance == distance.min(axis=-1, keepdims=True)
        # A little of the others' counts, or one may have none; a mean of ten stays ten beside counts of a million.
        little = 0.02 * np.minimum(100.0 * (centre[..., None, :] + 1.0) / (k[..., None] + 1.0), 1.0) ** 2
        share = nearest / nearest.sum(axis=-1, keepdims=True) + little
        values: dict[str, Array] = {}
        mass = np.stack([(w * share[..., i]).sum(axis=-1) for i in range(count)], axis=-1)
        weight = mass / mass.sum(axis=-1, keepdims=True)
        for i, component in enumerate(self.components):
            own = component.start(k, w * share[..., i], draws)
            values[f"weight[{i + 1}]"] = weight[..., i]
            values |= {f"{name}[{i + 1}]": value for name, value in own.items()}
        return values

    def limits(self) -> tuple[Limit, ...]:
        distinct = [indices for indices in self.equal() if self.components[indices[0]].parameters]
        drops = [self._without(indices[-1]) for indices in self.equal()]
        inner = [limit for indices in distinct for limit in self._component_limits(indices[0])]
        return (*drops, *inner)

    def special_cases(self) -> tuple[Family, ...]:
        own, firsts = dict(enumerate(self.components)), [indices[0] for indices in self.equal()]
        return tuple(_assemble(own | {i: case})[0] for i in firsts for case in self.components[i].special_cases())

    @property
    def mixes(self) -> tuple[Family, ...]:
        return self.components

    @property
    def poisson_mixture(self) -> bool:
        return all(component.poisson_mixture for component in self.components)

    def inside(
        self, limit: Limit, start: dict[str, Array], nested: Values, k: Array, w: Array
    ) -> list[dict[str, Array]]:
        dropped = [i for i in range(len(self.components)) if limit.fixed.get(f"weight[{i + 1}]") == 0.0]
        if not dropped:
            return super().inside(limit, start, nested, k, w)
        new = dropped[0]
        kept = {name: nested[other] for name, other in limit.carried.items()}
        kept |= {name: np.asarray(1.0) for name, value in limit.fixed.items() if value == 1.0}
        if not self.components[new].parameters:
            return [self._with(new, weight, {}, kept) for weight in _POINT_WEIGHTS]
        positive = np.where(k > 0, w, 0.0)
        positive = np.where(positive.sum(axis=-1, keepdims=True) > 0, positive, w)
        places = [*((*slice, w) for slice in _SLICES), *((*slice, positive) for slice in _POSITIVE_SLICES)]
        found = []
        for low, high, of in places:
            near = w * between(of, low, high) * (of > 0) + 1e-12 * w
            own = self.components[new].start(k, near, lambda m: np.full((1, m), 0.5))
            found.append((max(0.5 * (high - low), 0.02), own))
        missed = self._most_missed(new, {name: nested[other] for name, other in limit.carried.items()}, k, w)
        # Weights in proportion to the positive counts: where most are zeros, a component among the rest is small.
        share = np.where(k > 0, w, 0.0).sum(axis=-1) / w.sum(axis=-1)
        found += [(weight * np.maximum(share, 1e-6), missed) for weight in (0.002, 0.02, 0.2)]
        return [self._with(new, weight, own, kept) for weight, own in found]

    def _with(self, new: int, weight: Any, own: Mapping[str, Array], kept: Mapping[str, Array]) -> dict[str, Array]:
        """Values of the mixture where component ``new`` takes ``weight`` from the others."""
        values = {name: value * (1.0 - weight) if name.startswith("weight") else value for name, value in kept.items()}
        added = {f"{name}[{new + 1}]": value for name, value in own.items()}
        return values | added | {f"weight[{new + 1}]": np.asarray(weight)}

    def _most_missed(self, new: int, kept: Mapping[str, Any], k: Array, w: Array) -> dict[str, Array]:
        """Where another component raises the likelihood fastest: the largest sum_v w_v p(k_v) / p_mixture(k_v) over
        components centred on a grid of the distinct values (the gradient function of Lindsay 1983).
        """
        limit = self._without(new)
        values = {other: _tensor(kept[name])[:, None] for name, other in limit.carried.items()}
        fitted = limit.family.log_prob_natural(values, torch.from_numpy(k))
        # Of a column's own distinct values, without the padding that its neighbours bring.
        last = k.shape[1] - 1 - (w[:, ::-1] > 0).argmax(axis=1)
        centres = np.take_along_axis(k, np.linspace(0, last, _GRID, axis=1).astype(int), axis=1)
        start = self.components[new].start(
            centres[..., None], np.ones((*centres.shape, 1)), lambda m: np.full((1, m), 0.5)
        )
        own = {name: np.broadcast_to(value, centres.shape) for name, value in start.items()}
        candidate = self.components[new].log_prob_natural(
            {name: _tensor(value)[..., None] for name, value in own.items()}, torch.from_numpy(k)[:, None, :]
        )
        # As a logarithm: far from all components the ratio is beyond float64.
        log_ratio = torch.nan_to_num(candidate - fitted[:, None, :], nan=-torch.inf, posinf=torch.inf)
        best = torch.logsumexp(torch.from_numpy(w).log()[:, None, :] + log_ratio, dim=-1).argmax(dim=-1).numpy()
        return {name: value[np.arange(len(best)), best] for name, value in own.items()}

    def canonical(self, v: Values) -> dict[str, str]:
        labels = {name: name for name in self.names}
        for indices in self.equal():
            component = self.components[indices[0]]
            means = [float(np.nan_to_num(component.mean(self._own(v, i)), nan=np.inf)) for i in indices]
            order = sorted(range(len(indices)), key=lambda j: means[j])
            for place, j in zip(indices, order, strict=True):
                source = indices[j]
                labels[f"weight[{place + 1}]"] = f"weight[{source + 1}]"
                inner = component.canonical(self._own(v, source))
                labels |= {f"{name}[{place + 1}]": f"{other}[{source + 1}]" for name, other in inner.items()}
        return labels

    def plain(self) -> Family:
        rest = tuple(component for component in self.components if component != PointMass(0))
        if len(rest) == len(self.components) or not rest:
            return self
        return ZeroInflated(rest[0] if len(rest) == 1 else Mixture(rest))

    def equal(self) -> list[list[int]]:
        """Indices of the components, grouped by family."""
        groups: dict[Family, list[int]] = {}
        for i, component in enumerate(self.components):
            groups.setdefault(component, []).append(i)
        return list(groups.values())

    def _own(self, v: Values, i: int) -> dict[str, Any]:
        return {name: v[f"{name}[{i + 1}]"] for name in self.components[i].names}

    def parts(self, v: Values) -> list[tuple[Any, Family, dict[str, Any]]]:
        return [(v[f"weight[{i + 1}]"], c, self._own(v, i)) for i, c in enumerate(self.components)]

    def peaks(self, v: Values) -> list[tuple[Any, Any]]:
        return [peak for _, component, own in self.parts(v) for peak in component.peaks(own)]

    def _draw(
        self, chance: list[float], samplers: list[Any], parts: list[Any], n: int, rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        chosen = rng.choice(len(parts), size=n, p=chance)
        counts = np.empty(n, dtype=np.int64)
        for i, (sampler, (_, _, own)) in enumerate(zip(samplers, parts, strict=True)):
            here = chosen == i
            counts[here] = sampler(own, int(here.sum()), rng)
        return counts

    def _without(self, i: int) -> Limit:
        kept = {j: component for j, component in enumerate(self.components) if j != i}
        family, names = _assemble(kept)
        fixed = {f"weight[{i + 1}]": 0.0} | {f"{name}[{i + 1}]": np.nan for name in self.components[i].names}
        carried = {name: other for name, other in names.items() if other in family.names}
        if len(kept) == 1:
            fixed |= {f"weight[{j + 1}]": 1.0 for j in kept}
        reason = f"The weight of a component runs to 0: {self.spec} explains the counts no better than {family.spec}."
        return Limit(family, fixed, carried, "mixture.component_died", reason)

    def _component_limits(self, i: int) -> list[Limit]:
        limits = []
        for limit in self.components[i].limits():
            if limit.family in self.components and not limit.family.parameters:
                continue  # two equal point masses are one: that limit is a dropped component
            replaced = dict(enumerate(self.components)) | {i: limit.family}
            if not any(component.parameters for component in replaced.values()):
                continue
            family, names = _assemble(replaced)
            fixed = {f"{name}[{i + 1}]": value for name, value in limit.fixed.items()}
            inner = {f"{name}[{i + 1}]": names[f"{other}[{i + 1}]"] for name, other in limit.carried.items()}
            outer = {name: names[name] for name in self.names if name in names and name not in fixed | inner}
            spec = self.components[i].spec
            becomes = "explains zeros only" if limit.family.spec == "point(0)" else f"becomes {limit.family.spec}"
            limits.append(
                Limit(family, fixed, outer | inner, f"mixture.{limit.code}", f"A component of {spec} {becomes}.")
            )
        return limits


def _assemble(components: Mapping[int, Family]) -> tuple[Family, dict[str, str]]:
    """The mixture of ``components`` by their places here, sorted, so that the same mixture is not fitted twice in
    another order; and where each ``name[place]`` went.
    """
    order = sorted(components, key=lambda j: (components[j].spec, j))
    names: dict[str, str] = {}
    for place, j in enumerate(order, start=1):
        suffix = f"[{place}]" if len(order) > 1 else ""
        names |= {f"{name}[{j + 1}]": f"{name}{suffix}" for name in ("weight", *components[j].names)}
    listed = tuple(components[j] for j in order)
    return (listed[0] if len(listed) == 1 else Mixture(listed)), names


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))
