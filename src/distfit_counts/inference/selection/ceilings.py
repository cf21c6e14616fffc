"""How high the log-likelihood can go at all."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from threading import Lock

import numpy as np

from distfit_counts.comparison import Ceiling
from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.poisson_mixtures.npmle import npmles
from distfit_counts.optimise.threads import side_by_side

# Distinct values beyond which the search for the best Poisson mixture takes longer than all fits together (24,000 take
# 12 s), and from which a coarser gap per observation will do.
_DISTINCT, _MANY = 5_000, 500
_FINE, _COARSE = 1e-9, 1e-6
# Of thousands of columns each family is judged as a whole, and each column again when it is shown.
_REMEMBERED = 1 << 15
_LOCK = Lock()
_found: dict[Histogram, Ceiling | None] = {}


def saturated(histogram: Histogram) -> float:
    """sum_v w_v log(w_v / n): every observed value has its own frequency as probability. No model exceeds it."""
    weights = histogram.weights.astype(np.float64)
    return float((weights * np.log(weights / histogram.n)).sum()) + 0.0


def poisson_mixtures(histogram: Histogram) -> Ceiling | None:
    """The nonparametric maximum over all Poisson mixtures (Lindsay 1983); None for data too wide to search.

    It is asked for by each family that is compared on a column, and remembered until they have been.
    """
    return search([histogram])[0]


def search(histograms: Sequence[Histogram], threads: int | None = 1) -> list[Ceiling | None]:
    """``poisson_mixtures`` of many columns, which together take a fraction of the time; remembered for when each of
    them is asked for. ``threads``: as many side by side (None: one for each processor).
    """
    known = {histogram: _found[histogram] for histogram in histograms if histogram in _found}
    new = [histogram for histogram in histograms if histogram not in known]
    known |= dict.fromkeys(new)
    narrow = [histogram for histogram in new if histogram.distinct <= _MANY]
    wide = [histogram for histogram in new if _MANY < histogram.distinct <= _DISTINCT]
    known |= _searched(narrow, _FINE, threads) | _searched(wide, _COARSE, threads)
    # Fits are judged side by side.
    with _LOCK:
        _found.update((histogram, known[histogram]) for histogram in new)
        for oldest in list(itertools.islice(_found, max(0, len(_found) - _REMEMBERED))):
            del _found[oldest]
    return [known[histogram] for histogram in histograms]


def _searched(histograms: Sequence[Histogram], tolerance: float, threads: int | None) -> dict[Histogram, Ceiling]:
    columns = [(each.values.astype(np.float64), each.weights.astype(np.float64)) for each in histograms]
    found = npmles(columns, tolerance, partial(side_by_side, threads=threads))
    return {
        histogram: Ceiling(
            best.log_likelihood, histogram.n * best.gap, tuple(best.rates.tolist()), tuple(best.weights.tolist())
        )
        for histogram, best in zip(histograms, found, strict=True)
    }
