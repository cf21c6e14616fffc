"""Many data sets made from one: simulated or resampled, and refitted as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.inference.fitted.reached import log_pmf, reached
from distfit_counts.optimise.problem import Batch
from distfit_counts.optimise.solve import Share, Solution, solve
from distfit_counts.settings import REPLICATE_ELEMENTS, FitSettings

# Cells of a pmf that are drawn as one multinomial; a wider distribution is drawn count by count.
_CELLS = 20_000
# Expected draws, over all replicates, beyond the last cell.
_BEYOND = 1e-6


def resampled(histogram: Histogram, replicates: int, rng: np.random.Generator) -> Batch:
    """``replicates`` nonparametric bootstrap samples of the size of ``histogram`` (Efron 1979).

    Drawing n observations with replacement is one multinomial over the distinct values: the cost does not depend on n.
    """
    weights = rng.multinomial(histogram.n, histogram.weights / histogram.n, replicates)
    return _batch(histogram.values.astype(np.float64), weights)


def simulated(family: Family, values: Mapping[str, float], n: int, replicates: int, rng: np.random.Generator) -> Batch:
    """``replicates`` samples of ``n`` counts from ``family`` at ``values``.

    A multinomial over the pmf where the distribution is narrow enough that this is cheaper than n draws; the count
    beyond which less than _BEYOND of all draws are expected stands for all larger ones.
    """
    cells = _pmf(family, values, n, replicates)
    if cells is not None:
        return _batch(np.arange(len(cells), dtype=np.float64), rng.multinomial(n, cells / cells.sum(), replicates))
    histograms = [Histogram.of(family.sample(dict(values), n, rng)) for _ in range(replicates)]
    return Batch.of(histograms)


class _Watch:
    """Tells ``report`` how many samples of ``in_all`` are done, never fewer than before."""

    def __init__(self, report: Callable[[int, int], None], in_all: int) -> None:
        self._report, self._in_all = report, in_all
        # Of simulations that have ended; of the running one, in pieces that have ended; in the running piece.
        self.ended, self.done, self.size = 0, 0, 0
        self._told = 0

    def tell(self, share: float) -> None:
        """``share`` of the running piece is done."""
        self._told = min(max(self._told, self.ended + self.done + int(share * self.size)), self._in_all)
        self._report(self._told, self._in_all)


_WATCH: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(report: Callable[[int, int], None] | None, samples: int) -> Iterator[None]:
    """``report`` is told how many of all ``samples`` are done while they are simulated and refitted in the block."""
    token = _WATCH.set(None if report is None else _Watch(report, samples))
    try:
        yield
    finally:
        _WATCH.reset(token)


def refit(
    family: Family,
    batch: Batch,
    warm: Mapping[Family, Mapping[str, float]],
    settings: FitSettings,
    known: dict[Family, Solution] | None = None,
) -> Solution:
    """``family`` fitted to every replicate of ``batch``; ``known`` keeps the families already fitted to it.

    The replicates lie near the data that ``warm`` (the solution, by family) was fitted to: besides the moments and the
    simpler families' solutions, that is where they start; no random starts.
    """
    watch, share = _WATCH.get(), Share([family])

    def told(solved: Family, done: int, total: int) -> None:
        if watch is not None:
            watch.tell(share(solved, done, total))

    within = replace(settings, restarts=1, trace=False)
    return solve(family, batch, within, {} if known is None else known, told, warm)


def pieces(replicates: int, width: int) -> Iterator[int]:
    """How many replicates to refit at a time, so that memory stays bounded for wide data."""
    at_once = max(REPLICATE_ELEMENTS // max(width, 1), 1)
    watch = _WATCH.get()
    for done in range(0, replicates, at_once):
        size = min(at_once, replicates - done)
        if watch is not None:
            watch.done, watch.size = done, size
        yield size
    if watch is not None:
        watch.ended, watch.done, watch.size = watch.ended + replicates, 0, 0
        watch.tell(1.0)


def warm_values(solution: Solution, row: int) -> dict[Family, dict[str, float]]:
    """The solution of ``row`` by family: in the interior, and of the simpler family where its supremum lies."""
    found: dict[Family, dict[str, float]] = {}
    for reached_solution in reached(solution, row):
        best = reached_solution.best_values
        found[reached_solution.family] = {name: float(value[row]) for name, value in best.items()}
    return found


def _pmf(family: Family, values: Mapping[str, float], n: int, replicates: int) -> Array | None:
    """P(Y = k), k = 0, 1, ..., as far as draws are expected; None where that is further than n draws are worth."""
    longest = min(_CELLS, 20 * n + 100)
    mean, deviation = float(family.mean(values)), float(family.variance(values)) ** 0.5
    length = int(min(mean + 8.0 * deviation + 20.0, longest))
    while True:
        cells: Array = np.exp(log_pmf(family, values, np.arange(length + 1, dtype=np.float64)))
        if n * replicates * max(1.0 - cells.sum(), 0.0) < max(_BEYOND, n * replicates * 1e-14 * length):
            return cells
        if length >= longest:
            return None
        length = min(2 * length, longest)


def _batch(values: Array, weights: npt.NDArray[np.int64]) -> Batch:
    """Replicates as a batch: of each only the values that occur, padded as ``Batch`` says."""
    order = np.argsort(weights == 0, axis=1, kind="stable")
    width = int((weights > 0).sum(axis=1).max())
    k = np.take_along_axis(np.broadcast_to(values, weights.shape), order[:, :width], axis=1)
    w = np.take_along_axis(weights, order[:, :width], axis=1).astype(np.float64)
    return Batch(np.where(w > 0, k, k[:, :1]), w, w.sum(axis=1))
