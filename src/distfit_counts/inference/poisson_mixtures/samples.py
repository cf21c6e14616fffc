"""The counts of many columns side by side, and points √λ for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_mode

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Its counts [V], ascending, and how often each was seen [V].
Column = tuple[Array, Array]

# Counts whose √k is further away than this contribute less than exp(−64) of the largest sum: log f(k; λ) − log f(k; k)
# ≤ −(√k − √λ)².
REACH = 8.0


@dataclass(frozen=True, eq=False)
class Samples:
    """C columns: their distinct counts, ascending, in ``values`` [C, V], and how large a ``share`` [C, V] each has.

    A short column is padded with its last count, of share 0. ``mode`` [C, V]: log Poisson(k; k).
    """

    values: Array
    share: Array
    mode: Array

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Self:
        width = max(len(values) for values, _ in columns)
        values, share = np.empty((len(columns), width)), np.zeros((len(columns), width))
        for row, (own, weights) in enumerate(columns):
            values[row, : len(own)], values[row, len(own) :] = own, own[-1]
            share[row, : len(own)] = weights / weights.sum()
        return cls(values, share, log_mode(values))

    def take(self, rows: Ints) -> Samples:
        """Some of the columns."""
        width = int(self.width[rows].max(initial=1))
        return Samples(*(whole[rows, :width] for whole in (self.values, self.share, self.mode)))

    @cached_property
    def width(self) -> Ints:
        """How many counts [C] each column has."""
        return np.asarray((self.share > 0.0).sum(axis=1))

    @cached_property
    def root(self) -> Array:
        return np.sqrt(self.values)

    def window(self, row: Ints, low: Array, high: Array) -> tuple[Ints, Ints]:
        """The places [N], from and to, of the counts of column ``row`` [N] with √k between ``low`` and ``high`` [N]."""
        offsets, flat = self._flat
        width, shift = self.values.shape[1], offsets[row]
        start, stop = (np.searchsorted(flat, s + shift) - row * width for s in (low, high))
        return np.clip(start, 0, width), np.clip(stop, 0, width)

    @cached_property
    def _flat(self) -> tuple[Array, Array]:
        """√k of all columns in one ascending row, each column moved behind the one before; and by how much [C]."""
        offsets = np.arange(len(self.root)) * (self.root.max() + 4.0 * REACH)
        return offsets, (self.root + offsets[:, None]).ravel()


@dataclass(frozen=True, eq=False)
class Points:
    """``s`` = √λ [N] of the columns ``row`` [N]; sorted by column, and within it."""

    row: Ints
    s: Array

    @classmethod
    def sorted(cls, row: Ints, s: Array) -> Self:
        """In any order, the same point perhaps twice."""
        order = np.lexsort((s, row))
        row, s = row[order], s[order]
        new = np.append(True, (np.diff(row) > 0) | (np.diff(s) > 0.0))
        return cls(row[new], s[new])

    def union(self, other: Points) -> Points:
        return Points.sorted(np.append(self.row, other.row), np.append(self.s, other.s))

    @property
    def within(self) -> Ints:
        """The points [M] whose next one belongs to the same column."""
        return np.flatnonzero(np.diff(self.row) == 0)

    def where(self, keep: Bools) -> Points:
        return Points(self.row[keep], self.s[keep])

    def of(self, rows: Ints) -> Points:
        """Those of the columns ``rows``, ascending, as ``Samples.take`` numbers them."""
        number = np.full(self.row[-1] + 1, -1)
        number[rows] = np.arange(len(rows))
        keep = number[self.row] >= 0
        return Points(number[self.row[keep]], self.s[keep])

    def largest(self, values: Array, columns: int) -> tuple[Array, Array]:
        """The largest of ``values`` [N] in each column [C], −∞ without a point, and the s where it is."""
        best, at = np.full(columns, -np.inf), np.zeros(columns)
        np.maximum.at(best, self.row, values)
        top = values == best[self.row]
        at[self.row[top]] = self.s[top]
        return best, at


def first_points(samples: Samples, spacing: float) -> Points:
    """The counts themselves, thinned to about ``spacing``, both ends kept."""
    cell = np.floor(samples.root / spacing)
    keep = np.ones(cell.shape, dtype=bool)
    keep[:, 1:] = np.diff(cell) > 0.0
    row, column = np.nonzero(keep)
    every = np.arange(len(cell))
    return Points.sorted(np.append(row, every), np.append(samples.root[row, column], samples.root[:, -1]))


def scan_points(samples: Samples, spacing: float) -> Points:
    """From the smallest to the largest count of each column, at most ``spacing`` apart."""
    first = first_points(samples, spacing)
    within, step, pieces = first.within, np.zeros(len(first.s)), np.ones(len(first.s), dtype=np.int64)
    pieces[within] = np.ceil(np.diff(first.s)[within] / spacing)
    step[within] = np.diff(first.s)[within] / pieces[within]
    place = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return Points(np.repeat(first.row, pieces), np.repeat(first.s, pieces) + place * np.repeat(step, pieces))
