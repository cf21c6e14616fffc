"""How a regression and its counts agree: over all rows, what was expected of each count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.cumulative import cumulative
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.optimise.threads import side_by_side
from distfit_counts.regression.agreement import Agreement, Moments
from distfit_counts.regression.directions import FAR
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.solve import Solution, natural_heads
from distfit_counts.settings import PIECE_ELEMENTS

# Counts up to here are tabulated one by one, the rest as one.
_CELLS = 30
# Rows that get a quantile residual: so many at most, as many as this number of terms allows, but a few in any case.
_RESIDUALS, _TERMS, _FEWEST = 10_000, 2e7, 50
# Counts from here on are not summed up one by one.
_LARGE = 10_000
# A tail from which on the digits of a difference from 1 are enough; below, the share of it that ends its sum.
_LEFT, _ADDED = 1e-6, 1e-10


@dataclass(frozen=True, eq=False)
class Residuals:
    """``model`` with predictors ``eta`` on the counts ``y`` [N] of ``weights``. What takes longer than ``moments`` is
    computed when it is asked for.
    """

    model: CountModel
    eta: dict[str, Array]
    y: Array
    weights: Array
    moments: Moments
    seed: int
    threads: int | None = None

    @classmethod
    def of(cls, solution: Solution, infinite: int, ends: Mapping[str, Array], seed: int) -> Residuals:
        """At the best point of ``solution``, which is of a count model and runs off in ``infinite`` directions.

        ``ends`` [N] of every head: -1 or 1 where they take a row's predictor to that end, as in predictions.
        """
        problem = solution.problem
        eta = {
            head: np.where(np.abs(ends[head]) == 1.0, FAR * ends[head], own)
            for head, own in natural_heads(solution).items()
        }
        model, y, weights = problem.model, problem.y, problem.weights
        assert isinstance(model, CountModel)
        moments = Moments.of(model, eta, y, weights, problem.objective.width, infinite)
        return cls(model, eta, y, weights, moments, seed, problem.threads)

    @classmethod
    def at(cls, model: CountModel, eta: dict[str, Array], y: Array, weights: Array, seed: int) -> Residuals:
        """Of rows to which nothing was fitted, with the predictors ``eta``."""
        return cls(model, eta, y, weights, Moments.of(model, eta, y, weights), seed)

    @cached_property
    def agreement(self) -> Agreement:
        return Agreement.of(self.quantile, self.moments, self.observed, self.expected)

    @property
    def _cells(self) -> int:
        return int(min(self.y.max(), _CELLS))

    @property
    def observed(self) -> Array:
        """Counts of 0, 1, 2, ..., the last being "and more"."""
        cells = self._cells
        counted = np.bincount(np.minimum(self.y, cells).astype(np.int64), self.weights, minlength=cells + 1)
        return counted.astype(np.float64)

    @cached_property
    def expected(self) -> Array:
        """What the model expects of them, summed over all rows."""
        below = _tabulated(self.model, self.eta, self._cells - 1, self.threads)
        return np.append(self.weights @ below, self.weights @ _above(self.model, self.eta, below, self.threads))

    @cached_property
    def quantile(self) -> Array:
        """Randomised quantile residuals (Dunn and Smyth 1996), standard normal if the model is true; of 10,000 drawn
        rows where there are more.
        """
        return quantile_residuals(self.model, self.eta, self.y, self.seed)


def _tabulated(
    model: CountModel, eta: dict[str, Array], largest: int, threads: int | None = None, smallest: int = 0
) -> Array:
    """P(Y = k | row) for k = smallest..largest, [N, largest - smallest + 1]."""
    n, width = len(next(iter(eta.values()))), largest + 1 - smallest
    k = torch.arange(smallest, largest + 1, dtype=torch.float64)[:, None]
    found = np.empty((n, width))
    size = max(PIECE_ELEMENTS // max(width, 1), 1)

    def fill(begin: int) -> None:
        part = [torch.from_numpy(eta[head][begin : begin + size])[None] for head in model.heads]
        counts = k.expand(-1, part[0].shape[1])
        with torch.no_grad():
            log_prob = model.log_prob([head.expand_as(counts) for head in part], counts)
        found[begin : begin + size] = log_prob.exp().T.numpy()

    list(side_by_side(fill, range(0, n, size) if width else (), threads))
    return found


def _above(model: CountModel, eta: dict[str, Array], below: Array, threads: int | None = None) -> Array:
    """P(Y >= k | row) [N], given P(Y = 0), ..., P(Y = k - 1) [N, k]: what they leave to one where that is no rounding,
    elsewhere the sum of the terms from k on, in pieces that double until they add nothing and no peak lies ahead.
    """
    begin = below.shape[1]
    left: Array = 1.0 - below.sum(axis=1)
    rows, found = np.flatnonzero(~(left >= _LEFT)), left.copy()
    found[rows], size = 0.0, max(begin, 32)
    if not len(rows):
        return found
    with np.errstate(all="ignore"):
        peaks = model.family.peaks(model.natural([eta[head][rows] for head in model.heads]))
        ends = [np.broadcast_to(mean + 10.0 * np.sqrt(variance), len(rows)) for mean, variance in peaks]
    ahead = np.zeros(len(found))
    ahead[rows] = np.nan_to_num(np.max(ends, axis=0), nan=0.0)
    while len(rows) and begin < _LARGE:
        end = begin + size
        added = _tabulated(model, {head: own[rows] for head, own in eta.items()}, end - 1, threads, begin).sum(axis=1)
        found[rows] += added
        rows = rows[(added > _ADDED * found[rows]) | (ahead[rows] >= end)]
        begin, size = end, 2 * size
    # A rare peak beyond what is summed holds what is left.
    found[rows] = np.maximum(found[rows], left[rows])
    return found


def quantile_residuals(model: CountModel, eta: dict[str, Array], y: Array, seed: int) -> Array:
    """Phi^-1 of a uniform draw between P(Y < y) and P(Y <= y) of every row; of 10,000 drawn rows where there are more.

    Sums of the pmf up to y: the nearer end is summed, so that far tails keep their digits.
    """
    rng = np.random.default_rng(seed)
    # Counts are summed up from 0: of large ones, fewer rows are enough to look at.
    affordable = min(_RESIDUALS, max(int(_TERMS / (1.0 + y.mean())), _FEWEST))
    chosen = np.arange(len(y)) if len(y) <= affordable else np.sort(rng.choice(len(y), affordable, replace=False))
    lower, own = np.empty(len(chosen)), np.empty(len(chosen))
    order = chosen[np.argsort(y[chosen], kind="stable")]
    place, begin = np.argsort(np.argsort(y[chosen], kind="stable")), 0
    summed = int(np.searchsorted(y[order], _LARGE))
    for i in range(summed, len(order)):
        row = order[i]
        lower[i], own[i] = _adaptive(model, {head: value[row] for head, value in eta.items()}, y[row])
    while begin < summed:
        # Rows of like counts together: each sums as many terms as the largest of them needs.
        largest = int(y[order[begin]]) * 2 + 32
        end = begin + int(np.searchsorted(y[order[begin:]], largest, side="right"))
        end = min(end, summed, begin + max(PIECE_ELEMENTS // (largest + 1), 1))
        rows = order[begin:end]
        top = int(y[rows[-1]])
        pmf = _tabulated(model, {head: value[rows] for head, value in eta.items()}, top)
        at = y[rows].astype(np.int64)
        cumulated = np.cumsum(pmf, axis=1)
        own[begin:end] = pmf[np.arange(len(rows)), at]
        lower[begin:end] = cumulated[np.arange(len(rows)), at] - own[begin:end]
        begin = end
    lower, own = lower[place], own[place]
    uniform = np.clip(lower + rng.random(len(chosen)) * own, 1e-300, 1.0 - 1e-16)
    z: Array = torch.special.ndtri(torch.from_numpy(uniform)).numpy()
    return z


def _adaptive(model: CountModel, eta: dict[str, float], count: float) -> tuple[float, float]:
    """P(Y < count) and P(Y = count) of one row, by the adaptive sum that plain fits use."""
    natural = model.natural([np.array([eta[head]]) for head in model.heads])
    values = {name: float(value[0]) for name, value in natural.items()}
    below, at = cumulative(Pmf.of(model.family, values), np.array([count - 1.0, count]))
    return float(below), float(max(at - below, 0.0))
