"""What further components could add to fits: batched over columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gap import SPACING, gaps
from distfit_counts.inference.poisson_mixtures.gradient_function import RatioSum
from distfit_counts.inference.poisson_mixtures.samples import Column, Samples, scan_points
from distfit_counts.inference.poisson_mixtures.support_points import local_maxima

_TOLERANCE = 1e-11


def room(columns: Sequence[Column], log_fitted: Sequence[Array], enough: Array) -> tuple[Array, Array]:
    """Of each column with a fitted log-pmf [V], ``gap``'s bound [C], and the rate [C] of the component that helps most:
    where D is largest, as far as a scan tells its maxima apart. The bound is a coarse one above ``enough`` [C]."""
    samples = Samples.of(columns)
    fitted = np.zeros(samples.values.shape)
    for row, own in enumerate(log_fitted):
        fitted[row, : len(own)] = own
    impossible = np.isneginf(fitted)
    ratios, points = RatioSum.of(samples, np.where(impossible, 0.0, fitted)), scan_points(samples, SPACING)
    found = ratios.at(points)[:2]
    bound, _ = gaps(ratios, points, found, _TOLERANCE, enough)
    peaks = local_maxima(ratios, points, found)
    rate = peaks.largest(ratios.at(peaks)[0], len(columns))[1] ** 2
    never = impossible.any(axis=1)
    first = samples.values[np.arange(len(columns)), impossible.argmax(axis=1)]
    return np.where(never, np.inf, bound), np.where(never, first, rate)
