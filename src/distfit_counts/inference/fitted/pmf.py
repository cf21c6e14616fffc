"""A pmf together with where it may be high: what a sum over very many counts must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family


@dataclass(frozen=True)
class Pmf:
    """``log``: log P(Y = k) of whole numbers k >= 0 [Q]. ``peaks``: mean and standard deviation of every part that has
    one peak; between them, and away from zero, the pmf is smooth on that scale.
    """

    log: Callable[[Array], Array]
    peaks: tuple[tuple[float, float], ...]

    def __call__(self, k: Array) -> Array:
        """P(Y = k)."""
        result: Array = np.exp(self.log(k))
        return result

    @classmethod
    def of(cls, family: Family, values: Mapping[str, float], weight: float = 1.0) -> Pmf:
        """``weight`` times the pmf of ``family`` at natural ``values``."""
        # It loads torch, which the readers of saved models do without.
        from distfit_counts.inference.fitted.reached import log_pmf

        with np.errstate(all="ignore"):
            share = np.log(np.float64(weight))
            moments = np.array([[float(part) for part in peak] for peak in family.peaks(values)])
            moments[:, 1] = np.sqrt(np.maximum(moments[:, 1], 0.0))
        known = moments[np.isfinite(moments).all(axis=1)].tolist()
        return cls(lambda k: share + log_pmf(family, values, k), tuple((mean, deviation) for mean, deviation in known))
