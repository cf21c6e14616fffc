"""Lindsay's gradient function: can any Poisson mixture have a higher likelihood, by how much, and where?

Lindsay (1983, Annals of Statistics 11): for a fitted pmf f and n observations, w_v of them equal to k_v,

    D(λ)/n = Σ_v (w_v/n) Poisson(k_v; λ)/f(k_v) − 1.

By Jensen's inequality, a Poisson mixture with mixing distribution G gains per observation at most
log(1 + ∫ D dG/n) ≤ log(1 + max D/n) over f. That holds for every f, a Poisson mixture or not; where f is one, it is
the maximum over all of them exactly if max D = 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_below_mode
from distfit_counts.inference.poisson_mixtures.samples import REACH, Ints, Points, Samples

# Points times counts that are evaluated together: arrays that stay in a processor's own memory.
_BLOCK = 2**15


@dataclass(frozen=True, eq=False)
class RatioSum:
    """S(s) = exp(−shift) Σ_v (w_v/n) Poisson(k_v; s²)/f(k_v) of each column, so that D/n = exp(shift) S − 1.

    ``log_ratio`` [C, V] = log of each term at s = √k_v, its largest; ``shift`` [C]. The maximum of each row is 0: then
    1 ≤ max S ≤ V, and a poor fit (terms of exp(1000)) does not overflow.
    """

    samples: Samples
    log_ratio: Array
    shift: Array

    @classmethod
    def of(cls, samples: Samples, log_fitted: Array) -> RatioSum:
        """``log_fitted`` [C, V]: the log-pmf fitted to the counts."""
        with np.errstate(divide="ignore"):
            log_ratio = np.log(samples.share) - log_fitted + samples.mode
        shift = log_ratio.max(axis=1)
        return cls(samples, log_ratio - shift[:, None], shift)

    def take(self, rows: Ints) -> RatioSum:
        """Of some of the columns."""
        samples = self.samples.take(rows)
        return RatioSum(samples, self.log_ratio[rows, : samples.values.shape[1]], self.shift[rows])

    def at(self, points: Points) -> Array:
        """S, S′ and S″ [3, N] at ``points``."""
        result = np.empty((3, len(points.s)))
        for part, k, log_ratio in self._near(points.row, points.s, points.s):
            # At s = 0 the derivatives of f are limits of 0/0, which are reached long before 1e-100.
            root = np.maximum(points.s[part, None], 1e-100)
            rate = root * root
            term = np.exp(log_below_mode(k, rate) + log_ratio)
            x = (k - rate) * (2.0 / root)
            slope = x * term
            result[0, part] = term.sum(axis=1)
            result[1, part] = slope.sum(axis=1)
            # x² − 2k/s² − 2, for k = s² + x s/2.
            result[2, part] = (x * slope - slope / root).sum(axis=1) - 4.0 * result[0, part]
        return result

    def excess(self, row: Ints, low: Array, high: Array) -> tuple[Array, Array]:
        """Two numbers for each interval [low, high] [R] of s: the sum of the largest terms, which bounds S; and an
        upper bound of the fourth derivative of S, where low > 0.

        f⁗/f = x⁴ − 6x²y + 3y² + 4xz − u, with z = 4k/s³ and u = 12k/s⁴ ≥ 0; f is largest at √k, or else at the end next
        to it, |x| at an end, y and z at ``low``.
        """
        largest, fourth = np.empty(len(low)), np.empty(len(low))
        for part, k, log_ratio in self._near(row, low, high):
            a, b = low[part, None], high[part, None]
            term = np.exp(log_below_mode(k, np.clip(k, a * a, b * b)) + log_ratio)
            largest[part] = term.sum(axis=1)
            inner = np.where(a > 0.0, a, b)
            x = np.maximum(np.abs(k - inner * inner) * (2.0 / inner), np.abs(k - b * b) * (2.0 / b))
            y, square = k * (2.0 / inner**2) + 2.0, x * x
            bound = (
                square * np.maximum(square - k * (12.0 / b**2) - 12.0, 0.0) + 3.0 * y * y + x * k * (16.0 / inner**3)
            )
            fourth[part] = (term * bound).sum(axis=1)
        return largest, fourth

    def singles(self) -> Array:
        """The coefficient [C] of λ exp(−λ) in S: the term of k = 1."""
        return np.asarray((np.exp(self.log_ratio + 1.0) * (self.samples.values == 1.0)).sum(axis=1))

    def _near(self, row: Ints, low: Array, high: Array) -> Iterator[tuple[slice, Array, Array]]:
        """Blocks of the intervals, and the counts and log-ratios [R, W] that matter to each."""
        values, width = self.samples.values, self.samples.values.shape[1]
        start, stop = self.samples.window(row, low - REACH, high + REACH)
        rows = max(1, _BLOCK // max(1, int((stop - start).max(initial=1))))
        for first in range(0, len(row), rows):
            part = slice(first, first + rows)
            wide = int((stop[part] - start[part]).max())
            if wide == width:
                yield part, values[row[part]], self.log_ratio[row[part]]
                continue
            at = row[part, None], np.minimum(start[part], width - wide)[:, None] + np.arange(wide)
            yield part, values[at], self.log_ratio[at]


def gradient_function(values: Array, weights: Array, log_fitted: Array, rates: Array) -> Array:
    """D(λ)/n [R] at ``rates`` [R], for counts ``values`` [V], each ``weights`` [V] times, with fitted log-pmf [V]."""
    ratios = RatioSum.of(Samples.of([(values, weights)]), log_fitted[None])
    points = Points(np.zeros(len(rates), dtype=np.int64), np.sqrt(rates))
    with np.errstate(over="ignore", divide="ignore"):
        return np.asarray(np.expm1(ratios.shift + np.log(ratios.at(points)[0])))
