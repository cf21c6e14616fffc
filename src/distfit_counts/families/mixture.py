"""Finite mixture: one of K component families, chosen with probabilities weight[1..K].

pmf: sum_i weight[i] P_i(k). mean = sum_i weight[i] m_i, variance = sum_i weight[i] (s2_i + m_i^2) - mean^2.
Component i's parameters carry its number: rate[1], size[2]. Equal components are sorted by their means, since
the likelihood does not change when they swap places. Limits: a component's weight runs to 0, or a component
becomes one of its own limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import SIMPLEX, Array
from distfit_counts.families.family import Case, Draws, Family, Limit, Parameter, Role, Values, log_weighted_sum
from distfit_counts.families.labels import ordered_by
from distfit_counts.families.lazy import LazyModule
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.quantiles import quantiles
from distfit_counts.families.segmentation import Ints, finest, joined, segments
from distfit_counts.families.truncated import truncate
from distfit_counts.families.zero_inflated import ZeroInflated

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from distfit_counts.families import log_pmf
else:
    log_pmf = LazyModule("distfit_counts.families.log_pmf")
    torch = LazyModule("torch")

# Where a new component is tried: windows of so many runs of the counts, and so many centres; with which weights; and of
# how many it starts.
_WINDOWS, _CENTRES, _WEIGHTS, _PEAKS = 12, 24, (1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 0.6), 4
_BISECTIONS = 24
# The limit where a component's weight runs to 0.
_DIED = "mixture.component_died"
# The means with which a component starts whose mass runs to zero.
_LITTLE = (0.3, 0.03)
# A point mass has no place to look for, only a weight.
_POINT_WEIGHTS = (0.02, 0.25)
# Ways to give the components runs of the counts, and in how many orders where they are different.
_WAYS, _ORDERS = 120, 6
# Of all ways to give them, how many are followed for so many steps of the EM algorithm, and how many of those are kept.
_RANKED, _STEPS, _STARTS = 12, 4, 4
# Log-likelihood units within which two of them are the same.
_ALIKE = 1e-3
# Numbers that are computed at a time.
_ELEMENTS = 2**21


Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mixture(Family):
    components: tuple[Family, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        weights = tuple(f"weight[{i}]" for i in range(1, len(self.components) + 1))
        listed = [Parameter(weights, SIMPLEX, "P(component)", Role.WEIGHT)]
        for i, component in enumerate(self.components, start=1):
            listed += [
                Parameter(
                    tuple(f"{name}[{i}]" for name in parameter.names),
                    parameter.constraint,
                    parameter.meaning,
                    parameter.role,
                )
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
        return log_weighted_sum([(w, c.log_prob_zero(own)) for w, c, own in self.parts(v)])

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
        return self._estimated(k, w, np.moveaxis(share, -1, 0), draws)

    def _estimated(self, k: Array, w: Array, share: Array, draws: Draws) -> dict[str, Array]:
        """Weights and moments of the components that have the ``share`` [K, ..., V] of each count."""
        values: dict[str, Array] = {}
        mass = (w * share).sum(axis=-1)
        # Where no component can produce any of the counts, all are alike.
        total = mass.sum(axis=0)
        weight = np.where(total > 0.0, mass / np.where(total > 0.0, total, 1.0), 1.0 / len(self.components))
        for i, component in enumerate(self.components):
            values[f"weight[{i + 1}]"] = weight[i]
            own = component.start(k, w * share[i], draws)
            values |= {f"{name}[{i + 1}]": value for name, value in own.items()}
        return values

    def starts(self, k: Array, w: Array) -> list[dict[str, Array]]:
        """The best of all ways to give each component a run of the counts: by the likelihood at the moments of the run,
        and then after a few steps of the EM algorithm.
        """
        orders = self._orders()
        most = finest(len(self.components), _WAYS // len(orders))
        block = max(1, _ELEMENTS // (_WAYS * len(self.components) * k.shape[1]))
        pieces = [slice(i, i + block) for i in range(0, len(k), block)]
        found = [self._from_runs(k[piece], w[piece], most, orders) for piece in pieces]
        whole = {name: np.concatenate([part[name] for part in found]) for name in self.names}
        return [{name: value[:, i] for name, value in whole.items()} for i in range(_STARTS)]

    def _orders(self) -> Ints:
        """Which run each component is given [O, K], in all orders that are different models, as far as they are few.

        Point masses are given the first runs.
        """
        groups = sorted(self.equal(), key=lambda indices: bool(self.components[indices[0]].parameters))
        fixed = [i for indices in groups for i in indices if not self.components[i].parameters]
        free = [indices for indices in groups if self.components[indices[0]].parameters]
        return np.argsort([fixed + order for order in islice(_merges(free), _ORDERS)], axis=1)

    def _from_runs(self, k: Array, w: Array, most: int, orders: Ints) -> dict[str, Array]:
        edges = joined(segments(k, w, most), len(self.components))
        run = (np.arange(k.shape[1]) >= edges[:, :, 1:-1, None]).sum(axis=2)
        own = np.concatenate([run == order[:, None, None, None] for order in orders], axis=2)
        k, w = k[:, None, :], w[:, None, :]
        values = self._estimated(k, w, own + 1e-9, _middle)
        values, share = self._best(values, k, w, _RANKED)
        for _ in range(_STEPS):
            values = self._estimated(k, w, share, _middle)
            share, _ = self._shares(values, k, w)
        return self._best(values, k, w, _STARTS)[0]

    def _best(self, values: dict[str, Array], k: Array, w: Array, keep: int) -> tuple[dict[str, Array], Array]:
        """The ``keep`` most likely of ``values`` [C, S], no two alike as far as there are others, and the share
        [K, C, keep, V] that each component has of the counts.
        """
        share, value = self._shares(values, k, w)
        order = np.argsort(-value, axis=1, kind="stable")
        ranked = np.take_along_axis(value, order, axis=1)
        again = np.diff(ranked, axis=1, prepend=np.inf) > -_ALIKE
        order = np.take_along_axis(order, np.argsort(again, axis=1, kind="stable"), axis=1)[:, :keep]
        if order.shape[1] < keep:
            order = order[:, np.arange(keep) % order.shape[1]]
        kept = {name: np.take_along_axis(own, order, axis=1) for name, own in values.items()}
        return kept, np.take_along_axis(share, order[None, :, :, None], axis=2)

    def _shares(self, values: Mapping[str, Array], k: Array, w: Array) -> tuple[Array, Array]:
        """The posterior share [K, C, S, V] of each component in the counts, and the log-likelihood [C, S]."""
        tensors = {name: _tensor(value)[..., None] for name, value in values.items()}
        counts = torch.from_numpy(k)
        parts = [weight.log() + family.log_prob_natural(own, counts) for weight, family, own in self.parts(tensors)]
        shape = np.broadcast_shapes(*(part.shape for part in parts))
        stacked = torch.stack([part.expand(shape) for part in parts])
        total = torch.logsumexp(stacked, dim=0)
        value = torch.where(torch.from_numpy(w) > 0.0, total, 0.0) * torch.from_numpy(w)
        share = torch.nan_to_num((stacked - total).exp())
        return share.numpy(), np.nan_to_num(value.sum(dim=-1).numpy(), nan=-np.inf)

    def limits(self) -> tuple[Limit, ...]:
        distinct = [indices for indices in self.equal() if self.components[indices[0]].parameters]
        drops = [self._without(indices[-1]) for indices in self.equal()]
        inner = [limit for indices in distinct for limit in self._component_limits(indices[0])]
        return (*drops, *inner)

    def limits_at_zero(self) -> tuple[Limit, ...]:
        """A component's mass runs to zero and its weight to 1, so that it keeps a share of the positive counts."""
        firsts = [indices[0] for indices in self.equal()]
        return tuple(self._at_zero(i, limit) for i in firsts for limit in self.components[i].limits_at_zero())

    def _at_zero(self, i: int, limit: Limit) -> Limit:
        """Given Y > 0, where component ``i`` is at that ``limit`` of its own."""
        others = {j: component for j, component in enumerate(self.components) if j != i}
        family, names = _assemble({j: truncate(component) for j, component in others.items()} | {i: limit.family})
        fixed = {f"{name}[{i + 1}]": value for name, value in limit.fixed.items()} | {f"weight[{i + 1}]": 1.0}
        fixed |= {f"weight[{j + 1}]": 0.0 for j in others}
        carried = {f"{name}[{j + 1}]": names[f"{name}[{j + 1}]"] for j, c in others.items() for name in c.names}
        reason = (
            f"Among the positive counts a component of {self.spec} becomes {limit.family.spec}: its mean runs to 0 and "
            f"its weight to 1, and its share of the positive counts is a weight of {family.spec}."
        )
        return Limit(family, fixed, carried, f"mixture.{limit.code}", reason)

    def special_cases(self) -> tuple[Case, ...]:
        firsts = [indices[0] for indices in self.equal()]
        found = [self._where(i, case) for i in firsts for case in self.components[i].special_cases()]
        inflated = [i for i, component in enumerate(self.components) if isinstance(component, ZeroInflated)]
        return (*found, self._inflated(inflated)) if inflated else tuple(found)

    def _where(self, i: int, case: Case) -> Case:
        """Where component ``i`` is a special ``case`` of itself."""
        family, names = _assemble(dict(enumerate(self.components)) | {i: case.family})

        def values(v: Values) -> dict[str, Any]:
            found = {name: v[names[name]] for name in self.names if name in names}
            inner = case.values({name: v[names[f"{name}[{i + 1}]"]] for name in case.family.names})
            return found | {f"{name}[{i + 1}]": value for name, value in inner.items()}

        return Case(family, values)

    def _inflated(self, inflated: list[int]) -> Case:
        """Where the structural zeros of the components ``inflated`` are in proportion to their weights."""
        bare = {i: component.base for i, component in enumerate(self.components) if isinstance(component, ZeroInflated)}
        inner, names = _assemble(dict(enumerate(self.components)) | bare)

        def values(v: Values) -> dict[str, Any]:
            weights = [f"weight[{i + 1}]" for i in range(len(self.components))]
            found = {name: v[names[name]] for name in self.names if name in names}
            found |= {name: (1.0 - v["pi"]) * v[names[name]] for name in weights}
            odds = v["pi"] / sum(found[weights[i]] for i in inflated)
            found |= {weights[i]: found[weights[i]] * (1.0 + odds) for i in inflated}
            return found | {f"pi[{i + 1}]": odds / (1.0 + odds) for i in inflated}

        return Case(ZeroInflated(inner), values)

    @property
    def mixes(self) -> tuple[Family, ...]:
        return self.components

    @property
    def poisson_mixture(self) -> bool:
        return all(component.poisson_mixture for component in self.components)

    def inside(
        self, limit: Limit, start: dict[str, Array], nested: Values, k: Array, w: Array
    ) -> list[dict[str, Array]]:
        weights = [limit.fixed.get(f"weight[{i + 1}]") for i in range(len(self.components))]
        if 0.0 not in weights:
            return super().inside(limit, start, nested, k, w)
        if limit.code != _DIED:
            return self._beside_zero(weights.index(1.0), limit, start, nested)
        new = weights.index(0.0)
        kept = {name: nested[other] for name, other in limit.carried.items()}
        kept |= {name: np.asarray(1.0) for name, value in limit.fixed.items() if value == 1.0}
        if not self.components[new].parameters:
            return [self._with(new, weight, {}, kept) for weight in _POINT_WEIGHTS]
        missed = self._most_missed(new, {name: nested[other] for name, other in limit.carried.items()}, k, w)
        return [self._with(new, weight, own, kept) for weight, own in missed]

    def _beside_zero(self, i: int, limit: Limit, start: dict[str, Array], nested: Values) -> list[dict[str, Array]]:
        """Given Y > 0: component ``i`` has little mass left, and the weights give all the shares that ``limit`` has."""
        _, names = _assemble(
            {j: truncate(component) for j, component in enumerate(self.components) if j != i}
            | {
                i: next(
                    own.family for own in self.components[i].limits_at_zero() if f"mixture.{own.code}" == limit.code
                )
            }
        )
        found = []
        for little in _LITTLE:
            values = start | {name: nested[other] for name, other in limit.carried.items()}
            values[f"{self.components[i].names[0]}[{i + 1}]"] = np.full_like(nested[names[f"weight[{i + 1}]"]], little)
            positive = [-np.expm1(c.log_prob_zero(self._own(values, j))) for j, c in enumerate(self.components)]
            shares = [nested[names[f"weight[{j + 1}]"]] / np.maximum(mass, 1e-300) for j, mass in enumerate(positive)]
            found.append(values | {f"weight[{j + 1}]": share / sum(shares) for j, share in enumerate(shares)})
        return found

    def _with(self, new: int, weight: Any, own: Mapping[str, Array], kept: Mapping[str, Array]) -> dict[str, Array]:
        """Values of the mixture where component ``new`` takes ``weight`` from the others."""
        weights = self.parameters[0].names
        values = {name: value * (1.0 - weight) if name in weights else value for name, value in kept.items()}
        added = {f"{name}[{new + 1}]": value for name, value in own.items()}
        return values | added | {f"weight[{new + 1}]": np.asarray(weight)}

    def _most_missed(
        self, new: int, kept: Mapping[str, Any], k: Array, w: Array
    ) -> list[tuple[Array, dict[str, Array]]]:
        """Components whose addition raises the likelihood most, each with the weight [C] that then raises it most: the
        highest local maxima of that gain, which begins as Lindsay's gradient function (1983).

        Tried are the moments of windows of the counts (neighbouring runs of the best segmentation, so that a component
        may be a narrow one within a wide one) and centres between the smallest and the largest count.
        """
        limit, component = self._without(new), self.components[new]
        values = {other: _tensor(kept[name])[:, None] for name, other in limit.carried.items()}
        fitted = limit.family.log_prob_natural(values, torch.from_numpy(k))[:, None, :]
        block = max(1, _ELEMENTS // (_WINDOWS**2 * k.shape[1]))
        found = []
        for piece in (slice(i, i + block) for i in range(0, len(k), block)):
            counts, weights = k[piece, None, :], w[piece, None, :]
            own, local = _candidates(component, counts, weights)
            candidate = component.log_prob_natural(
                {name: _tensor(value)[..., None] for name, value in own.items()}, torch.from_numpy(counts)
            )
            # As a logarithm, bounded: far from all components the ratio is beyond float64.
            log_ratio = torch.nan_to_num(candidate - fitted[piece], nan=-torch.inf).clamp(max=600.0)
            excess = torch.expm1(log_ratio).numpy()
            gain = _gain(excess, weights)
            best = np.lexsort((-gain, ~local(gain)), axis=1)[:, :_PEAKS]
            weight = _best_weight(np.take_along_axis(excess, best[:, :, None], axis=1), weights)
            found.append(
                {"weight": weight} | {name: np.take_along_axis(value, best, axis=1) for name, value in own.items()}
            )
        whole = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        listed = [{name: value[:, i] for name, value in whole.items()} for i in range(_PEAKS)]
        return [(values.pop("weight"), values) for values in listed]

    def canonical(self, v: Values) -> dict[str, str]:
        labels = {name: name for name in self.names}
        for indices in self.equal():
            component = self.components[indices[0]]
            means = ordered_by(np.array([component.mean(self._own(v, i)) for i in indices], dtype=np.float64))
            weights = np.array([v[f"weight[{i + 1}]"] for i in indices])
            order = np.lexsort((-weights, means)).tolist()
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
        return Limit(family, fixed, carried, _DIED, reason)

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


def _candidates(component: Family, k: Array, w: Array) -> tuple[dict[str, Array], Callable[[Array], Bools]]:
    """Natural values [C, G] of components that may be missing from the counts ``k``, ``w`` [C, 1, V]; and what says of
    the gain [C, G] of each whether it is a local maximum.
    """
    edges, place = segments(k[:, 0], w[:, 0], _WINDOWS), np.arange(k.shape[2])
    first, last = np.triu_indices(_WINDOWS)
    inside = (place >= edges[:, first, None]) & (place < edges[:, last + 1, None])
    windows = component.start(k, w * (inside + 1e-9), _middle)
    low, high = (np.sqrt(np.where(w > 0.0, k, other)) for other in (np.inf, 0.0))
    centre = np.linspace(low.min(axis=(1, 2)), high.max(axis=(1, 2)), _CENTRES, axis=1)[:, :, None] ** 2
    centres = component.start(centre, np.ones(centre.shape), _middle)

    def local(gain: Array) -> Bools:
        # Of equal neighbours the first.
        grid = np.full((len(gain), _WINDOWS + 2, _WINDOWS + 2), -np.inf)
        own, others = gain[:, : len(first)], gain[:, len(first) :]
        grid[:, first + 1, last + 1] = own
        highest = (own > grid[:, first, last + 1]) & (own > grid[:, first + 1, last])
        highest &= (own >= grid[:, first + 2, last + 1]) & (own >= grid[:, first + 1, last + 2])
        line = np.pad(others, ((0, 0), (1, 1)), constant_values=-np.inf)
        return np.concatenate([highest, (others > line[:, :-2]) & (others >= line[:, 2:])], axis=1)

    return {name: np.concatenate([windows[name], centres[name]], axis=1) for name in component.names}, local


def _gain(excess: Array, w: Array) -> Array:
    """max over a few weights of sum_v w_v log(1 + weight excess_v) [C, G]; ``excess`` [C, G, V]."""
    tried = [(w * np.log1p(weight * excess)).sum(axis=2) for weight in _WEIGHTS]
    return np.asarray(np.max(tried, axis=0))


def _best_weight(excess: Array, w: Array) -> Array:
    """The weight [C, G] that maximises sum_v w_v log(1 + weight excess_v), which is concave in it, by bisection of its
    logit; ``excess`` [C, G, V] = p_component(k_v)/p_mixture(k_v) - 1.
    """
    low, high = np.full(excess.shape[:2], -14.0), np.full(excess.shape[:2], 4.0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        weight = 1.0 / (1.0 + np.exp(-middle))
        rises = (w * excess / (1.0 + weight[:, :, None] * excess)).sum(axis=2) > 0.0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return np.asarray(1.0 / (1.0 + np.exp(-low)))


def _merges(groups: list[list[int]]) -> Iterator[list[int]]:
    """All sequences that keep the order within each of ``groups``."""
    left = [group for group in groups if group]
    if not left:
        yield []
    for i, group in enumerate(left):
        for rest in _merges([*left[:i], group[1:], *left[i + 1 :]]):
            yield [group[0], *rest]


def _middle(count: int) -> Array:
    """Draws for what has a single start."""
    return np.full((1, count), 0.5)


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64))
