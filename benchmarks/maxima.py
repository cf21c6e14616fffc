"""How often a fit of a mixture misses the maximum that a search from hundreds of random starts finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from benchmarks.measure import Figure
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import SIMPLEX, UNIT, Array
from distfit_counts.families.family import Family
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_families
from distfit_counts.optimise.minimise import minimise
from distfit_counts.optimise.problem import Batch, Objective, unconstrained
from distfit_counts.settings import MAX_STEPS, TOLERANCE

Rng = np.random.Generator
FAMILIES = ("2*poisson", "3*poisson", "4*poisson", "2*nb", "3*nb", "zi(2*poisson)", "hurdle(2*poisson)")
FAMILIES += ("poisson+nb", "2*geometric")
# Samples of each kind, and starts of the search.
SAMPLES, STARTS = 20, 200
# Log-likelihood units below the best known from which a maximum counts as missed.
MISSED = 1e-5


def _real_like(rng: Rng) -> Array:
    k, n = int(rng.integers(1, 5)), int(10 ** rng.uniform(1.3, 3.5))
    rates = rng.gamma(1.5, 10 ** rng.uniform(0.0, 1.5) / 1.5, k)
    rate = rng.choice(rates, n, p=rng.dirichlet(np.full(k, 2.0)))
    if rng.random() < 0.5:
        size = 10 ** rng.uniform(-0.5, 1.5)
        rate = rate * rng.gamma(size, 1.0 / size, n)
    return rng.poisson(rate) * (rng.random(n) > rng.choice([0.0, rng.uniform(0.0, 0.7)]))


def _outliers(rng: Rng) -> Array:
    n, rate = int(10 ** rng.uniform(1.5, 3.5)), 10 ** rng.uniform(-0.5, 1.5)
    far = rate * 10 ** rng.uniform(0.5, 4.0, int(rng.integers(1, 6)))
    return np.append(rng.poisson(rate, n), rng.poisson(far))


def _small_weights(rng: Rng) -> Array:
    n, k = int(10 ** rng.uniform(2.5, 4.0)), int(rng.integers(2, 5))
    small = rng.uniform(0.0005, 0.02, k - 1)
    rates = np.append(rng.uniform(0.5, 10.0), rng.uniform(0.0, 40.0, k - 1))
    return rng.poisson(rng.choice(rates, n, p=np.append(1.0 - small.sum(), small)))


def _zipf(rng: Rng) -> Array:
    y = rng.zipf(rng.uniform(1.3, 2.5), int(10 ** rng.uniform(1.5, 3.0))) - 1
    return y[y < 10**6]


def _two_scales(rng: Rng) -> Array:
    n, m = int(rng.integers(20, 300)), int(rng.integers(3, 40))
    large = rng.uniform(0.0, 10 ** rng.uniform(1.0, 4.0), m)
    return np.append(rng.poisson(rng.uniform(0.3, 3.0), n), large.astype(np.int64))


def _sparse_large(rng: Rng) -> Array:
    n, top = int(rng.integers(8, 60)), 10 ** rng.uniform(2.0, 5.0)
    return (rng.random(n) * (rng.random(n) > rng.choice([0.0, 0.5])) * top).astype(np.int64)


def _log_normal(rng: Rng) -> Array:
    n = int(10 ** rng.uniform(1.0, 2.5))
    return np.exp(rng.normal(rng.uniform(0.5, 6.0), rng.uniform(0.4, 1.8), n)).astype(np.int64)


def _nearly_null(rng: Rng) -> Array:
    n, rate = int(10 ** rng.uniform(1.5, 4.0)), 10 ** rng.uniform(-0.5, 1.5)
    return rng.poisson(rate * rng.choice([1.0, 1.0 + rng.uniform(0.0, 0.6)], n))


KINDS: dict[str, Callable[[Rng], Array]] = {
    "real-like": _real_like,
    "outliers": _outliers,
    "small weights": _small_weights,
    "Zipf": _zipf,
    "two scales": _two_scales,
    "sparse large": _sparse_large,
    "log-normal": _log_normal,
    "nearly null": _nearly_null,
}


def samples(kind: str, count: int, seed: int = 0) -> list[Column]:
    """``count`` columns of one kind, none constant."""
    found: list[Column] = []
    number = list(KINDS).index(kind)
    for i in range(10 * count):
        y = KINDS[kind](np.random.default_rng([seed, number, i]))
        if len(found) < count and len(np.unique(y)) > 2:
            found.append(Column(kind, f"{kind} {i}", {}, Histogram.of(y)))
    return found


def searched(family: Family, columns: Sequence[Column], starts: int, seed: int = 1) -> Array:
    """The highest log-likelihood [C] that Newton's method reaches from ``starts`` random places each."""
    best = np.full(len(columns), -np.inf)
    for i, column in enumerate(columns):
        batch = Batch.of([column.histogram])
        values = _drawn(family, batch.k[0], batch.w[0], starts, np.random.default_rng([seed, i]))
        scale = np.maximum(values[:1], 1e-6)
        objective = Objective(family, batch, scale)
        rows = torch.zeros(starts, dtype=torch.int64)
        theta = torch.from_numpy(np.nan_to_num(unconstrained(family, np.maximum(values, 1e-9), scale)))
        with np.errstate(all="ignore"):
            found = minimise(objective, theta, rows, "newton", TOLERANCE, MAX_STEPS["newton"], 1.0)
        value = np.nan_to_num(found.point.value.numpy(), nan=np.inf)
        best[i] = -value.min() * batch.n[0]
    return best


