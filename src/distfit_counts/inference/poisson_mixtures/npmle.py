"""The nonparametric maximum-likelihood estimate over all Poisson mixtures: a ceiling for every one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gradient_function import REACH, RatioSum, first_points, gap
from distfit_counts.inference.poisson_mixtures.mixing_weights import log_mixture, mixing_weights
from distfit_counts.inference.poisson_mixtures.support_points import local_maxima, polished, scan_points

# Two or three rounds are usual.
_ROUNDS = 50
# First spacing of the components in √rate: a standard deviation of a Poisson.
_SPACING = 0.5
# Components closer than this in √rate are one: two would make every system of equations singular.
_SAME = 1e-7
# Weight × squared distance in √rate, relative to the weight of both, below which a component joins its neighbour.
_NEGLIGIBLE = 1e-12
# Distance and |D| that are too small to tell a pair of components from a single one.
_CLOSE = 1e-3
_FLAT = 1e-11
# Log-likelihood per observation that float64 does not resolve.
_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class MixingDistribution:
    """P(Y = k) = Σ_j weights_j Poisson(k; rates_j).

    ``rates`` [J] ascending, ≥ 0; ``weights`` [J] > 0, of sum 1. ``log_likelihood``: over all observations, with all
    constants. ``gap``: what any Poisson mixture can gain over it at most, in log-likelihood per observation.
    """

    rates: Array
    weights: Array
    log_likelihood: float
    gap: float

    def log_prob(self, k: Array) -> Array:
        """log P(Y = k) for counts ``k`` [V]."""
        result, order = np.empty(len(k)), np.argsort(k)
        result[order] = log_mixture(k[order], np.sqrt(self.rates), self.weights)
        return result


def npmle(values: Array, weights: Array, tolerance: float = 1e-9) -> MixingDistribution:
    """The Poisson mixture that no other exceeds by more than ``gap`` per observation, which reaches ``tolerance``.

    ``values`` [V] ascending, distinct counts, each ``weights`` [V] > 0 times. Lindsay (1983): the maximum exists, has
    at most V support points, and is where max D = 0. A hundred distinct counts take about 10 ms; 20,000, or flat
    likelihoods (uniform counts), take seconds: there a tolerance of 1e-6 is much faster.
    """
    share = weights / weights.sum()
    # No Poisson reaches across so wide a gap: the problem falls apart into one for each side.
    edges = np.flatnonzero(np.diff(np.sqrt(values)) > REACH) + 1
    s, p = [], []
    for k, own in zip(np.split(values, edges), np.split(share, edges), strict=True):
        part_s, part_p = _solved(k, own / own.sum(), tolerance)
        s.append(part_s)
        p.append(part_p * own.sum())
    rates = np.clip(np.concatenate(s) ** 2, values[0], values[-1])
    mixing = np.concatenate(p)
    fitted = log_mixture(values, np.sqrt(rates), mixing)
    bound = gap(values, share, fitted, 0.4 * tolerance).bound
    return MixingDistribution(rates, mixing / mixing.sum(), float(weights @ fitted), bound)


def _solved(values: Array, share: Array, tolerance: float) -> tuple[Array, Array]:
    """Support s = √rate [J], ascending, and weights [J].

    In rounds: give the points and the local maxima of D the best weights, which always gains (Wang 2007, JRSS B 69,
    constrained Newton method), by a factor of 4 in max D; then move points and weights together by Newton's method,
    which goes to the last digit at once where it starts with the right number of points.
    """
    if len(values) == 1:
        return np.sqrt(values), np.ones(1)
    scan = scan_points(values)
    s, p = _weighted(values, share, first_points(values, _SPACING))
    for _ in range(_ROUNDS):
        fitted = log_mixture(values, s, p)
        ratios = RatioSum.of(values, share, fitted)
        peaks = local_maxima(ratios, np.union1d(scan, s))
        worst = _largest(ratios, peaks)
        if worst < 0.5 * tolerance:
            found = gap(values, share, fitted, 0.4 * tolerance)
            if found.bound <= tolerance:
                break
            peaks = np.union1d(peaks, np.sqrt(found.rate))
        s, p = _weighted(values, share, np.union1d(s, peaks))
        moved_s, moved_p = polished(values, share, *_paired(values, share, s, p))
        moved = log_mixture(values, moved_s, moved_p)
        # Newton's method may have lost a component, or not have arrived: then its points' own D is far from 0.
        arrived = _largest(RatioSum.of(values, share, moved), moved_s) < worst
        if arrived and share @ (moved - log_mixture(values, s, p)) > -_ROUNDING:
            s, p = moved_s, moved_p
    return s, p


def _largest(ratios: RatioSum, s: Array) -> float:
    """The largest log(1 + D/n) at ``s``."""
    return float(ratios.shift + np.log(ratios.at(s)[0].max()))


def _weighted(values: Array, share: Array, s: Array) -> tuple[Array, Array]:
    """The points of ``s`` [J], ascending, that deserve a weight, and the best weights."""
    s = s[np.append(np.diff(s) > _SAME, True)]
    if s[-1] == 0.0:
        # With rate 0 alone, positive counts would be impossible.
        s = np.append(s, np.sqrt(values[-1]))
    p = mixing_weights(values, share, s)
    s, p = s[p > 0.0], p[p > 0.0]
    # A component so light beside its neighbour moves the pmf by no more than its share of their spread.
    ratio = np.minimum(p[:-1], p[1:]) / (p[:-1] + p[1:])
    return _joined(s, p, np.append(True, ratio * np.diff(s) ** 2 > _NEGLIGIBLE))


def _paired(values: Array, share: Array, s: Array, p: Array) -> tuple[Array, Array]:
    """Two neighbours with D > 0 between them, made one: with the best weights D = 0 at both, its maximum is between."""
    ratios = RatioSum.of(values, share, log_mixture(values, s, p))
    between = ratios.shift + np.log(ratios.at(0.5 * (s[:-1] + s[1:]))[0])
    apart = np.append(True, (between < -_FLAT) & (np.diff(s) > _CLOSE))
    start = 0
    for i in range(1, len(s)):
        # Where D is flat, all of it may be positive.
        apart[i] |= s[i] - s[start] > 1.2 * _SPACING
        start = i if apart[i] else start
    return _joined(s, p, apart)


def _joined(s: Array, p: Array, apart: Array) -> tuple[Array, Array]:
    """Each run of components, which begins where ``apart`` [J] is true, made one of the same weight and mean."""
    first = np.flatnonzero(apart)
    total = np.add.reduceat(p, first)
    return np.sqrt(np.add.reduceat(s * s * p, first) / total), total
