"""Observed and fitted counts of many columns, cell by cell, and the five statistics of how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.estimates import Group
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.reached import log_pmfs
from distfit_counts.inference.goodness.bins import Bins
from distfit_counts.inference.goodness.cells import SINGLE, Cells, counted, reach, with_rest
from distfit_counts.inference.goodness.edf import anderson_darling, cramer_von_mises, kolmogorov_smirnov
from distfit_counts.inference.goodness.pearson import g_squared, pearson
from distfit_counts.inference.observed import Observed
from distfit_counts.settings import PADDING, PIECE_ELEMENTS

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Piece:
    """G columns, which are those numbered ``at`` among all, over J cells that begin at the counts ``low`` [J].

    ``observed`` and ``probability`` [G, J] of the cells; ``largest`` [G]: the largest count seen.
    """

    at: Ints
    low: Ints
    observed: Array
    probability: Array
    largest: Array

    @cached_property
    def expected(self) -> Array:
        result: Array = self.observed.sum(axis=1, keepdims=True) * self.probability
        return result

    @cached_property
    def bins(self) -> Bins:
        return Bins.pooled(self.low, self.observed, self.expected)

    @property
    def beyond(self) -> Array:
        """How many counts as large as the largest, or larger, are expected [G]."""
        # The largest count begins a cell.
        result: Array = np.where(self.low >= self.largest[:, None], self.expected, 0.0).sum(axis=1)
        return result


def of_bins(seen: Array, expected: Array) -> Array:
    """X2 and G2 [2, B] of bins ``seen`` and ``expected``."""
    return np.stack([pearson(seen, expected), g_squared(seen, expected)])


def of_cells(observed: Array, probability: Array) -> Array:
    """KS, W2 and A2 [3, B] of cells ``observed`` and ``probability``."""
    return np.stack(
        [compare(observed, probability) for compare in (kolmogorov_smirnov, cramer_von_mises, anderson_darling)]
    )


def compared(group: Group, counts: Observed, histograms: Sequence[Histogram]) -> Iterator[Piece]:
    """The columns of ``group`` in pieces of about the same number of cells; those with wide cells one by one."""
    ends = reach(counts.largest[group.at], group.mean, group.variance)
    order = np.argsort(ends, kind="stable")
    narrow = int(np.searchsorted(ends[order], SINGLE, side="right"))
    for first, last in _cut(ends[order[:narrow]]):
        yield _narrow(group, order[first:last], ends, counts)
    for i in order[narrow:]:
        yield _wide(group, int(i), histograms[group.at[i]])


def _wide(group: Group, i: int, histogram: Histogram) -> Piece:
    """Column ``i`` of ``group``, whose counts reach further than each can have a cell."""
    return single(group.at[[i]], histogram, float(group.mean[i]), float(group.variance[i]), group.pmf(i))


def single(at: Ints, histogram: Histogram, mean: float, variance: float, pmf: Pmf) -> Piece:
    """The one column ``at``, whose model has these moments and this ``pmf``."""
    cells = Cells.of(histogram, mean, variance, pmf)
    observed = cells.observed(histogram.values[None, :].astype(float), histogram.weights[None, :].astype(float))
    return Piece(at, cells.starts, observed, cells.shares[None, :], histogram.values[-1:].astype(float))


def _narrow(group: Group, chosen: Ints, ends: Ints, counts: Observed) -> Piece:
    """Columns whose counts have a cell each. Padding: a column's cells between its own end and the longest have
    neither counts nor probability; its open cell is the last of all.
    """
    at, points = group.at[chosen], np.arange(ends[chosen[-1]], dtype=np.float64)
    log_p = log_pmfs(group.family, {name: value[chosen] for name, value in group.values.items()}, points[None])
    probability = with_rest(np.where(points < ends[chosen, None], np.exp(log_p), 0.0))
    observed = counted(counts.k[at].astype(np.int64), counts.w[at], len(points) + 1)
    return Piece(at, np.arange(len(points) + 1), observed, probability, counts.largest[at])


def _cut(ends: Ints) -> Iterator[tuple[int, int]]:
    """Pieces of neighbours of about the same length among ``ends``, which rise, small enough for the cache."""
    first = 0
    while first < len(ends):
        alike = int(np.searchsorted(ends, PADDING * ends[first] + 4, side="right"))
        last = min(alike, first + max(PIECE_ELEMENTS // int(ends[alike - 1]), 1))
        yield first, last
        first = last
