"""Quantile residuals of responses that are no counts: normal ones, and levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.agreement import Agreement
from distfit_counts.regression.means import shares_of
from distfit_counts.regression.natural import Bernoulli, Categorical, NaturalFamily, Normal

# Rows that get a residual at most.
_MOST = 10_000


@dataclass(frozen=True, eq=False)
class NaturalResiduals:
    """Of rows with the predictors ``eta`` [H, N], responses ``y`` [N], levels as their codes, and ``weights`` [N]."""

    model: NaturalFamily
    eta: Array
    y: Array
    weights: Array
    seed: int

    @cached_property
    def agreement(self) -> Agreement:
        return Agreement.of(self.quantile)

    @cached_property
    def quantile(self) -> Array:
        """Standard normal if the model is true; of 10,000 drawn rows where there are more."""
        rng = np.random.default_rng(self.seed)
        n = len(self.y)
        rows = np.arange(n) if n <= _MOST else np.sort(rng.choice(n, _MOST, replace=False))
        eta, y = self.eta[:, rows], self.y[rows]
        if isinstance(self.model, Normal):
            return standardised(eta[0], y, self.model.variance)
        assert isinstance(self.model, Bernoulli | Categorical)
        return randomised(shares_of(self.model, list(eta)), y, rng)


def standardised(mean: Array, y: Array, variance: float) -> Array:
    """(y - mean) / sigma: the quantile residual of a normal response; NaN or infinite where it has no variance."""
    with np.errstate(all="ignore"):
        found: Array = (y - mean) / np.sqrt(variance)
    return found


def randomised(shares: Array, code: Array, rng: np.random.Generator) -> Array:
    """Phi^-1 of a uniform draw between P(level < own) and P(level <= own), the levels in their order: Dunn and Smyth
    (1996). ``shares`` [K, N]: the probabilities of the levels.
    """
    rows, own = np.arange(len(code)), code.astype(np.int64)
    upper = np.cumsum(shares, axis=0)[own, rows]
    uniform = np.clip(upper - rng.random(len(code)) * shares[own, rows], 1e-300, 1.0 - 1e-16)
    found: Array = torch.special.ndtri(torch.from_numpy(uniform)).numpy()
    return found