def _drawn(family: Family, k: Array, w: Array, starts: int, rng: Rng) -> Array:
    """Natural values [starts, P'] of random places: centres at values, at counts, or between on a scale of logarithms;
    half of them moved by a random number of steps of the EM algorithm where the components are all Poissons.
    """
    place = {name: i for i, name in enumerate(family.names)}
    values = np.empty((starts, len(place)))
    for parameter in family.parameters:
        at = [place[name] for name in parameter.names]
        if parameter.constraint is SIMPLEX:
            values[:, at] = rng.dirichlet(np.ones(len(at)), starts) * 0.999 + 0.001 / len(at)
        elif parameter.constraint is UNIT:
            values[:, at] = rng.uniform(0.02, 0.98, (starts, len(at)))
        elif parameter.names[0].startswith("size"):
            values[:, at] = 10 ** rng.uniform(-1.0, 3.0, (starts, len(at)))
        else:
            size = (starts, len(at))
            even, drawn = rng.choice(k, size), rng.choice(k, size, p=w / w.sum())
            logarithmic = np.exp(rng.uniform(np.log(k.min() + 0.3), np.log(k.max() + 1.0), size))
            kind = rng.integers(0, 3, (starts, 1))
            values[:, at] = np.maximum(np.choose(kind, [even, drawn, logarithmic]), 0.05) * rng.uniform(0.7, 1.4, size)
    rates = [i for name, i in place.items() if name.startswith("rate[")]
    weights = [i for name, i in place.items() if name.startswith("weight[")]
    if len(rates) == len(place) - len(weights) == len(weights):
        for _ in range(60):
            some = rng.random(starts) < 0.9
            some[: starts // 2] = False
            _expectation_maximisation(values, some, weights, rates, k, w)
    return values


def _expectation_maximisation(
    values: Array, some: Array, weights: Sequence[int], rates: Sequence[int], k: Array, w: Array
) -> None:
    weight, rate = values[some][:, weights], values[some][:, rates]
    log_part = np.log(weight)[:, :, None] - rate[:, :, None] + k * np.log(rate)[:, :, None]
    part = np.exp(log_part - log_part.max(axis=1, keepdims=True))
    part *= w / part.sum(axis=1, keepdims=True)
    mass = part.sum(axis=2) + 1e-9
    values[np.ix_(some, weights)] = mass / mass.sum(axis=1, keepdims=True)
    values[np.ix_(some, rates)] = np.maximum((part * k).sum(axis=2) / mass, 1e-6)


def missed(specs: Sequence[str], columns: Sequence[Column], starts: int) -> dict[str, Array]:
    """How far each family's fit [C] lies below the best of both searches, in log-likelihood units."""
    families = [parse(spec) for spec in specs]
    fits = fit_families(columns, families)
    found = {}
    for spec, family, fit in zip(specs, families, fits, strict=True):
        found[spec] = np.maximum(searched(family, columns, starts) - fit.log_likelihood, 0.0)
    return found


def run() -> Iterator[Figure]:
    torch.set_num_threads(1)
    columns = [column for kind in KINDS for column in samples(kind, SAMPLES)]
    for spec, below in missed(FAMILIES, columns, STARTS).items():
        lost = below > MISSED
        detail = f"{len(columns)} samples of {len(KINDS)} kinds, {STARTS} random starts each; worst {below.max():.2g}"
        yield Figure(
            f"maxima of {spec} that a search from random starts shows to be missed", "0", f"{lost.sum()}", detail
        )
