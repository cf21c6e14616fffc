"""One test made of many columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.result import HypothesisTest


@dataclass(frozen=True, eq=False)
class Tested:
    """``statistic``, ``df`` and ``p_value`` [C] as in ``HypothesisTest``; ``null(i)`` says where column i's p-value is
    from. ``made`` [C]: for which columns there is such a test at all.
    """

    code: str
    title: str
    statistic: Array
    df: Array
    p_value: Array
    null: Callable[[int], str]
    made: npt.NDArray[np.bool_]

    def at(self, i: int) -> HypothesisTest:
        """The test of column ``i``."""
        numbers = float(self.statistic[i]), float(self.df[i]), float(self.p_value[i])
        return HypothesisTest(self.code, self.title, *numbers, self.null(i))


def of_all(code: str, title: str, statistic: Array, p_value: Array, null: Callable[[int], str]) -> Tested:
    """A test without degrees of freedom that every column has."""
    return Tested(code, title, statistic, np.full(len(statistic), np.nan), p_value, null, np.ones(len(statistic), bool))
