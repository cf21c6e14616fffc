"""Where pictures of a model's fit would lie if the model were true: bands."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array

Cdf = Callable[[Array], Array]

# A binomial of a larger variance is normal to the width of a line.
_NORMAL_FROM = 1e4
# Simulated samples of a band that all points keep.
_SAMPLES = 4000


def binomial_band(n: int, p: npt.ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Two-sided quantiles of Binomial(n, p): where an observed frequency falls with at least probability ``level``.

    Smallest x with P(X <= x) >= a, at a = (1 - level)/2 and 1 - a, for every expected share ``p``. Exact up to a
    variance of 10,000, from there on normal.
    """
    tails = np.array([0.5 - level / 2.0, 0.5 + level / 2.0])
    found = np.array([_quantiles(n, float(share), tails) for share in np.ravel(p)])
    return found[:, 0], found[:, 1]


def _quantiles(n: int, p: float, tails: Array) -> Array:
    if p <= 0.0 or p >= 1.0:
        return np.full(len(tails), float(n if p >= 1.0 else 0))
    mean, deviation = n * p, (n * p * (1.0 - p)) ** 0.5
    if deviation**2 > _NORMAL_FROM:
        z = np.array([NormalDist().inv_cdf(float(tail)) for tail in tails])
        normal: Array = np.ceil(mean + z * deviation - 0.5).clip(0.0, float(n))
        return normal
    # The mass outside ten standard deviations (and forty counts, for a skewed one) is below 1e-20.
    low, high = max(int(mean - 10 * deviation) - 40, 0), min(int(mean + 10 * deviation) + 40, n)
    k = np.arange(low, high)
    ratio = np.log(n - k) - np.log(k + 1.0) + np.log(p) - np.log1p(-p)
    log_share = np.concatenate([[0.0], np.cumsum(ratio)])
    total = np.cumsum(np.exp(log_share - log_share.max()))
    exact: Array = low + np.searchsorted(total / total[-1], tails).astype(float)
    return exact


def pit_band(n: int, cdf: Cdf, bins: int = 10, level: float = 0.95) -> tuple[Array, Array]:
    """Where each height of a non-randomised PIT histogram of ``n`` observations lies, pointwise, if F is true.

    An observation k adds g(k), the part of (F(k-1), F(k)] that lies in the bin: mean 1/bins, variance
    sum_k overlap(k)^2 / P(k) - 1/bins^2, less than the binomial's, which a randomised PIT has. Normal approximation.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    inner = _quantile(cdf, edges[1:-1])
    above, below = cdf(inner), np.where(inner > 0, cdf(np.maximum(inner - 1.0, 0.0)), 0.0)
    # The count whose interval holds each edge; u = 0 and u = 1 cut no interval in two.
    left = [(0.0, 0.0, -1.0), *zip(below, above, inner, strict=True)]
    right = [*zip(below, above, inner, strict=True), (1.0, 1.0, np.inf)]
    pairs = zip(edges, edges[1:], left, right, strict=False)
    squares = np.array([_mean_square(float(a), float(b), first, last) for a, b, first, last in pairs])
    reach = NormalDist().inv_cdf(0.5 + level / 2.0) * np.sqrt(np.maximum(squares - bins**-2.0, 0.0) / n)
    return (1.0 / bins - reach).clip(0.0), 1.0 / bins + reach


def _mean_square(a: float, b: float, first: tuple[float, ...], last: tuple[float, ...]) -> float:
    """E g(Y)^2 for the bin (a, b], whose ends lie in the intervals (below, above, count) ``first`` and ``last``."""
    if first[2] == last[2]:
        return (b - a) ** 2 / (first[1] - first[0])
    head = (first[1] - a) ** 2 / (first[1] - first[0]) if first[1] > first[0] else 0.0
    tail = (b - last[0]) ** 2 / (last[1] - last[0]) if last[1] > last[0] else 0.0
    return head + (last[0] - first[1]) + tail


def _quantile(cdf: Cdf, u: Array) -> Array:
    """The smallest count k with F(k) >= u, by doubling and halving."""
    high = np.ones_like(u)
    while (short := cdf(high) < u).any() and high.max() < 2.0**52:
        high = np.where(short, 2.0 * high, high)
    low = np.full_like(u, -1.0)
    while (high - low > 1.0).any():
        middle = np.floor(0.5 * (low + high))
        reached = cdf(middle) >= u
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def normal_band(n: int, ranks: npt.NDArray[np.int64], level: float = 0.95) -> tuple[Array, Array]:
    """Where the order statistics ``ranks`` (from 0, rising) of ``n`` standard normal draws lie, all at once.

    The ends are equally extreme at every rank: as many of 4,000 simulated samples lie below the one as above the other,
    so many that ``level`` of the samples keep within all of them (Aldor-Noiman, Brown, Buja, Rolke and Stine 2013).
    """
    import torch

    rng = np.random.default_rng(0)
    # Uniform order statistics are shares of sums of exponentials: only the ranks asked for are drawn.
    sums = np.cumsum(rng.standard_gamma(np.diff(ranks, prepend=-1), (_SAMPLES, len(ranks))), axis=1)
    total = sums[:, -1:] + rng.standard_gamma(n - ranks[-1], (_SAMPLES, 1))
    drawn = torch.special.ndtri(torch.from_numpy(sums / total)).numpy()
    ordered = np.sort(drawn, axis=0)
    least, most = 0, _SAMPLES // 2
    while most - least > 1:
        depth = (least + most) // 2
        inside = ((drawn >= ordered[depth]) & (drawn <= ordered[-1 - depth])).all(axis=1).mean()
        least, most = (depth, most) if inside >= level else (least, depth)
    return ordered[least], ordered[-1 - least]
