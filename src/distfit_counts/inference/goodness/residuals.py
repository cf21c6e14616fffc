"""Residuals that are right for counts: standard normal, or uniform, where the model is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distfit_counts.data.histogram import Counts, Histogram
from distfit_counts.families.constraint import Array

Cdf = Callable[[Array], Array]
# k -> log P(Y <= k) and log P(Y > k), for whole numbers k >= -1.
LogTails = Callable[[Array], tuple[Array, Array]]

# More points than that only blacken a plot.
_MOST = 10_000
# Tails with a smaller logarithm are close to the end of float64.
_SERIES = -690.0


def quantile_residuals(histogram: Histogram, log_tails: LogTails, seed: int = 0) -> Array:
    """Randomised quantile residuals: Phi^-1(u), u uniform on (F(k-1), F(k)] (Dunn and Smyth 1996).

    One per observation, standard normal and independent under the model, ordered by count; of more than 10,000
    observations a random 10,000. From the logarithms of both tails, so that none is cut however far out it lies: only a
    count of probability 0 below or above all others has an infinite one.
    """
    rng = np.random.default_rng(seed)
    weights = histogram.weights if histogram.n <= _MOST else _thinned(histogram.weights, rng)
    k = histogram.values.astype(np.float64)
    return _between_tails(k, np.repeat(np.arange(len(k)), weights), log_tails, rng)


def residuals_of(counts: Counts, log_tails: LogTails, seed: int = 0) -> Array:
    """The same of every count, in the order of ``counts``; NaN for those below 0, which are missing."""
    known = counts >= 0
    k, place = np.unique(counts[known], return_inverse=True)
    found = np.full(len(counts), np.nan)
    found[known] = _between_tails(k.astype(np.float64), place, log_tails, np.random.default_rng(seed))
    return found


def _between_tails(k: Array, place: Counts, log_tails: LogTails, rng: np.random.Generator) -> Array:
    """Phi^-1 of a draw for every observation, of which ``place`` says which of the distinct counts ``k`` it is."""
    begins, ends = ([tail[place] for tail in log_tails(at)] for at in (k - 1.0, k))
    share = rng.random(len(place))
    with np.errstate(divide="ignore"):
        below, above = (_between(np.log(share), np.log1p(-share), *pair) for pair in zip(begins, ends, strict=True))
    z = normal_quantile(np.minimum(below, above))
    return np.where(below < above, -z, z)


def _between(log_first: Array, log_second: Array, first: Array, second: Array) -> Array:
    """log of the mean of exp(first) and exp(second) with these weights."""
    result: Array = np.logaddexp(log_first + first, log_second + second)
    return result


def normal_quantile(log_tail: Array) -> Array:
    """z with log P(N(0, 1) > z) = ``log_tail``, however small; infinite for the logarithm of 0."""
    import torch

    near = np.maximum(log_tail, _SERIES)
    z: Array = -torch.special.ndtri(torch.from_numpy(np.exp(near))).numpy()
    # Of the tail's asymptotic series (Abramowitz and Stegun 26.2.12), solved for z: from 37 on four rounds are exact.
    far = np.minimum(log_tail, _SERIES).clip(-1e100)
    square = -2.0 * far
    for _ in range(4):
        square = -2.0 * far - np.log(2.0 * np.pi * square) + 2.0 * np.log1p(-1.0 / square + 3.0 / square**2)
    return np.where(np.isneginf(log_tail), np.inf, np.where(log_tail < _SERIES, np.sqrt(square), z))


def pit_histogram(histogram: Histogram, cdf: Cdf, bins: int = 10) -> Array:
    """Heights [bins], of sum 1, of the non-randomised probability integral transform; flat under the model.

    An observation k spreads evenly over (F(k-1), F(k)]: mean over observations of
    min(max((u - F(k-1)) / (F(k) - F(k-1)), 0), 1), differenced at u = 0, 1/bins, ..., 1 (Czado, Gneiting and Held
    2009). A count of probability 0 is a step at F(k).
    """
    lower, upper = _ends(histogram, cdf)
    u = np.linspace(0.0, 1.0, bins + 1)[1:-1, None]
    # No share of an interval of denormal width can be computed: it is a step too.
    wide = upper - lower > np.finfo(np.float64).tiny
    reached = np.where(wide, ((u - lower) / np.where(wide, upper - lower, 1.0)).clip(0.0, 1.0), u > upper)
    inner = (reached * histogram.weights).sum(axis=1) / histogram.n
    heights: Array = np.diff(inner, prepend=0.0, append=1.0)
    return heights


def _ends(histogram: Histogram, cdf: Cdf) -> tuple[Array, Array]:
    """F(k-1) and F(k) of every distinct count."""
    k = histogram.values.astype(np.float64)
    lower = np.where(k > 0, cdf(np.maximum(k - 1.0, 0.0)), 0.0).clip(0.0, 1.0)
    return lower, cdf(k).clip(lower, 1.0)


def _thinned(weights: Counts, rng: np.random.Generator) -> Counts:
    """How often each value occurs in a sample of the observations, without replacement."""
    chosen = rng.choice(int(weights.sum()), _MOST, replace=False, shuffle=False)
    return np.bincount(np.searchsorted(np.cumsum(weights), chosen, side="right"), minlength=len(weights))
