"""How much more than a fitted pmf any Poisson mixture can gain: a bound by branch and bound, proved and not sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gradient_function import RatioSum
from distfit_counts.inference.poisson_mixtures.samples import Bools, Ints, Points, Samples, first_points

# First spacing of √λ: half a standard deviation of a Poisson.
SPACING = 0.25
# Bisections, and intervals at a time, after which the bound is given as it then is: rounding allows no better.
_LEVELS = 64
_INTERVALS = 2**17
# Nearer than this to an end, in lengths of its interval, a maximum is no place to split it.
_END = 1e-3


@dataclass(frozen=True)
class Gap:
    """``bound``: what any Poisson mixture can gain at most, in log-likelihood per observation; negative where none
    reaches the fitted pmf. ``rate``: where the gradient function is largest, so where a component helps most."""

    bound: float
    rate: float


@dataclass(frozen=True, eq=False)
class Intervals:
    """Of the columns ``row`` [R], with ``ends`` [2, R] in s; ``sums`` [2, 2, R]: S and S′ at both."""

    row: Ints
    ends: Array
    sums: Array

    @classmethod
    def between(cls, points: Points, found: Array) -> Intervals:
        """Neighbouring ``points`` of a column; ``found`` [2, N]: S and S′ there."""
        low = points.within
        return cls(points.row[low], points.s[[low, low + 1]], np.stack([found[:, low], found[:, low + 1]], axis=1))

    def where(self, keep: Bools | Ints) -> Intervals:
        return Intervals(self.row[keep], self.ends[:, keep], self.sums[:, :, keep])

    def summits(self) -> Points:
        """Where the cubic through the ends is largest; in the middle where it has no maximum inside."""
        length = self.ends[1] - self.ends[0]
        (low, high), (rise, fall) = self.sums
        # The derivative's Bernstein coefficients: positive, any, negative.
        first, last = rise * length, fall * length
        inner = 3.0 * (high - low) - first - last
        inside = (first > 0.0) & (last < 0.0)
        with np.errstate(all="ignore"):
            t = first / (first - 0.5 * inner + np.sqrt(0.25 * inner * inner - first * last))
        t = np.where(inside & (t > _END) & (t < 1.0 - _END), t, 0.5)
        return Points(self.row, self.ends[0] + t * length)

    def split(self, at: Points, found: Array) -> Intervals:
        """Both parts of each, cut ``at`` a point inside; ``found`` [2, R]: S and S′ there."""
        lower = np.stack([self.ends[0], at.s]), np.stack([self.sums[:, 0], found], axis=1)
        upper = np.stack([at.s, self.ends[1]]), np.stack([found, self.sums[:, 1]], axis=1)
        ends, sums = (np.concatenate(pair, axis=-1) for pair in zip(lower, upper, strict=True))
        return Intervals(np.append(self.row, self.row), ends, sums)

    def upper(self, ratios: RatioSum) -> Array:
        """Upper bounds [R] of S.

        S is at most the cubic that meets S and S′ at both ends, plus max S⁗ (s − a)² (b − s)²/24; that, of degree 4,
        lies below the largest of its five Bernstein coefficients. From s = 0, where the derivatives of f are unbounded:
        up to λ = 2 − √2, Poisson(k; λ) is convex in λ for every k but 1, and there its second derivative is at least
        −2; S is at most its chord in λ plus that term's λ (λ_b − λ). Both errors are 0 at the ends: where D has its
        maximum at an end, and falls from there, the bound is met exactly.
        """
        largest, fourth = ratios.excess(self.row, *self.ends)
        length = self.ends[1] - self.ends[0]
        (low, high), (rise, fall) = self.sums
        third = length / 3.0
        one, two = low + third * rise, high - third * fall
        middle = 0.5 * (one + two) + fourth * length**4 / 144.0
        quartic = np.maximum(np.maximum(0.25 * low + 0.75 * one, 0.25 * high + 0.75 * two), middle)
        rate = self.ends[1] ** 2
        chord = 0.5 * (low + high) + 0.5 * ratios.singles()[self.row] * rate * rate
        chord[rate > 2.0 - np.sqrt(2.0)] = np.inf
        inner = np.where(self.ends[0] > 0.0, quartic, chord)
        return np.asarray(np.minimum(largest, np.maximum(np.maximum(low, high), inner)))


def gap(values: Array, weights: Array, log_fitted: Array, tolerance: float = 1e-11, enough: float = np.inf) -> Gap:
    """log(1 + max D/n), bounded from above to within ``tolerance``, or only shown to exceed ``enough``: then the bound
    is as yet a coarse one, and the rate where D is largest so far.

    ``values`` [V] ascending, ``weights`` [V] how often each was seen, ``log_fitted`` [V] the log-pmf fitted to them.
    """
    if np.isneginf(log_fitted).any():
        return Gap(np.inf, float(values[np.argmin(log_fitted)]))
    samples = Samples.of([(values, weights)])
    ratios, points = RatioSum.of(samples, log_fitted[None]), first_points(samples, SPACING)
    bound, at = gaps(ratios, points, ratios.at(points)[:2], tolerance, enough)
    return Gap(float(bound[0]), float(at[0] ** 2))


def carried(log_other: Array, log_fitted: Array) -> float:
    """By how much the bound of ``gap`` for one fitted log-pmf [V] can at most exceed that for another, ``log_other``
    [V]: 1 + D/n is a sum of terms that each have the fitted pmf below the line.
    """
    return float((log_other - log_fitted).max())


def gaps(
    ratios: RatioSum, points: Points, found: Array, tolerance: float, enough: Array | float = np.inf
) -> tuple[Array, Array]:
    """``gap``'s bound [C] of each column, and the s [C] where D is largest so far, by branch and bound on s = √λ.

    ``points``: from the smallest to the largest count of each column; ``found`` [2, N]: S and S′ there. The bound is
    strict but for the rounding of S, a few 1e-15. The maximum lies between the smallest and the largest count: D rises
    below the one and falls above the other. Each interval of s has an upper bound of S; one that exceeds the largest S
    seen is split in two.
    """
    columns = len(ratios.shift)
    best, at = points.largest(found[0], columns)
    bound, intervals = best.copy(), Intervals.between(points, found)
    for level in range(_LEVELS):
        upper = intervals.upper(ratios)
        last = level == _LEVELS - 1
        ended = last | (ratios.shift + np.log(best) > enough)
        split = (upper > (best * (1.0 + tolerance))[intervals.row]) & ~ended[intervals.row]
        crowded = np.bincount(intervals.row[split], minlength=columns) > _INTERVALS
        split &= ~crowded[intervals.row]
        np.maximum.at(bound, intervals.row[~split], upper[~split])
        if not split.any():
            break
        intervals = intervals.where(split)
        middle = intervals.summits()
        sums = ratios.at(middle)[:2]
        value, where = middle.largest(sums[0], columns)
        best, at = np.maximum(best, value), np.where(value > best, where, at)
        intervals = intervals.split(middle, sums)
    return ratios.shift + np.log(np.maximum(bound, best)), at
