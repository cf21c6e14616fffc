"""Natural exponential families: log p(y) = eta'T(y) - A(eta) + log h(y).

The mean of T is the gradient of the log-partition A, so that with the canonical link the derivative of the negative
log-likelihood by eta is (fitted mean - T(y)), whatever the family. A new family needs its log-partition and its inverse
link (the mean); statistic and base measure are given where they are not y and 1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.families.log_pmf import poisson_log_prob
from distfit_counts.regression.link import IDENTITY, LOG, LOGIT, Link

# Counts from here on lose digits that matter in y eta - e^eta - log y!.
_LARGE = 1 << 12


class NaturalFamily(ABC):
    """``heads``: the natural parameters. Tensors eta are [H, ...], y [...]."""

    spec: str
    heads: tuple[str, ...]
    link: Link

    @property
    def links(self) -> Mapping[str, Link]:
        """The canonical link of every predictor."""
        return dict.fromkeys(self.heads, self.link)

    @property
    def roles(self) -> Mapping[str, Role]:
        return dict.fromkeys(self.heads, Role.LOCATION)

    @abstractmethod
    def log_partition(self, eta: Tensor) -> Tensor:
        """A(eta), [...]."""

    @abstractmethod
    def mean(self, eta: Tensor) -> Tensor:
        """The inverse link: E T(y), [H, ...], the gradient of A."""

    def statistic(self, y: Tensor) -> Tensor:
        """T(y), [H, ...]."""
        return y[None]

    def log_base(self, y: Tensor) -> Tensor:
        """log h(y), [...]."""
        return torch.zeros_like(y)

    def log_prob(self, eta: Sequence[Tensor], y: Tensor) -> Tensor:
        """log p(y) of every row."""
        stacked = torch.stack(list(eta))
        return (stacked * self.statistic(y)).sum(dim=0) - self.log_partition(stacked) + self.log_base(y)

    @abstractmethod
    def start(self, values: Array, weights: Array) -> Array:
        """Natural parameters [H] without covariates."""


@dataclass(frozen=True)
class Gaussian(NaturalFamily):
    """Normal with unit variance: A = eta^2/2. The variance does not move the coefficients; it is estimated after."""

    spec = "gaussian"
    heads = ("mean",)
    link = IDENTITY

    def log_partition(self, eta: Tensor) -> Tensor:
        return 0.5 * eta[0] ** 2

    def log_prob(self, eta: Sequence[Tensor], y: Tensor) -> Tensor:
        # The same as y eta - A(eta) + log h(y), whose squares of large responses would cancel.
        return -0.5 * ((y - eta[0]) ** 2 + math.log(2.0 * math.pi))

    def mean(self, eta: Tensor) -> Tensor:
        return eta

    def log_base(self, y: Tensor) -> Tensor:
        return -0.5 * y**2 - 0.5 * math.log(2.0 * math.pi)

    def start(self, values: Array, weights: Array) -> Array:
        return np.array([weights @ values / weights.sum()])


@dataclass(frozen=True)
class Normal(Gaussian):
    """Normal with a ``variance`` that was estimated beside its means: what scores and predicts. Training does without
    it: it moves no mean, and the canonical gradient is that of unit variance.
    """

    variance: float

    def log_prob(self, eta: Sequence[Tensor], y: Tensor) -> Tensor:
        return -0.5 * ((y - eta[0]) ** 2 / self.variance + math.log(2.0 * math.pi * self.variance))


@dataclass(frozen=True)
class Bernoulli(NaturalFamily):
    """0 or 1, the second of two ``levels``: A = log(1 + exp(eta)), mean sigmoid(eta)."""

    levels: tuple[str, ...] = ("0", "1")
    spec = "bernoulli"
    heads = ("probability",)
    link = LOGIT

    def log_partition(self, eta: Tensor) -> Tensor:
        # Not torch's softplus: from 20 on it returns eta itself, 2e-9 off.
        return -torch.nn.functional.logsigmoid(-eta[0])

    def mean(self, eta: Tensor) -> Tensor:
        return torch.sigmoid(eta)

    def shares(self, eta: Tensor) -> Tensor:
        """P(level) [2, ...]; neither is what the other leaves to one, which rounding may bring below 0."""
        return torch.cat([torch.sigmoid(-eta), torch.sigmoid(eta)])

    def start(self, values: Array, weights: Array) -> Array:
        share = (weights @ values + 0.5) / (weights.sum() + 1.0)
        return np.array([np.log(share / (1.0 - share))])


@dataclass(frozen=True)
class NaturalPoisson(NaturalFamily):
    """Poisson with log link: A = exp(eta)."""

    spec = "poisson"
    heads = ("rate",)
    link = LOG

    def log_partition(self, eta: Tensor) -> Tensor:
        return torch.exp(eta[0])

    def mean(self, eta: Tensor) -> Tensor:
        return torch.exp(eta)

    def log_base(self, y: Tensor) -> Tensor:
        return -torch.lgamma(y + 1.0)

    def log_prob(self, eta: Sequence[Tensor], y: Tensor) -> Tensor:
        canonical, large = super().log_prob(eta, y), y >= _LARGE
        # The terms of the canonical form cancel at large counts, and leave few digits of what Loader's way has.
        return torch.where(large, poisson_log_prob(y, LOG.to(eta[0])), canonical) if bool(large.any()) else canonical

    def start(self, values: Array, weights: Array) -> Array:
        return np.array([np.log(max(weights @ values / weights.sum(), 1e-6))])


@dataclass(frozen=True)
class Categorical(NaturalFamily):
    """One of K levels, coded 0 to K - 1: A = log(1 + sum exp(eta)), the first level being the reference."""

    levels: tuple[str, ...]
    spec = "categorical"
    link = LOGIT

    @property
    def heads(self) -> tuple[str, ...]:  # type: ignore[override]  # a constant of the others
        return self.levels[1:]

    def _padded(self, eta: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(eta[:1]), eta])

    def log_partition(self, eta: Tensor) -> Tensor:
        return torch.logsumexp(self._padded(eta), dim=0)

    def mean(self, eta: Tensor) -> Tensor:
        return self.shares(eta)[1:]

    def shares(self, eta: Tensor) -> Tensor:
        """P(level) [K, ...]."""
        return torch.softmax(self._padded(eta), dim=0)

    def statistic(self, y: Tensor) -> Tensor:
        codes = torch.arange(1, len(self.levels), dtype=y.dtype, device=y.device)
        return (y[None] == codes.reshape(-1, *(1,) * y.dim())).to(y.dtype)

    def start(self, values: Array, weights: Array) -> Array:
        counts = np.full(len(self.levels), 0.5)
        counts[values.astype(np.int64)] += weights
        found: Array = np.log(counts[1:] / counts[0])
        return found


GAUSSIAN = Gaussian()
BERNOULLI = Bernoulli()
