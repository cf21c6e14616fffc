"""Running counts: batches of values go in, one histogram comes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.whole import LARGEST

# Values below are counted by index, with one array per column; the few above by sorting.
DENSE = 1 << 20
_MERGE_AT = 1 << 20
Ints = npt.NDArray[np.int64]


class Tally:
    """Counts of one column. ``dense``: how many of the smallest values may be counted by index."""

    def __init__(self, dense: int = DENSE) -> None:
        self._limit = min(dense, DENSE)
        self._dense: Ints = np.zeros(0, dtype=np.int64)
        self._large: list[Histogram] = []
        self._merged = 0
        self._missing = 0
        self.rows = 0

    def add(self, column: Any, weights: Ints | None = None) -> None:
        """Count an int64 Arrow array (null = missing), each value ``weights`` times."""
        self.rows += len(column)
        if column.null_count:
            if weights is None:
                self._missing += column.null_count
            else:
                nulls = is_null(column)
                self._missing += int(weights[nulls].sum())
                weights = weights[~nulls]
            column = column.drop_null()
        values = as_numpy(column)
        if not len(values):
            return
        if int(values.max()) >= self._limit:
            large = values >= self._limit
            self._add_large(values[large], None if weights is None else weights[large])
            values, weights = values[~large], None if weights is None else weights[~large]
        self._add_dense(sums(values, weights))

    def _add_dense(self, counts: Ints) -> None:
        if len(counts) > len(self._dense):
            grown = np.zeros(max(len(counts), min(2 * len(self._dense), self._limit)), dtype=np.int64)
            grown[: len(self._dense)] = self._dense
            self._dense = grown
        self._dense[: len(counts)] += counts

    def _add_large(self, values: Ints, weights: Ints | None) -> None:
        self._large.append(Histogram.of(values, weights))
        self._merge_large()

    def _merge_large(self) -> None:
        # Merged when as much is new as is old: each value is sorted again only a few times.
        if sum(part.distinct for part in self._large) > max(_MERGE_AT, 2 * self._merged):
            self._large = [Histogram.merge(self._large)]
            self._merged = self._large[0].distinct

    def absorb(self, other: Tally) -> None:
        """Add what another tally has counted."""
        self._add_dense(other._dense)
        self._large += other._large
        self._missing += other._missing
        self.rows += other.rows
        self._merge_large()

    @property
    def distinct(self) -> int:
        """Distinct values known so far, the small ones (at most a million) left out."""
        return self._merged

    def histogram(self) -> Histogram:
        values = np.flatnonzero(self._dense).astype(np.int64)
        dense = Histogram(values, self._dense[values], self._missing)
        return Histogram.merge([dense, *self._large])


def sums(values: Ints, weights: Ints | None) -> Ints:
    """For 0, 1, ..., max: how often it occurs, or the sum of its weights."""
    if weights is None:
        return np.bincount(values)
    # bincount adds in float64: exact as long as no sum can pass 2**53.
    if float(weights.sum(dtype=np.float64)) < LARGEST:
        return np.bincount(values, weights=weights).astype(np.int64)
    sums = np.zeros(int(values.max()) + 1, dtype=np.int64)
    np.add.at(sums, values, weights)
    return sums
