"""Observed against expected counts, binned so that a person can read them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import split
from distfit_counts.records import Natural

# Counts up to here are listed one by one.
_ONE_BY_ONE = 20


@dataclass(frozen=True)
class Frequency:
    """Counts ``low`` to ``high`` (None: and above): how often observed, how often expected under the model."""

    low: Natural
    high: Natural | None
    observed: Natural
    expected: float

    @property
    def pearson(self) -> float:
        """(observed - expected) / sqrt(expected); NaN where nothing is expected, infinite if some is seen there."""
        if self.expected > 0:
            return (self.observed - self.expected) / math.sqrt(self.expected)
        return float("inf" if self.observed else "nan")


def bins(lows: npt.NDArray[np.int64], observed: npt.ArrayLike, expected: npt.ArrayLike) -> tuple[Frequency, ...]:
    """Bins that begin at ``lows``, the last of them open."""
    highs = [*(lows[1:] - 1).tolist(), None]
    listed = zip(lows.tolist(), highs, np.asarray(observed).tolist(), np.asarray(expected).tolist(), strict=True)
    return tuple(Frequency(low, high, round(seen), mean) for low, high, seen, mean in listed)


def frequencies(histogram: Histogram, pmf: Pmf) -> list[Frequency]:
    """Bins that cover 0, 1, 2, ...: single counts where they are small, else zero apart and some 18 equal widths.

    The last bin is open.
    """
    edges = _edges(histogram)
    position = np.searchsorted(histogram.values, edges)
    cumulative = np.concatenate([[0], np.cumsum(histogram.weights)])
    observed = np.diff(cumulative[np.append(position, histogram.distinct)])
    return list(bins(edges, observed, histogram.n * split(pmf, edges).held(edges)))


def _edges(histogram: Histogram) -> npt.NDArray[np.int64]:
    """Lower ends of the bins, the first 0; the last bin is open."""
    share = np.cumsum(histogram.weights) / histogram.n
    low = int(histogram.values[np.searchsorted(share, 0.01)])
    high = int(histogram.values[min(int(np.searchsorted(share, 0.99)), histogram.distinct - 1)])
    if high <= _ONE_BY_ONE:
        return np.arange(min(int(histogram.values[-1]), _ONE_BY_ONE) + 2)
    width = _round_width((high - low) / 18)
    first = low // width * width
    edges = np.arange(max(first, 1), high + width + 1, width)
    return np.unique(np.concatenate([[0, 1], edges]))


def _round_width(width: float) -> int:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** int(np.floor(np.log10(max(width, 1.0))))
    return next(int(step * power) for step in (1, 2, 5, 10) if step * power >= width)
