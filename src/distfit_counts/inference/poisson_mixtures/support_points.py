"""Where the components of a Poisson mixture should be: the maxima of the gradient function."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gap import SPACING, Intervals
from distfit_counts.inference.poisson_mixtures.gradient_function import RatioSum
from distfit_counts.inference.poisson_mixtures.samples import Points, Samples, scan_points

# Newton's method, where it converges, takes three or four steps from a cubic's maximum to the last digit.
_REFINEMENTS = 12
# The last step, in s and relative to it: what is left is its square, and D is flat there.
_NEAR = 1e-5


def helps_most(values: Array, weights: Array, log_fitted: Array) -> float:
    """The rate of the component that helps a fit most: where D is largest, as far as a scan tells its maxima apart."""
    samples = Samples.of([(values, weights)])
    ratios, points = RatioSum.of(samples, log_fitted[None]), scan_points(samples, SPACING)
    peaks = local_maxima(ratios, points, ratios.at(points)[:2])
    return float(peaks.largest(ratios.at(peaks)[0], 1)[1][0] ** 2)


def local_maxima(ratios: RatioSum, points: Points, found: Array) -> Points:
    """The s at which D has a local maximum, as far as ``points`` tell them apart; ``found`` [2, N]: S and S′ there."""
    falls, intervals = found[1] <= 0.0, Intervals.between(points, found)
    (rise, fall), ends = intervals.sums[1], np.append(True, np.diff(points.row) > 0)
    turns = intervals.where((rise > 0.0) & (fall <= 0.0))
    (low, high), start = turns.ends, turns.summits()
    row, s, going = start.row, start.s.copy(), np.arange(len(start.s))
    for _ in range(_REFINEMENTS):
        _, first, second = ratios.at(Points(row[going], s[going]))
        low[going] = np.where(first > 0.0, s[going], low[going])
        high[going] = np.where(first > 0.0, high[going], s[going])
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = s[going] - first / second
        inside = (newton > low[going]) & (newton < high[going])
        moved = np.where(inside, newton, 0.5 * (low[going] + high[going]))
        far = np.abs(moved - s[going]) > _NEAR * (1.0 + moved)
        s[going] = moved
        going = going[far]
        if not len(going):
            break
    # Rising to the last point, or falling from the first.
    last = np.append(ends[1:], True)
    outer = points.where((ends & falls) | (last & ~falls))
    return Points(row, s).union(outer)
