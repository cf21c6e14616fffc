"""The search for the best Poisson mixtures of many columns, in rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gap import SPACING, gaps
from distfit_counts.inference.poisson_mixtures.gradient_function import RatioSum
from distfit_counts.inference.poisson_mixtures.mixing_weights import log_mixture, mixing_weights
from distfit_counts.inference.poisson_mixtures.newton import ROUNDING, polished
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_mode
from distfit_counts.inference.poisson_mixtures.samples import Bools, Ints, Points, Samples, first_points, scan_points
from distfit_counts.inference.poisson_mixtures.support_points import local_maxima

# Two or three rounds are usual.
_ROUNDS = 50
# First spacing of the components in √rate: a standard deviation of a Poisson.
FIRST_SPACING = 0.5
# Components closer than this in √rate are one: two would make every system of equations singular.
_SAME = 1e-7
# Weight × squared distance in √rate, relative to the weight of both, below which a component joins its neighbour.
_NEGLIGIBLE = 1e-12
# Counts times components that are worked on at once, arrays of half a MiB; how many times the fewest components.
_ELEMENTS = 2**16
_ALIKE = 1.5
# Distance and |D| that are too small to tell a pair of components from a single one.
_CLOSE = 1e-3
_FLAT = 1e-11


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Poisson mixtures of C columns: ``s`` = √rate [C, J], ascending, and weights ``p`` [C, J], > 0 or padding, which
    has p = 0 and the last s."""

    s: Array
    p: Array

    @classmethod
    def packed(cls, s: Array, p: Array) -> Mixtures:
        """Components of p = 0, wherever they are, left out."""
        order = np.argsort(p <= 0.0, axis=1, kind="stable")[:, : int((p > 0.0).sum(axis=1).max())]
        s, p = np.take_along_axis(s, order, axis=1), np.take_along_axis(p, order, axis=1)
        largest = np.where(p > 0.0, s, 0.0).max(axis=1, keepdims=True)
        return cls(np.where(p > 0.0, s, largest), p)

    @classmethod
    def gathered(cls, parts: Sequence[tuple[Ints, Mixtures]]) -> Mixtures:
        """From those of the columns ``rows`` each, which together are all."""
        shape = sum(len(rows) for rows, _ in parts), max(own.s.shape[1] for _, own in parts)
        s, p = np.zeros(shape), np.zeros(shape)
        for rows, own in parts:
            s[rows, : own.s.shape[1]], p[rows, : own.s.shape[1]] = own.s, own.p
        return cls.packed(s, p)

    def take(self, rows: Ints) -> Mixtures:
        return Mixtures(self.s[rows], self.p[rows])

    def points(self) -> Points:
        row, column = np.nonzero(self.p)
        return Points(row, self.s[row, column])

    def log_prob(self, samples: Samples) -> Array:
        return log_mixture(samples, self.s, self.p)

    def joined(self, apart: Bools) -> Mixtures:
        """Each run of components, which begins where ``apart`` [C, J] is true, made one of the same weight and mean."""
        columns, size = self.s.shape
        place = (np.cumsum(apart, axis=1) - 1 + size * np.arange(columns)[:, None]).ravel()
        shape = columns, size
        total = np.asarray(np.bincount(place, self.p.ravel(), columns * size), dtype=np.float64).reshape(shape)
        moment = np.bincount(place, (self.s * self.s * self.p).ravel(), columns * size).reshape(shape)
        return Mixtures.packed(np.sqrt(moment / np.where(total > 0.0, total, 1.0)), total)


@dataclass(frozen=True, eq=False)
class Solution:
    """Of one column the support ``s`` = √rate [J], ascending, with weights ``p`` [J]; per observation, the
    log-likelihood and what any Poisson mixture can gain at most."""

    s: Array
    p: Array
    log_likelihood: float
    gap: float

    @classmethod
    def single(cls, value: Array) -> Solution:
        """Of one count [1] alone: it is its own rate."""
        return cls(np.sqrt(value), np.ones(1), float(log_mode(value)[0]), 0.0)


def solved(samples: Samples, tolerance: float) -> list[Solution]:
    """The best Poisson mixture of each column.

    In rounds: give the points and the local maxima of D the best weights, which always gains (Wang 2007, JRSS B 69,
    constrained Newton method), by a factor of 4 in max D; then move points and weights together by Newton's method,
    which goes to the last digit at once where it starts with the right number of points.
    """
    found: dict[int, Solution] = {}
    rows, scan = np.arange(len(samples.values)), scan_points(samples, SPACING)
    first = first_points(samples, FIRST_SPACING)
    mixtures = _grouped(samples, first, lambda rows: _weighted(samples.take(rows), first.of(rows)))
    for step in range(_ROUNDS + 1):
        looked = _looked(samples, mixtures, scan, tolerance, step == _ROUNDS)
        for i in np.flatnonzero(looked.done):
            real = mixtures.p[i] > 0.0
            s, p = mixtures.s[i, real], mixtures.p[i, real]
            found[int(rows[i])] = Solution(s, p, float(looked.value[i]), float(looked.gap[i]))
        rest = np.flatnonzero(~looked.done)
        if not len(rest):
            break
        rows, samples, mixtures, scan = rows[rest], samples.take(rest), mixtures.take(rest), scan.of(rest)
        points = mixtures.points().union(looked.peaks.of(rest))
        mixtures = _grouped(samples, points, partial(_better, samples, points, looked.worst[rest]))
    return [found[row] for row in range(len(found))]


