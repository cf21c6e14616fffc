"""The first pass: what standardising, starting and judging need to know before the first step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from distfit_counts.errors import DataError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.network.block import Block, Source
from distfit_counts.regression.network.settings import HELD_OUT_ROWS, NetworkSettings
from distfit_counts.regression.network.split import chosen
from distfit_counts.regression.network.standardise import Standardisation

# Distinct responses that are told apart; a continuous response has one a row.
_DISTINCT = 2**16


@dataclass(frozen=True, eq=False)
class Summary:
    """``values`` and ``counts`` [V]: the distinct responses and their weights. ``share``: of the rows, held out.

    ``judged``: the rows that the network is judged by, standardised: those held out, or, where none are, a sample of
    all. ``offset``: weighted mean and log-mean-exp of the offsets.
    """

    n: int
    n_training: int
    standard: Standardisation
    values: Array
    counts: Array
    offset: tuple[float, float] | None
    judged: Block
    share: float


def summarise(source: Source, settings: NetworkSettings) -> Summary:
    """Go through ``source`` once. Raises DataError where there is nothing to learn from."""
    most = HELD_OUT_ROWS / max(source.n_rows, 1)
    share = min(settings.validation, most)
    moments, responses, offsets = _Moments(), _Responses(), _Offsets()
    n, kept = 0, []
    for block in source.blocks():
        n += len(block.y)
        moments.add(block.x, block.weights)
        responses.add(block.y, block.weights)
        if block.offset is not None:
            offsets.add(block.offset, block.weights)
        kept.append(block[chosen(block.rows, settings.seed, share or most)])
    if n == 0:
        raise DataError("no row to train on", "every row lacks a value or has no weight")
    standard = moments.standard()
    if not standard.kept:
        raise DataError("no covariate varies", "a network needs something to learn from")
    judged = Block.join(kept)
    if len(judged.y) == 0 or (share and len(judged.y) == n):
        raise DataError(f"{n} rows are too few to hold out a share of {share:g}", "set the validation share to 0")
    values, counts = responses.found()
    training = n - (len(judged.y) if share else 0)
    return Summary(n, training, standard, values, counts, offsets.found(), standard.of(judged), share)


@dataclass
class _Moments:
    """Weighted means and sums of squares, merged block by block as in Chan, Golub and LeVeque (1983)."""

    total: float = 0.0
    mean: Array = field(default_factory=lambda: np.zeros(0))
    squares: Array = field(default_factory=lambda: np.zeros(0))
    low: Array = field(default_factory=lambda: np.zeros(0))
    high: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, x: Array, weights: Array) -> None:
        if not len(x):
            return
        weight = float(weights.sum())
        mean = weights @ x / weight
        squares = weights @ (x - mean) ** 2
        low, high = x.min(axis=0), x.max(axis=0)
        if self.total == 0.0:
            self.total, self.mean, self.squares, self.low, self.high = weight, mean, squares, low, high
            return
        both = self.total + weight
        apart = mean - self.mean
        self.squares = self.squares + squares + apart**2 * (self.total * weight / both)
        self.mean = self.mean + apart * (weight / both)
        self.total, self.low, self.high = both, np.minimum(self.low, low), np.maximum(self.high, high)

    def standard(self) -> Standardisation:
        # A constant column may have squares of rounding: its range is exactly 0.
        scale = np.sqrt(self.squares / self.total)
        kept = np.flatnonzero((self.high > self.low) & (scale > 0.0))
        return Standardisation(tuple(int(j) for j in kept), self.mean[kept], scale[kept])


@dataclass
class _Responses:
    """Distinct values and their weights; of a continuous response, neighbours are merged, which keeps the mean."""

    values: list[Array] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)

    def add(self, y: Array, weights: Array) -> None:
        self.values.append(y)
        self.weights.append(weights)
        values, counts = self.found()
        if len(values) > _DISTINCT:
            size = -(-len(values) // _DISTINCT)
            starts = np.arange(0, len(values), size)
            merged = np.add.reduceat(counts, starts)
            values, counts = np.add.reduceat(values * counts, starts) / merged, merged
        self.values, self.weights = [values], [counts]

    def found(self) -> tuple[Array, Array]:
        values, places = np.unique(np.concatenate(self.values), return_inverse=True)
        return values, np.bincount(places, np.concatenate(self.weights)).astype(np.float64)


@dataclass
class _Offsets:
    total: float = 0.0
    sum: float = 0.0
    log_sum: float = -np.inf

    def add(self, offset: Array, weights: Array) -> None:
        self.total += float(weights.sum())
        self.sum += float(weights @ offset)
        self.log_sum = float(np.logaddexp(self.log_sum, np.logaddexp.reduce(offset + np.log(weights))))

    def found(self) -> tuple[float, float] | None:
        if self.total == 0.0:
            return None
        return self.sum / self.total, self.log_sum - float(np.log(self.total))
