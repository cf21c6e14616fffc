"""Counts cut into cells that cover 0, 1, 2, ...: where observed and fitted probabilities are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.tabulate import tabulate
from distfit_counts.inference.goodness.frequencies import Pmf

# As many counts, from 0 on, have a cell each; where they reach further, so many wider cells follow.
_SINGLE = 4096
_FIRST, _SEEN = 64, 512
_SHARES = np.concatenate([np.linspace(0.0, 1.0, 1025)[1:-1], 1.0 - 0.1 ** np.arange(3.25, 8.0, 0.25)])
# Counts at which the pmf is evaluated inside a wide cell.
_INSIDE = 8


@dataclass(frozen=True)
class Cells:
    """J cells: cell j holds the counts ``starts[j]`` to ``starts[j + 1] - 1``, the last one all from its start on.

    Up to count 4,096 each cell is one count; of data or a model that reach further most hold several, so that bins
    pooled from them may be coarser than those of single counts.

    Their probability is the pmf at ``points`` [Q] times ``each`` [Q], the counts that a point stands for, summed from
    ``first`` [J - 1] on (midpoint rule, exact where every count is a point); the last cell holds the rest.
    ``shares`` [J]: their probability under the model that they were made for.
    """

    starts: npt.NDArray[np.int64]
    points: Array
    each: Array
    first: npt.NDArray[np.int64]
    shares: Array

    @classmethod
    def of(cls, histogram: Histogram, mean: float, variance: float, pmf: Pmf) -> Cells:
        """Cells for the data and a fitted model, far enough to show both tails.

        Wide cells end at quantiles of the model (``pmf``), so that in none of them much can hide, and at those of the
        data.
        """
        largest = int(histogram.values[-1])
        reach = mean + 10.0 * np.sqrt(variance) if np.isfinite(mean + variance) else 0.0
        end = int(min(max(largest + 1, reach), 2 * largest + 50)) + 1
        if end <= _SINGLE:
            starts = np.arange(end + 1)
            points = starts[:-1].astype(np.float64)
            return cls(starts, points, np.ones(end), starts[:-1], _with_rest(pmf(points)))
        table = tabulate(pmf, histogram.values)
        quantiles = table.starts[np.searchsorted(table.reached, _SHARES).clip(max=len(table.starts) - 1)]
        seen = histogram.values[np.unique(np.linspace(0, histogram.distinct - 1, _SEEN).astype(int))]
        starts = np.unique(np.concatenate([np.arange(_FIRST), quantiles, seen, seen + 1]))
        reached = np.append(table.cdf(starts[1:] - 1.0), 1.0)
        return cls._wide(starts, np.maximum(np.diff(reached, prepend=0.0), 0.0))

    @classmethod
    def _wide(cls, starts: npt.NDArray[np.int64], shares: Array) -> Cells:
        width = np.diff(starts)
        parts = np.minimum(width, _INSIDE)
        first = np.cumsum(parts) - parts
        owner = np.repeat(np.arange(len(parts)), parts)
        place = np.arange(len(owner)) - first[owner]
        low = starts[owner] + width[owner] * place // parts[owner]
        high = starts[owner] + width[owner] * (place + 1) // parts[owner]
        points = np.floor(0.5 * (low + high - 1))
        return cls(starts, points, (high - low).astype(np.float64), first, shares)

    def observed(self, k: Array, w: Array) -> Array:
        """Weights [B, J] of counts ``k`` with weights ``w`` [B, V]."""
        cell = np.searchsorted(self.starts, k, side="right") - 1
        width = len(self.starts)
        flat = (np.arange(len(k))[:, None] * width + cell).ravel()
        counted: Array = np.bincount(flat, weights=w.ravel(), minlength=len(k) * width).astype(np.float64)
        return counted.reshape(len(k), width)

    def probability(self, log_prob: Array) -> Array:
        """Cell probabilities [..., J] of the log-pmf at ``points`` [..., Q]."""
        return _with_rest(np.add.reduceat(np.exp(log_prob) * self.each, self.first, axis=-1))


def _with_rest(inner: Array) -> Array:
    """Probabilities [..., J - 1] and what they leave to one."""
    # Rounding, and the midpoint rule, may exceed one by a little.
    inner = inner / np.maximum(inner.sum(axis=-1, keepdims=True), 1.0)
    last = np.maximum(1.0 - inner.sum(axis=-1, keepdims=True), 0.0)
    return np.concatenate([inner, last], axis=-1)
