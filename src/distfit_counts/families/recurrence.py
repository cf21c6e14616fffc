"""The negative binomial among small counts, by p(j + 1)/p(j) = (size + j)/(j + 1) * mean/(size + mean).

What is the same for every count is summed once for all of them: a few times as fast as special functions of each.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.special import log1p_minus, scaled_log1p

# Sums of more terms would lose digits, and sums of many more terms than there are counts would take longer.
_LONGEST, _TERMS_A_COUNT = 1024, 8


class Recurrence:
    """Of counts ``k`` [..., V], sums over j = 0, ..., k - 1; ``mean`` and ``size`` [..., 1]."""

    def __init__(self, k: Tensor, terms: int, mean: Tensor, size: Tensor) -> None:
        self._mean, self._size = mean, size
        self._places = k.long().expand(*mean.shape[:-1], k.shape[-1])
        self._j = torch.arange(terms, dtype=k.dtype, device=k.device)
        self._total = size + self._j
        self._reciprocal = 1.0 / (size + mean)

    @classmethod
    def of(cls, k: Tensor, mean: Tensor, size: Tensor) -> Recurrence | None:
        """None where it would be slower, or lose digits."""
        rows = mean.shape[:-1]
        # Not torch.broadcast_shapes: its first call imports SymPy, for half a second.
        alike = k.dim() and mean.shape[-1:] == (1,) and np.broadcast_shapes(k.shape[:-1], rows) == rows
        if not alike or not k.numel():
            return None
        terms = int(k.amax())
        return cls(k, terms, mean, size) if terms <= min(_LONGEST, _TERMS_A_COUNT * k.shape[-1]) else None

    def log_prob(self) -> Tensor:
        # Every term is the logarithm of a ratio near one: log-gammas of a large size would cancel.
        ratio = (self._total * self._reciprocal).mul_(self._mean).div_(self._j + 1.0)
        return self._summed(ratio.log_()).sub_(scaled_log1p(self._mean, self._size))

    def by_size(self) -> Tensor:
        """d/dsize: the sum of 1/(size + j) - 1/(size + mean), and log(size/(size + mean)) + mean/(size + mean).

        Each is of order 1/size**2 by itself: psi(k + size) - psi(size) and what it cancels with are noise at a large
        size.
        """
        share = self._mean * self._reciprocal
        return self._summed(self._apart).add_(log1p_minus(-share, self._size * self._reciprocal))

    def by_size_twice(self) -> Tensor:
        """d2/dsize2, regrouped likewise."""
        share = self._mean * self._reciprocal
        falling = (self._parts + self._reciprocal).mul_(self._apart)
        return self._summed(falling).neg_().add_(share * share / self._size)

    @cached_property
    def _parts(self) -> Tensor:
        """1/(size + j), [..., terms]."""
        return self._total.reciprocal()

    @cached_property
    def _apart(self) -> Tensor:
        """1/(size + j) - 1/(size + mean), [..., terms]."""
        return (self._mean - self._j).mul_(self._reciprocal).mul_(self._parts)

    def _summed(self, terms: Tensor) -> Tensor:
        """The sum of the first k terms, for every count, [..., V]."""
        sums = terms.new_empty((*terms.shape[:-1], terms.shape[-1] + 1))
        sums[..., 0] = 0.0
        torch.cumsum(terms, dim=-1, out=sums[..., 1:])
        return sums.gather(-1, self._places)
