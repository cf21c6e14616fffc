"""The nonparametric maximum-likelihood estimate over all Poisson mixtures: a ceiling for every one of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.mixing_weights import log_mixture
from distfit_counts.inference.poisson_mixtures.rounds import FIRST_SPACING, Solution, solved
from distfit_counts.inference.poisson_mixtures.samples import REACH, Column, Samples

# Counts times first components of the columns that are searched together: arrays of a few hundred KiB.
_ELEMENTS = 2**18


@dataclass(frozen=True, eq=False)
class Part:
    """Counts ``values`` [V], ``weights`` [V] times, of the column ``number``, none of which is far from the next."""

    number: int
    values: Array
    weights: Array

    @property
    def components(self) -> int:
        """How many there are at first, at most."""
        root = np.sqrt(self.values[[0, -1]])
        return min(len(self.values), int((root[1] - root[0]) / FIRST_SPACING) + 2)


Run = Callable[[Callable[[list[Part]], list[Solution]], list[list[Part]]], Iterable[list[Solution]]]


@dataclass(frozen=True, eq=False)
class MixingDistribution:
    """P(Y = k) = Σ_j weights_j Poisson(k; rates_j).

    ``rates`` [J] ascending, ≥ 0; ``weights`` [J] > 0, of sum 1. ``log_likelihood``: over all observations, with all
    constants. ``gap``: what any Poisson mixture can gain over it at most, in log-likelihood per observation.
    """

    rates: Array
    weights: Array
    log_likelihood: float
    gap: float

    def log_prob(self, k: Array) -> Array:
        """log P(Y = k) for counts ``k`` [V]."""
        result, order = np.empty(len(k)), np.argsort(k)
        samples = Samples.of([(k[order], np.ones(len(k)))])
        result[order] = log_mixture(samples, np.sqrt(self.rates)[None], self.weights[None])[0]
        return result


def npmle(values: Array, weights: Array, tolerance: float = 1e-9) -> MixingDistribution:
    """The Poisson mixture that no other exceeds by more than ``gap`` per observation, which reaches ``tolerance``.

    ``values`` [V] ascending, distinct counts, each ``weights`` [V] > 0 times. Lindsay (1983): the maximum exists, has
    at most V support points, and is where max D = 0. A hundred distinct counts take about 10 ms; 20,000, or flat
    likelihoods (uniform counts), take seconds: there a tolerance of 1e-6 is much faster.
    """
    return npmles([(values, weights)], tolerance)[0]


def npmles(columns: Sequence[Column], tolerance: float = 1e-9, run: Run = map) -> list[MixingDistribution]:
    """``npmle`` of many columns; ``run`` is given the batches in which they are searched together."""
    parts = [part for number, column in enumerate(columns) for part in _apart(number, *column)]
    parts.sort(key=lambda part: len(part.values))
    found: list[list[tuple[Part, Solution]]] = [[] for _ in columns]
    alone = bisect_right(parts, 1, key=lambda part: len(part.values))
    for part in parts[:alone]:
        found[part.number].append((part, Solution.single(part.values)))
    parts = parts[alone:]
    batches = list(_batches(parts))
    for batch, solutions in zip(batches, run(partial(_solved, tolerance), batches), strict=True):
        for part, solution in zip(batch, solutions, strict=True):
            found[part.number].append((part, solution))
    return [_whole(own) for own in found]


def _apart(number: int, values: Array, weights: Array) -> list[Part]:
    """No Poisson reaches across so wide a gap: the problem falls apart into one for each side, and so does D."""
    edges = np.flatnonzero(np.diff(np.sqrt(values)) > REACH) + 1
    return [Part(number, *part) for part in zip(np.split(values, edges), np.split(weights, edges), strict=True)]


def _batches(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Neighbours, of like size."""
    first, width, components = 0, 0, 0
    for i, part in enumerate(parts):
        width, components = max(width, len(part.values)), max(components, part.components)
        if i > first and (i + 1 - first) * width * components > _ELEMENTS:
            yield list(parts[first:i])
            first, width, components = i, len(part.values), part.components
    if parts:
        yield list(parts[first:])


def _solved(tolerance: float, parts: Sequence[Part]) -> list[Solution]:
    return solved(Samples.of([(part.values, part.weights) for part in parts]), tolerance)


def _whole(found: list[tuple[Part, Solution]]) -> MixingDistribution:
    """Of one column, from its parts: each a mixture of its own, with the share that its counts have."""
    found.sort(key=lambda one: one[0].values[0])
    n = np.array([part.weights.sum() for part, _ in found])
    share = n / n.sum()
    # To the last digit: the square root of these rates is s again.
    rates = [np.clip(one.s**2, part.values[0], part.values[-1]) for part, one in found]
    weights = np.concatenate([own * one.p for own, (_, one) in zip(share, found, strict=True)])
    value = np.array([one.log_likelihood for _, one in found]) + np.log(share)
    return MixingDistribution(
        np.concatenate(rates), weights / weights.sum(), float(n @ value), max(one.gap for _, one in found)
    )
