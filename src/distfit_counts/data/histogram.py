"""The sufficient statistic of every fit: distinct counts and how often each occurs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """Sorted distinct counts and their weights.

    ``values``: int64, strictly increasing, >= 0. ``weights``: int64, > 0, how often each value occurs.
    ``n_missing``: how many entries had no value (they are no part of ``n``). ``frequencies``: the column beside them
    that may say how often each occurs, where they are 0, 1, ..., K once each.
    """

    values: Counts
    weights: Counts
    n_missing: int = 0
    frequencies: str | None = None

    @classmethod
    def of(cls, values: npt.ArrayLike, weights: npt.ArrayLike | None = None, n_missing: int = 0) -> Histogram:
        """Count ``values`` (any order, repeats allowed), each ``weights`` times (default once)."""
        array = np.asarray(values, dtype=np.int64).ravel()
        if weights is None:
            distinct, counts = np.unique(array, return_counts=True)
            return cls(distinct, counts.astype(np.int64), n_missing)
        # Stable: the sorted parts of a merge are only merged. Sums in int64: exact, and float64 would not be.
        order = np.argsort(array, kind="stable")
        array, each = array[order], np.asarray(weights, dtype=np.int64).ravel()[order]
        starts = np.flatnonzero(np.concatenate([[True], array[1:] != array[:-1]])) if len(array) else order
        counts = np.add.reduceat(each, starts) if len(array) else each
        return cls(array[starts][counts > 0], counts[counts > 0], n_missing)

    @classmethod
    def merge(cls, parts: Iterable[Histogram]) -> Histogram:
        """The histogram of the union: counting the parts and merging equals counting the whole."""
        listed = list(parts)
        if len(listed) == 1:
            return listed[0]
        none = [np.zeros(0, dtype=np.int64)]
        values = np.concatenate([part.values for part in listed] or none)
        weights = np.concatenate([part.weights for part in listed] or none)
        return cls.of(values, weights, sum(part.n_missing for part in listed))

    def same(self, other: Histogram) -> bool:
        """Whether both hold the same counts, each as often."""
        return np.array_equal(self.values, other.values) and np.array_equal(self.weights, other.weights)

    @property
    def n(self) -> int:
        """Number of observations that have a value."""
        return int(self.weights.sum())

    @property
    def distinct(self) -> int:
        return len(self.values)

    @property
    def zeros(self) -> int:
        """Number of observations equal to zero."""
        return int(self.weights[0]) if self.distinct and self.values[0] == 0 else 0

    @property
    def mean(self) -> float:
        # In float: values up to 2**53 times weights would overflow int64.
        return float(np.average(self.values.astype(float), weights=self.weights))

    @property
    def variance(self) -> float:
        """Sample variance, divisor n - 1; NaN for a single observation."""
        if self.n < 2:
            return float("nan")
        squares = (self.values - self.mean) ** 2
        return float((self.weights * squares).sum() / (self.n - 1))
