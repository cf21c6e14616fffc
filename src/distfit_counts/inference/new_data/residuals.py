"""Randomised quantile residuals in three numbers, each beside where it lies if the model is true."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.bands import binomial_band
from distfit_counts.inference.goodness.residuals import LogTails, quantile_residuals

# Half of the 95 % interval of a standard normal: one residual in twenty lies beyond.
FAR, SHARE_BEYOND = 1.96, 0.05


@dataclass(frozen=True)
class Moment:
    """A number, and the ends of where it lies with 95 % if the model is true."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Residuals:
    """Of ``n`` residuals, randomised with ``seed``: mean (0 if the model is true), standard deviation (1; NaN for one
    residual, and where one is infinite) and the share ``beyond`` +-1.96 (0.05).
    """

    n: int
    seed: int
    mean: Moment
    deviation: Moment
    beyond: Moment


def residuals(histogram: Histogram, log_tails: LogTails, seed: int) -> Residuals:
    """Summary of the quantile residuals of Dunn and Smyth (1996)."""
    return summary(quantile_residuals(histogram, log_tails, seed), seed)


def summary(found: Array, seed: int) -> Residuals:
    """Of n standard normal draws the mean has standard error 1/sqrt n, the standard deviation 1/sqrt(2n)
    (asymptotic), and the number beyond +-1.96 is binomial.
    """
    n = len(found)
    z = NormalDist().inv_cdf(0.975)
    error, spread = z / n**0.5, z / (2.0 * n) ** 0.5
    low, high = binomial_band(n, [SHARE_BEYOND])
    # Infinite ones have no spread.
    deviation = float(found.std(ddof=1)) if n > 1 and np.isfinite(found).all() else float("nan")
    return Residuals(
        n,
        seed,
        Moment(_mean(found), -error, error),
        Moment(deviation, max(1.0 - spread, 0.0), 1.0 + spread),
        Moment(float(np.mean(np.abs(found) > FAR)), float(low[0]) / n, float(high[0]) / n),
    )


def _mean(found: Array) -> float:
    """NaN where some are infinite on both sides."""
    with np.errstate(invalid="ignore"):
        return float(found.mean())