@dataclass(frozen=True, eq=False)
class Looked:
    """Of mixtures of C columns: the log-likelihood ``value`` [C] per observation; the local maxima of D, and the
    ``worst`` [C] of them; the ``gap`` [C] where it was proved, else infinite, and whether it will do."""

    value: Array
    peaks: Points
    worst: Array
    gap: Array
    done: Bools


def _looked(samples: Samples, mixtures: Mixtures, scan: Points, tolerance: float, last: bool) -> Looked:
    fitted = mixtures.log_prob(samples)
    ratios, points = RatioSum.of(samples, fitted), scan.union(mixtures.points())
    sums = ratios.at(points)[:2]
    peaks = local_maxima(ratios, points, sums)
    worst = _largest(ratios, peaks)
    promising = (worst < 0.5 * tolerance) | last
    bound, at = np.full(len(worst), np.inf), np.zeros(len(worst))
    some = np.flatnonzero(promising)
    if len(some):
        proof = gaps(ratios.take(some), points.of(some), sums[:, promising[points.row]], 0.4 * tolerance)
        bound[some], at[some] = proof
    done = promising & ((bound <= tolerance) | last)
    missed = np.flatnonzero(promising & ~done)
    return Looked((samples.share * fitted).sum(axis=1), peaks.union(Points(missed, at[missed])), worst, bound, done)


def _grouped(samples: Samples, points: Points, work: Callable[[Ints], Mixtures]) -> Mixtures:
    """``work`` of columns with about as many ``points``: little padding, and arrays that a processor holds near."""
    size = np.bincount(points.row, minlength=len(samples.values))
    order = np.argsort(size, kind="stable")
    first = 0
    found: list[tuple[Ints, Mixtures]] = []
    ends = size[order] * samples.width[order]
    while first < len(order):
        small = size[order[first:]] <= _ALIKE * size[order[first]] + 1.0
        most = np.maximum.accumulate(ends[first:]) * np.arange(1, len(order) - first + 1)
        stop = first + max(1, int((small & (most <= _ELEMENTS)).sum()))
        rows = np.sort(order[first:stop])
        found.append((rows, work(rows)))
        first = stop
    return Mixtures.gathered(found)


def _better(samples: Samples, points: Points, worst: Array, rows: Ints) -> Mixtures:
    """More likely mixtures of the columns ``rows``, at or near the ``points`` of all."""
    samples, worst = samples.take(rows), worst[rows]
    weighted = _weighted(samples, points.of(rows))
    before = weighted.log_prob(samples)
    paired = _paired(RatioSum.of(samples, before), weighted)
    moved = Mixtures(*polished(samples, paired.s, paired.p))
    after = moved.log_prob(samples)
    # Newton's method may have lost a component, or not have arrived: then its points' own D is far from 0.
    arrived = _largest(RatioSum.of(samples, after), moved.points()) < worst
    better = arrived & ((samples.share * (after - before)).sum(axis=1) > -ROUNDING)
    accepted, refused = np.flatnonzero(better), np.flatnonzero(~better)
    return Mixtures.gathered([(accepted, moved.take(accepted)), (refused, weighted.take(refused))])


def _largest(ratios: RatioSum, points: Points) -> Array:
    """The largest log(1 + D/n) [C] at ``points``."""
    return np.asarray(ratios.shift + np.log(points.largest(ratios.at(points)[0], len(ratios.shift))[0]))


def _weighted(samples: Samples, points: Points) -> Mixtures:
    """The points that deserve a weight, and the best weights."""
    apart = np.append((np.diff(points.s) > _SAME) | (np.diff(points.row) > 0), True)
    points = points.where(apart)
    count = np.bincount(points.row, minlength=len(samples.values))
    # With rate 0 alone, positive counts would be impossible.
    last = np.cumsum(count) - 1
    zero = np.flatnonzero(points.s[last] == 0.0)
    if len(zero):
        points = points.union(Points(zero, samples.root[zero, -1]))
        count = np.bincount(points.row, minlength=len(samples.values))
    real = np.arange(count.max()) < count[:, None]
    s = np.repeat(samples.root[:, -1:], count.max(), axis=1)
    s[real] = points.s
    found = Mixtures.packed(s, mixing_weights(samples, s, real))
    # A component so light beside its neighbour moves the pmf by no more than its share of their spread.
    p, s = found.p, found.s
    ratio = np.minimum(p[:, :-1], p[:, 1:]) / np.maximum(p[:, :-1] + p[:, 1:], np.finfo(float).tiny)
    return found.joined(_first_true(ratio * np.diff(s) ** 2 > _NEGLIGIBLE))


def _paired(ratios: RatioSum, mixtures: Mixtures) -> Mixtures:
    """Two neighbours with D > 0 between them, made one: with the best weights D = 0 at both, its maximum is between."""
    s = mixtures.s
    middle = 0.5 * (s[:, :-1] + s[:, 1:])
    row = np.repeat(np.arange(len(s)), middle.shape[1])
    between = ratios.shift[:, None] + np.log(ratios.at(Points(row, middle.ravel()))[0].reshape(middle.shape))
    apart = _first_true((between < -_FLAT) & (np.diff(s) > _CLOSE))
    every, start = np.arange(len(s)), np.zeros(len(s), dtype=np.int64)
    for j in range(1, s.shape[1]):
        # Where D is flat, all of it may be positive.
        apart[:, j] |= s[:, j] - s[every, start] > 1.2 * FIRST_SPACING
        start[apart[:, j]] = j
    return mixtures.joined(apart)


def _first_true(apart: Bools) -> Bools:
    return np.append(np.ones((len(apart), 1), dtype=bool), apart, axis=1)
