"""Columns of counts as arrays: what is seen of all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.optimise.problem import Batch


@dataclass(frozen=True, eq=False)
class Observed:
    """C columns, padded as in a ``Batch``: counts ``k`` with weights ``w`` [C, V], of which there are ``n`` [C]."""

    k: Array
    w: Array
    n: Array

    @classmethod
    def of(cls, histograms: Sequence[Histogram]) -> Observed:
        batch = Batch.of(histograms)
        return cls(batch.k, batch.w, batch.n)

    @classmethod
    def rows(cls, batch: Batch, rows: npt.NDArray[np.int64]) -> Observed:
        """The columns ``rows`` of ``batch``."""
        return cls(batch.k[rows], batch.w[rows], batch.n[rows])

    @cached_property
    def mean(self) -> Array:
        result: Array = (self.w * self.k).sum(axis=1) / self.n
        return result

    @cached_property
    def variance(self) -> Array:
        """Sample variance [C], divisor n − 1; NaN for a single observation."""
        squares = (self.w * (self.k - self.mean[:, None]) ** 2).sum(axis=1)
        return np.where(self.n > 1, squares / np.maximum(self.n - 1.0, 1.0), np.nan)

    @cached_property
    def zeros(self) -> Array:
        """How many observations are 0, [C]."""
        result: Array = np.where(self.k == 0.0, self.w, 0.0).sum(axis=1)
        return result

    @cached_property
    def largest(self) -> Array:
        """The largest count [C]."""
        result: Array = self.k.max(axis=1)
        return result
