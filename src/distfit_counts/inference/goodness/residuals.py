"""Residuals that are right for counts: standard normal, or uniform, where the model is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distfit_counts.data.histogram import Counts, Histogram
from distfit_counts.families.constraint import Array

Cdf = Callable[[Array], Array]

# More points than that only blacken a plot.
_MOST = 10_000
# The spacing of float64 below 1: F(k) says nothing of an upper tail that is smaller. Both ends are cut there, so that
# neither tail looks heavier for it: no residual lies beyond +-8.2.
_SMALLEST = 2.0**-53


def quantile_residuals(histogram: Histogram, cdf: Cdf, seed: int = 0) -> Array:
    """Randomised quantile residuals: Phi^-1(u), u uniform on (F(k-1), F(k)] (Dunn and Smyth 1996).

    One per observation, standard normal and independent under the model, ordered by count; of more than 10,000
    observations a random 10,000. ``cdf``: P(Y <= k) for an array of whole numbers. Cut at +-8.2, see above.
    """
    import torch

    rng = np.random.default_rng(seed)
    weights = histogram.weights if histogram.n <= _MOST else _thinned(histogram.weights, rng)
    lower, upper = (np.repeat(end, weights) for end in _ends(histogram, cdf))
    uniform = lower + (1.0 - rng.random(len(lower))) * (upper - lower)
    residuals: Array = torch.special.ndtri(torch.from_numpy(uniform.clip(_SMALLEST, 1.0 - _SMALLEST))).numpy()
    return residuals


def pit_histogram(histogram: Histogram, cdf: Cdf, bins: int = 10) -> Array:
    """Heights [bins], of sum 1, of the non-randomised probability integral transform; flat under the model.

    An observation k spreads evenly over (F(k-1), F(k)]: mean over observations of
    min(max((u - F(k-1)) / (F(k) - F(k-1)), 0), 1), differenced at u = 0, 1/bins, ..., 1 (Czado, Gneiting and Held
    2009). A count of probability 0 is a step at F(k).
    """
    lower, upper = _ends(histogram, cdf)
    u = np.linspace(0.0, 1.0, bins + 1)[1:-1, None]
    wide = upper > lower
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
