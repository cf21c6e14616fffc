"""How a regression and its counts agree: over all rows, what was expected of each count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.cumulative import cumulative
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.optimise.threads import side_by_side
from distfit_counts.regression.agreement import Agreement, Moments
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.solve import Solution, natural_heads
from distfit_counts.settings import PIECE_ELEMENTS

# Counts up to here are tabulated one by one, the rest as one.
_CELLS = 30
# Rows that get a quantile residual: so many at most, as many as this number of terms allows, but a few in any case.
_RESIDUALS, _TERMS, _FEWEST = 10_000, 2e7, 50
# Counts from here on are not summed up from 0 one by one.
_LARGE = 10_000


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
    def of(cls, solution: Solution, infinite: int, seed: int) -> Residuals:
        """At the best point of ``solution``, which is of a count model and runs off in ``infinite`` directions."""
        problem, eta = solution.problem, natural_heads(solution)
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
        expected: Array = self.weights @ _tabulated(self.model, self.eta, self._cells, self.threads)
        return np.append(expected[:-1], self.weights.sum() - expected[:-1].sum())

    @cached_property
    def quantile(self) -> Array:
        """Randomised quantile residuals (Dunn and Smyth 1996), standard normal if the model is true; of 10,000 drawn
        rows where there are more.
        """
        return quantile_residuals(self.model, self.eta, self.y, self.seed)


def _tabulated(model: CountModel, eta: dict[str, Array], largest: int, threads: int | None = None) -> Array:
    """P(Y = k | row) for k = 0..largest, [N, largest + 1]."""
    n = len(next(iter(eta.values())))
    k = torch.arange(largest + 1, dtype=torch.float64)[:, None]
    found = np.empty((n, largest + 1))
    size = max(PIECE_ELEMENTS // (largest + 1), 1)

    def fill(begin: int) -> None:
        part = [torch.from_numpy(eta[head][begin : begin + size])[None] for head in model.heads]
        counts = k.expand(-1, part[0].shape[1])
        with torch.no_grad():
            log_prob = model.log_prob([head.expand_as(counts) for head in part], counts)
        found[begin : begin + size] = log_prob.exp().T.numpy()

    list(side_by_side(fill, range(0, n, size), threads))
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
