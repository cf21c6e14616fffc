"""A distribution as a table of probabilities: where P(a <= Y < b), P(Y <= k) and P(Y > k) are taken from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Counts
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.pmf import Pmf

# No count from here on is read: what lies beyond has no probability to speak of under a model of counts up to 2^53.
END = 2**62
# Tails below are near the end of float64, or 0 there though they are not.
_LOWEST = 1e-290


@dataclass(frozen=True, eq=False)
class Table:
    """Pieces of neighbouring counts: piece i holds ``starts[i]`` and the ``sizes[i] - 1`` counts that follow.

    ``masses[i]`` is its probability under ``pmf``. The pieces cover all counts.
    """

    pmf: Pmf
    starts: Counts
    sizes: Counts
    masses: Array

    @cached_property
    def reached(self) -> Array:
        """P(Y <= last count of the piece), for every piece."""
        return np.minimum(np.cumsum(self.masses), 1.0)

    @cached_property
    def left(self) -> Array:
        """P(Y >= first count of the piece), for every piece: summed from above, so that no digit of a tail is lost."""
        return np.minimum(np.cumsum(self.masses[::-1])[::-1], 1.0)

    @cached_property
    def _edges(self) -> Array:
        return np.append(self.starts, END).astype(np.float64)

    def cdf(self, k: npt.ArrayLike) -> Array:
        """P(Y <= k) for whole numbers ``k``, with which a piece ends (inside: straight)."""
        found: Array = np.interp(np.asarray(k, dtype=np.float64) + 1.0, self._edges, np.append(0.0, self.reached))
        return found

    def above(self, k: npt.ArrayLike) -> Array:
        """P(Y > k) for whole numbers ``k``, with which a piece ends (inside: straight)."""
        found: Array = np.interp(np.asarray(k, dtype=np.float64) + 1.0, self._edges, np.append(self.left, 0.0))
        return found

    def held(self, edges: Counts) -> Array:
        """P(edges[i] <= Y < edges[i + 1]), the last: and above. ``edges`` rise, and each begins a piece."""
        found: Array = np.add.reduceat(self.masses, np.searchsorted(self.starts, edges))
        return found

    def log_tails(self, k: Array) -> tuple[Array, Array]:
        """log P(Y <= k) and log P(Y > k) for whole numbers ``k`` >= -1, with which a piece ends.

        Where a tail is too small to be summed (1e-290) it is the geometric series of its first terms: they fall so fast
        there that the next ones hardly matter.
        """
        below, above = self.cdf(k), self.above(k)
        with np.errstate(divide="ignore"):
            lower, upper = np.log(below), np.log(above)
        down, up = (below < _LOWEST) & (k >= 0.0), above < _LOWEST
        lower[down] = _series(self.pmf, k[down], -1.0, k[down] + 1.0)
        upper[up] = _series(self.pmf, k[up] + 1.0, 1.0, np.inf)
        return lower, upper


def _series(pmf: Pmf, first: Array, way: float, terms: Array | float) -> Array:
    """log of the geometric series of so many ``terms`` that begins with P(Y = ``first``) and goes up, or down (-1)."""
    # Over several counts: the difference of two neighbours would be rounding where the counts are large.
    step = np.floor(1.0 + 1e-6 * first)
    log_p = pmf.log(first)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.minimum((pmf.log(np.maximum(first + way * step, 0.0)) - log_p) / step, -1e-15)
        total: Array = log_p + np.log(-np.expm1(slope * terms)) - np.log(-np.expm1(slope))
    # An impossible count has no next one to compare with; the lowest one no other.
    return np.where(np.isneginf(log_p), -np.inf, np.where(terms == 1.0, log_p, total))
