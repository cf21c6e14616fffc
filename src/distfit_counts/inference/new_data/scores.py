"""Proper scores of a model on data: smaller is better, and none can be gained by claiming what one does not believe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.table import Table


def log_score(histogram: Histogram, log_pmf: Callable[[Array], Array]) -> float:
    """Mean over observations of -log P(Y = y) (Good 1952), in nats; infinite where one has probability 0."""
    log_p = log_pmf(histogram.values.astype(np.float64))
    return float(-(histogram.weights * log_p).sum() / histogram.n) + 0.0  # never -0.0


def expected_log_score(table: Table) -> tuple[float, float]:
    """Mean and standard deviation of -log P(Y = Y') for one Y' of the model itself: its entropy H, in nats, and
    sqrt(sum p (log p)^2 - H^2).

    Exact where ``table`` lists every count; in a piece of several, as if all its counts were equally probable.
    """
    held = table.masses > 0.0
    masses = table.masses[held]
    surprise = np.log(table.sizes[held]) - np.log(masses)
    # Over their own sum: no rounding of it may count as a surprise.
    masses = masses / masses.sum()
    mean = float((masses * surprise).sum())
    # Around the mean: the square of a large entropy would cancel.
    return mean, float((masses * (surprise - mean) ** 2).sum() ** 0.5)


def ranked_probability_score(histogram: Histogram, table: Table) -> float:
    """Mean over observations y of sum_k (F(k) - 1{y <= k})^2, in counts (Epstein 1969; Czado, Gneiting, Held 2009).

    One sum over k serves all observations: with G their empirical distribution function it is
    sum_k (1 - G(k)) F(k)^2 + G(k) (1 - F(k))^2. Exact where ``table`` lists every count; in a piece of several, F is
    taken as straight. ``table`` must cover the values of ``histogram``.
    """
    share = np.concatenate([[0.0], np.cumsum(histogram.weights) / histogram.n])
    # No value lies inside a piece, so that G is the same for all its counts.
    observed = share[np.searchsorted(histogram.values, table.starts, side="right")]
    reached = table.reached
    below = np.append(0.0, reached[:-1])
    m, rise = table.sizes.astype(np.float64), reached - below
    # Sums over j = 1..m of (F + j/m rise)^2, and over j = 0..m-1 of (1 - F(end) + j/m rise)^2.
    lower = m * below**2 + below * rise * (m + 1) + rise**2 * (m + 1) * (2 * m + 1) / (6 * m)
    left = 1.0 - reached
    upper = m * left**2 + left * rise * (m - 1) + rise**2 * (m - 1) * (2 * m - 1) / (6 * m)
    return float(((1.0 - observed) * lower + observed * upper).sum())
