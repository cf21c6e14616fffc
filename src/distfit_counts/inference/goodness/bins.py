"""Pooled bins of many columns, which have different numbers of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.frequencies import Frequency, bins
from distfit_counts.inference.goodness.pearson import pool

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bins:
    """Of C columns one after the other: column i has ``size[i]`` bins from ``first[i]`` on.

    ``low``, ``observed``, ``expected``: the smallest count of each bin, and how often counts in it are seen and
    expected. The last bin of a column is open.
    """

    first: Ints
    size: Ints
    low: Ints
    observed: Array
    expected: Array

    @classmethod
    def pooled(cls, low: Ints, observed: Array, expected: Array) -> Bins:
        """Cells [C, J] pooled until each bin expects 5; cell j begins at the count ``low[j]``."""
        begins = pool(expected)
        size = begins.sum(axis=1)
        start = np.flatnonzero(begins)
        seen, means = (np.add.reduceat(cells.ravel(), start) for cells in (observed, expected))
        return cls(np.cumsum(size) - size, size, low[start % begins.shape[1]], seen, means)

    @classmethod
    def join(cls, parts: Sequence[Bins], order: Sequence[Ints]) -> Bins:
        """The columns of ``parts``, which are those numbered ``order`` among all."""
        listed = [np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "observed", "expected")]
        shift = np.cumsum([0, *(len(part.low) for part in parts[:-1])])
        place = np.argsort(np.concatenate(order))
        first = np.concatenate([part.first + more for part, more in zip(parts, shift, strict=True)])
        return cls(first[place], np.concatenate([part.size for part in parts])[place], *listed)

    @property
    def padded(self) -> tuple[Array, Array]:
        """Observed and expected numbers [C, B]; 0 and 0 where a column has fewer bins than others."""
        inside = np.arange(self.size.max()) < self.size[:, None]
        place = np.where(inside, self.first[:, None] + np.arange(inside.shape[1]), 0)
        return np.where(inside, self.observed[place], 0.0), np.where(inside, self.expected[place], 0.0)

    @property
    def last(self) -> tuple[Array, Array]:
        """Observed and expected numbers [C] of every column's open bin."""
        place = self.first + self.size - 1
        return self.observed[place], self.expected[place]

    def at(self, i: int) -> tuple[Frequency, ...]:
        """The bins of column ``i``."""
        own = slice(self.first[i], self.first[i] + self.size[i])
        return bins(self.low[own], self.observed[own], self.expected[own])
