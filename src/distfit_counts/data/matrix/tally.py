"""Running counts of many variables at once: entries go in, one histogram per variable comes out."""

from __future__ import annotations

from collections import Counter

import numpy as np

from distfit_counts.data.arrays import as_numpy, int64_array, is_null
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.matrix.entries import MISSING, Ints
from distfit_counts.data.pairs import Pairs

# Values from here on are so rare that Python counts them; Pairs holds smaller ones.
_LARGE = 2**30


class MatrixTally:
    """Counts of what is stored; the zeros are whatever is left of the observations. Series: a variable in a group."""

    def __init__(self) -> None:
        self._pairs = Pairs()
        self._large: dict[int, Counter[int]] = {}

    def add(self, series: Ints, values: Ints, weights: Ints | None = None) -> None:
        """Count ``values`` (MISSING: not known), each ``weights`` times, for the series of the same place."""
        kept = values != 0 if weights is None else (values != 0) & (weights > 0)
        if not kept.all():
            series, values, weights = series[kept], values[kept], None if weights is None else weights[kept]
        if len(values) and int(values.max()) >= _LARGE:
            large = values >= _LARGE
            self._add_large(series[large], values[large], None if weights is None else weights[large])
            series, values, weights = series[~large], values[~large], None if weights is None else weights[~large]
        self._pairs.add(int64_array(series), int64_array(values, values == MISSING), weights)

    def _add_large(self, series: Ints, values: Ints, weights: Ints | None) -> None:
        numbers = [1] * len(values) if weights is None else weights.tolist()
        for one, value, number in zip(series.tolist(), values.tolist(), numbers, strict=True):
            self._large.setdefault(one, Counter())[value] += number

    def histograms(self, observations: Ints) -> list[Histogram]:
        """A histogram for each series: 0, 1, ...; ``observations``: how many each of them has."""
        (label,), value, number = self._pairs.columns()
        values = np.where(is_null(value), MISSING, as_numpy(value))
        numbers = as_numpy(number)
        borders = np.searchsorted(as_numpy(label), np.arange(len(observations) + 1))
        zeros = observations - np.diff(np.concatenate([[0], np.cumsum(numbers)])[borders])
        for series, counter in self._large.items():
            zeros[series] -= counter.total()
        # A missing value is sorted first; the zeros come after it, and take a place where there are none, too.
        some_missing = (np.append(values, 0)[borders[:-1]] == MISSING) & (np.diff(borders) > 0)
        missing = np.where(some_missing, np.append(numbers, 0)[borders[:-1]], 0)
        places = borders[:-1] + some_missing
        values, numbers = np.insert(values, places, 0), np.insert(numbers, places, zeros)
        series_before = np.arange(len(observations))
        starts, ends = places + series_before + (zeros == 0), borders[1:] + series_before + 1
        found = [
            Histogram(values[start:end], numbers[start:end], n_missing)
            for start, end, n_missing in zip(starts.tolist(), ends.tolist(), missing.tolist(), strict=True)
        ]
        for series, counter in self._large.items():
            found[series] = Histogram.merge([found[series], Histogram.of(list(counter), list(counter.values()))])
        return found
