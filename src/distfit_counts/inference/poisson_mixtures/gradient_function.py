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
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_below_mode, log_mode

# Points times counts that are evaluated together: a few arrays of a few MiB.
_BLOCK = 2**18
# Counts whose √k is further away than this contribute less than exp(−64) of the largest sum: log f(k; λ) − log f(k; k)
# ≤ −(√k − √λ)².
REACH = 8.0
# First spacing of √λ: half a standard deviation of a Poisson.
_SPACING = 0.25
# Bisections, and intervals at a time, after which the bound is given as it then is: rounding allows no better.
_LEVELS = 64
_INTERVALS = 2**17


@dataclass(frozen=True)
class Gap:
    """``bound``: what any Poisson mixture can gain at most, in log-likelihood per observation; negative where none
    reaches the fitted pmf. ``rate``: where the gradient function is largest, so where a component helps most."""

    bound: float
    rate: float


@dataclass(frozen=True)
class RatioSum:
    """S(s) = exp(−shift) Σ_v (w_v/n) Poisson(k_v; s²)/f(k_v), so that D/n = exp(shift) S − 1.

    ``values`` [V] ascending; ``log_ratio`` [V] = log of each term at s = √k_v, its largest. Their maximum is 0: then
    1 ≤ max S ≤ V, and a poor fit (terms of exp(1000)) does not overflow.
    """

    values: Array
    log_ratio: Array
    shift: float

    @classmethod
    def of(cls, values: Array, weights: Array, log_fitted: Array) -> RatioSum:
        log_ratio = np.log(weights / weights.sum()) - log_fitted + log_mode(values)
        shift = float(log_ratio.max())
        return cls(values, log_ratio - shift, shift)

    def at(self, s: Array) -> Array:
        """S, S′ and S″ [3, R] at ``s`` [R], ascending."""
        result = np.empty((3, len(s)))
        for part, near in self._blocks(s, s):
            # At s = 0 the derivatives of f are limits of 0/0, which are reached long before 1e-100.
            root = np.maximum(s[part, None], 1e-100)
            k = self.values[near]
            term = np.exp(log_below_mode(k, root * root) + self.log_ratio[near])
            x = 2.0 * (k - root * root) / root
            result[0, part] = term.sum(axis=1)
            slope = x * term
            result[1, part] = slope.sum(axis=1)
            result[2, part] = (x * slope - (2.0 * k / (root * root) + 2.0) * term).sum(axis=1)
        return result

    def excess(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Two numbers for each interval [low, high] [R] of s: the sum of the largest terms, which bounds S; and the
        error bound of a cubic that meets S and S′ at both ends (at low = 0: of the chord in λ).

        f⁗/f = x⁴ − 6x²y + 3y² + 4xz − u, with z = 4k/s³ and u = 12k/s⁴ ≥ 0; f is largest at √k, or else at the end next
        to it, |x| at an end, y and z at ``low``. A cubic Hermite interpolant errs by at most max f⁗ (high − low)⁴/384.
        """
        largest, error = np.empty(len(low)), np.empty(len(low))
        for part, near in self._blocks(low, high):
            k, a, b = self.values[near], low[part, None], high[part, None]
            term = np.exp(log_below_mode(k, np.clip(k, a * a, b * b)) + self.log_ratio[near])
            largest[part] = term.sum(axis=1)
            inner = np.where(a > 0.0, a, b)
            x = 2.0 * np.maximum(np.abs(k - inner * inner) / inner, np.abs(k - b * b) / b)
            y, least = 2.0 * k / (inner * inner) + 2.0, 2.0 * k / (b * b) + 2.0
            fourth = x * x * np.maximum(x * x - 6.0 * least, 0.0) + 3.0 * y * y + 16.0 * x * k / inner**3
            error[part] = (term * fourth).sum(axis=1) * (high[part] - low[part]) ** 4 / 384.0
        return largest, np.where(low > 0.0, error, self._error_from_zero(high))

    def _error_from_zero(self, high: Array) -> Array:
        """How far S rises above its chord in λ on [0, high²]: up to 2 − √2, Poisson(k; λ) is convex in λ for every k
        but 1, and there its second derivative is at least −2."""
        one = np.exp(self.log_ratio[self.values == 1.0] + 1.0).sum()
        return np.where(high * high <= 2.0 - np.sqrt(2.0), one * high**4 / 4.0, np.inf)

    def _blocks(self, low: Array, high: Array) -> Iterator[tuple[slice, slice]]:
        """Rows of at most _BLOCK elements, and the values that matter to them."""
        rows = max(1, _BLOCK // len(self.values))
        for first in range(0, len(low), rows):
            part = slice(first, first + rows)
            reach = np.array([max(low[part][0] - REACH, 0.0), high[part][-1] + REACH])
            start, stop = np.searchsorted(self.values, reach**2)
            yield part, slice(start, stop)


def gradient_function(values: Array, weights: Array, log_fitted: Array, rates: Array) -> Array:
    """D(λ)/n [R] at ``rates`` [R], for counts ``values`` [V], each ``weights`` [V] times, with fitted log-pmf [V]."""
    order = np.argsort(rates)
    ratios = RatioSum.of(values, weights, log_fitted)
    result = np.empty(len(rates))
    with np.errstate(over="ignore", divide="ignore"):
        result[order] = np.expm1(ratios.shift + np.log(ratios.at(np.sqrt(rates[order]))[0]))
    return result


def gap(values: Array, weights: Array, log_fitted: Array, tolerance: float = 1e-11, enough: float = np.inf) -> Gap:
    """log(1 + max D/n), bounded from above to within ``tolerance`` by branch and bound on s = √λ, or only shown to
    exceed ``enough``: then the bound is as yet a coarse one, and the rate where D is largest so far.

    ``values`` [V] ascending, ``weights`` [V] how often each was seen, ``log_fitted`` [V] the log-pmf fitted to them.
    The bound is strict but for the rounding of S, a few 1e-15. The maximum lies between the smallest and the largest
    count: D rises below the one and falls above the other.
    Each interval of s has an upper bound of S; one that exceeds the largest S seen is split in two.
    """
    if np.isneginf(log_fitted).any():
        return Gap(np.inf, float(values[np.argmin(log_fitted)]))
    ratios = RatioSum.of(values, weights, log_fitted)
    points = first_points(values, _SPACING)
    found = ratios.at(points)[:2]
    ends = np.stack([points[:-1], points[1:]])
    sums = np.stack([found[:, :-1], found[:, 1:]], axis=1)
    best, at = float(found[0].max()), float(points[found[0].argmax()])
    bound = best
    for level in range(_LEVELS):
        upper = _upper(ratios, ends, sums)
        split = upper > best * (1.0 + tolerance)
        if level == _LEVELS - 1 or split.sum() > _INTERVALS or ratios.shift + np.log(best) > enough:
            split[:] = False
        bound = max(bound, float(upper[~split].max(initial=0.0)))
        if not split.any():
            break
        ends, sums, middle, value = _halves(ratios, ends[:, split], sums[:, :, split])
        if value.max() > best:
            best, at = float(value.max()), float(middle[value.argmax()])
    return Gap(ratios.shift + float(np.log(max(bound, best))), at * at)


def carried(log_other: Array, log_fitted: Array) -> float:
    """By how much the bound of ``gap`` for one fitted log-pmf [V] can at most exceed that for another, ``log_other``
    [V]: 1 + D/n is a sum of terms that each have the fitted pmf below the line.
    """
    return float((log_other - log_fitted).max())


def first_points(values: Array, spacing: float) -> Array:
    """s = √λ [P], ascending: the counts themselves, thinned to about ``spacing``, both ends kept."""
    s = np.sqrt(values)
    thinned = s[np.unique(np.floor(s / spacing), return_index=True)[1]]
    return np.unique(np.append(thinned, s[-1]))


def _upper(ratios: RatioSum, ends: Array, sums: Array) -> Array:
    """Upper bounds [R] of S on the intervals between ``ends`` [2, R], with S and S′ there, ``sums`` [2, 2, R].

    A cubic lies below the largest of its four Bernstein coefficients.
    """
    largest, error = ratios.excess(ends[0], ends[1])
    (low, high), (rise, fall) = sums
    third = (ends[1] - ends[0]) / 3.0
    cubic = np.maximum(np.maximum(low, low + third * rise), np.maximum(high, high - third * fall))
    return np.asarray(np.minimum(largest, cubic + error))


def _halves(ratios: RatioSum, ends: Array, sums: Array) -> tuple[Array, Array, Array, Array]:
    """Each interval twice as fine: ends [2, 2R], sums [2, 2, 2R], ascending; the middles [R] and S there [R]."""
    middle = ends.mean(axis=0)
    found = ratios.at(middle)[:2]
    lower = np.stack([ends[0], middle]), np.stack([sums[:, 0], found], axis=1)
    upper = np.stack([middle, ends[1]]), np.stack([found, sums[:, 1]], axis=1)
    ends, sums = (np.stack(pair, axis=-1).reshape(*pair[0].shape[:-1], -1) for pair in zip(lower, upper, strict=True))
    return ends, sums, middle, found[0]
