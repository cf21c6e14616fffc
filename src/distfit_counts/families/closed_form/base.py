"""The closed forms of the Poisson, the geometric and the negative binomial."""

from __future__ import annotations

import torch
from torch import Tensor

from distfit_counts.families.closed_form.derivatives import Derivatives
from distfit_counts.families.log_pmf import negative_binomial_curves, negative_binomial_sums, poisson_log_prob


class OfPoisson(Derivatives):
    """By the rate: k/rate - 1, and -k/rate^2."""

    def __init__(self, k: Tensor, rate: Tensor) -> None:
        self._k, self._rate = k, rate
        self.log_prob = poisson_log_prob(k, rate)
        self.first = ((k - rate) / rate)[None]

    def second(self, weight: Tensor) -> Tensor:
        return (-(weight * self._k).sum(dim=-1, keepdim=True) / self._rate / self._rate)[..., None]


class OfGeometric(Derivatives):
    """By the mean m: (k - m)/(m (1 + m)), and 1/(1 + m)^2 - k (1 + 2 m)/(m (1 + m))^2."""

    def __init__(self, k: Tensor, mean: Tensor) -> None:
        self._k, self._mean = k, mean
        self.log_prob = -k * torch.log1p(1.0 / mean) - torch.log1p(mean)
        self.first = ((k - mean) / mean / (1.0 + mean))[None]

    def second(self, weight: Tensor) -> Tensor:
        mean, total = self._mean, weight.sum(dim=-1, keepdim=True)
        counts = (weight * self._k).sum(dim=-1, keepdim=True)
        above = 1.0 + mean
        return (total / above**2 - counts / mean / mean * ((1.0 + 2.0 * mean) / above / above))[..., None]


class OfNegativeBinomial(Derivatives):
    """By the mean and the size: see ``families.log_pmf``."""

    def __init__(self, k: Tensor, mean: Tensor, size: Tensor) -> None:
        self._k, self._mean, self._size = k, mean, size
        self._sums = negative_binomial_sums(k, mean, size)
        self.log_prob = self._sums.log_prob()
        self.first = k.new_empty((2, *self.log_prob.shape))
        torch.mul(k - mean, size / (size + mean) / mean, out=self.first[0])
        self.first[1] = self._sums.by_size()

    def second(self, weight: Tensor) -> Tensor:
        twice = self._sums.by_size_twice()
        mean_mean, mean_size, size_size = negative_binomial_curves(weight, self._k, self._mean, self._size, twice)
        rows = [torch.cat([mean_mean, mean_size], dim=-1), torch.cat([mean_size, size_size], dim=-1)]
        return torch.stack(rows, dim=-2)
