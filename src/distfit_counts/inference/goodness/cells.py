"""Counts cut into cells that cover 0, 1, 2, ...: where observed and fitted probabilities are compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.quadrature import FEWEST, ORDER, nodes, positions, weights
from distfit_counts.inference.fitted.tabulate import split, tabulate

# As many counts, from 0 on, have a cell each; where they reach further, so many wider cells follow.
SINGLE = 4096
_FIRST, _SEEN = 64, 512
_SHARES = np.concatenate([np.linspace(0.0, 1.0, 1025)[1:-1], 1.0 - 0.1 ** np.arange(3.25, 8.0, 0.25)])
# What is left to one is rounding below: as a probability it would be far too large where the model expects far less
# (beyond an outlier), and A² divides by it.
_ROUNDING = 1e-13
# A piece of a cell that holds less needs no points: a model that lies near has no more there.
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Rule:
    """The pmf at ``points`` [Q] times ``each`` [Q] is summed over a cell from ``first`` [J - 1] on, up to the next."""

    points: Array
    each: Array
    first: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """J cells: cell j holds the counts ``starts[j]`` to ``starts[j + 1] - 1``, the last one all from its start on.

    Up to count 4,096 each cell is one count; of data or a model that reach further most hold several, so that bins
    pooled from them may be coarser than those of single counts.

    ``shares`` [J]: their probability under the model that they were made for, ``pmf``.
    """

    starts: npt.NDArray[np.int64]
    shares: Array
    pmf: Pmf

    @classmethod
    def of(cls, histogram: Histogram, mean: float, variance: float, pmf: Pmf) -> Cells:
        """Cells for the data and a fitted model, far enough to show both tails.

        Wide cells end at quantiles of the model (``pmf``), so that in none of them much can hide, and at those of the
        data.
        """
        end = int(reach(np.array([histogram.values[-1]]), np.array([mean]), np.array([variance]))[0])
        if end <= SINGLE:
            starts = np.arange(end + 1)
            return cls(starts, with_rest(pmf(starts[:-1].astype(np.float64))), pmf)
        # Of millions of distinct values only these: each is a piece of the table.
        seen = histogram.values[np.unique(np.linspace(0, histogram.distinct - 1, _SEEN).astype(int))]
        table = tabulate(pmf, seen)
        quantiles = table.starts[np.searchsorted(table.reached, _SHARES).clip(max=len(table.starts) - 1)]
        starts = np.unique(np.concatenate([np.arange(_FIRST), quantiles, seen, seen + 1]))
        return cls(starts, table.held(starts), pmf)

    @cached_property
    def rule(self) -> Rule:
        """Where, and with which weights, a pmf like that of the model is evaluated to be summed over the cells."""
        if len(self.starts) == self.starts[-1] + 1:
            points = self.starts[:-1].astype(np.float64)
            return Rule(points, np.ones(len(points)), self.starts[:-1])
        table = split(self.pmf, self.starts)
        kept = (table.masses > _NOTHING) | np.isin(table.starts, self.starts)
        kept &= table.starts < self.starts[-1]
        starts, sizes = table.starts[kept], table.sizes[kept]
        parts = np.where(sizes < FEWEST, sizes, ORDER)
        owner, place = np.repeat(np.arange(len(parts)), parts), positions(parts)
        points, each = (starts[owner] + place).astype(np.float64), np.ones(len(owner))
        wide = sizes >= FEWEST
        at = nodes(sizes[wide])
        points[wide[owner]] = (starts[wide, None] + at).ravel()
        each[wide[owner]] = weights(at, sizes[wide]).ravel()
        first = (np.cumsum(parts) - parts)[np.searchsorted(starts, self.starts[:-1])]
        return Rule(points, each, first)

    def observed(self, k: Array, w: Array) -> Array:
        """Weights [B, J] of counts ``k`` with weights ``w`` [B, V]."""
        return counted(np.searchsorted(self.starts, k, side="right") - 1, w, len(self.starts))

    def probability(self, log_prob: Array) -> Array:
        """Cell probabilities [..., J] of the log-pmf [..., Q] at the points of ``rule``; the last cell has the rest."""
        inner = np.add.reduceat(np.exp(log_prob) * self.rule.each, self.rule.first, axis=-1)
        # Where a polynomial fails it may sum below 0.
        return with_rest(np.maximum(inner, 0.0))


def reach(largest: npt.NDArray[Any], mean: Array, variance: Array) -> npt.NDArray[np.int64]:
    """Where the last, open cell of a column begins [C]: beyond the ``largest`` count, and far enough to show the upper
    tail of a model with ``mean`` and ``variance`` [C], but no more than twice as far as the data or the mean.
    """
    with np.errstate(invalid="ignore"):
        tail = np.where(np.isfinite(mean + variance), mean + 10.0 * np.sqrt(variance), 0.0)
    far = np.minimum(np.fmax(largest + 1.0, tail), 2.0 * np.fmax(largest, mean) + 50.0)
    result: npt.NDArray[np.int64] = far.astype(np.int64) + 1
    return result


def counted(cell: npt.NDArray[np.int64], w: Array, width: int) -> Array:
    """Weights [B, ``width``] of the cells ``cell`` that occur with weights ``w`` [B, V]."""
    flat = (np.arange(len(cell))[:, None] * width + cell).ravel()
    found: Array = np.bincount(flat, weights=w.ravel(), minlength=len(cell) * width).astype(np.float64)
    return found.reshape(len(cell), width)


def with_rest(inner: Array) -> Array:
    """Probabilities [..., J - 1] and what they leave to one."""
    # Rounding, and polynomials, may exceed one by a little.
    inner = inner / np.maximum(inner.sum(axis=-1, keepdims=True), 1.0)
    left = 1.0 - inner.sum(axis=-1, keepdims=True)
    return np.concatenate([inner, np.where(left < _ROUNDING, 0.0, left)], axis=-1)
