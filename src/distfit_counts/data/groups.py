"""The columns of many groups, as arrays of all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.on_demand import OnDemand

Ints = npt.NDArray[np.int64]


class Groups(OnDemand[tuple[dict[str, object], Histogram]]):
    """Every group's labels and histogram, made when they are asked for: as objects, a group of ten counts would take
    ten times the memory of its numbers.

    ``names`` and ``labels`` (an Arrow array of each): of the grouping columns. ``starts``: where in ``values`` and
    ``counts`` (with values of which there are none) each group begins; ``absent``: where ``counts`` is of missing ones.
    """

    def __init__(
        self, names: Sequence[str], labels: Sequence[Any], starts: Ints, values: Ints, counts: Ints, absent: Any
    ) -> None:
        super().__init__(len(starts), costly=False)
        self._names, self._labels = names, labels
        self.missing: Ints = np.add.reduceat(np.where(absent, counts, 0), starts) if len(starts) else starts
        # Values that only rows of weight 0 hold are none.
        kept = ~absent & (counts > 0)
        self._values, self._counts = values[kept], counts[kept]
        self._borders = np.append(np.concatenate([[0], np.cumsum(kept)])[starts], len(self._values))

    @property
    def distinct(self) -> int:
        """Pairs of a group and a value."""
        return len(self._values)

    def _made(self, index: int) -> tuple[dict[str, object], Histogram]:
        part = slice(self._borders[index], self._borders[index + 1])
        group = {name: label[index].as_py() for name, label in zip(self._names, self._labels, strict=True)}
        return group, Histogram(self._values[part], self._counts[part], int(self.missing[index]))


class GroupColumns(OnDemand[Column]):
    """The columns of the groups of one column."""

    def __init__(self, source: str, column: str, groups: Groups) -> None:
        super().__init__(len(groups), costly=False)
        self._source, self._column, self._groups = source, column, groups

    def _made(self, index: int) -> Column:
        return Column(self._source, self._column, *self._groups[index])


class Joined(OnDemand[Column]):
    """Columns of several parts, one after the other."""

    def __init__(self, parts: Iterable[Sequence[Column]]) -> None:
        self._parts = list(parts)
        self._ends = list(accumulate(map(len, self._parts)))
        super().__init__(self._ends[-1] if self._ends else 0, costly=False)

    def _made(self, index: int) -> Column:
        at = bisect_right(self._ends, index)
        return self._parts[at][index - (self._ends[at - 1] if at else 0)]
