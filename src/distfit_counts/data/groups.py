"""The columns of many groups, as arrays of all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, chain
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.column import Column, RowsOf
from distfit_counts.data.histogram import Histogram
from distfit_counts.on_demand import OnDemand

Ints = npt.NDArray[np.int64]


class Groups:
    """Every group's labels and histogram, made when they are asked for: as objects, a group of ten counts would take
    ten times the memory of its numbers.

    ``names`` and ``labels`` (an Arrow array of each): of the grouping columns. ``starts``: where in ``values`` and
    ``counts`` (with values of which there are none) each group begins; ``absent``: where ``counts`` is of missing ones.
    """

    def __init__(
        self, names: Sequence[str], labels: Sequence[Any], starts: Ints, values: Ints, counts: Ints, absent: Any
    ) -> None:
        self._names, self._labels = names, [label.to_pylist() for label in labels]
        missing: Ints = np.add.reduceat(np.where(absent, counts, 0), starts) if len(starts) else starts
        # Values that only rows of weight 0 hold are none.
        kept = ~absent & (counts > 0)
        self._values, self._counts = values[kept], counts[kept]
        borders = np.append(np.concatenate([[0], np.cumsum(kept)])[starts], len(self._values))
        self.missing = int(missing.sum())
        # One number of a view is had in a third of the time that an array takes.
        self._missing, self._borders = memoryview(missing.data), memoryview(borders.data)

    def labels(self, name: str) -> list[object]:
        """The labels of all groups in one of the grouping columns."""
        found: list[object] = self._labels[list(self._names).index(name)]
        return found

    @property
    def widths(self) -> list[int]:
        """How many distinct values each group has."""
        found: list[int] = np.diff(np.asarray(self._borders)).tolist()
        return found

    @property
    def distinct(self) -> int:
        """Pairs of a group and a value."""
        return len(self._values)

    @property
    def ends(self) -> tuple[Ints, Ints]:
        """The smallest and the largest value of each group, which must have one."""
        borders = np.asarray(self._borders)
        return self._values[borders[:-1]], self._values[borders[1:] - 1]

    def histogram(self, index: int) -> Histogram:
        """That of one group."""
        begin, end = self._borders[index], self._borders[index + 1]
        return Histogram(self._values[begin:end], self._counts[begin:end], self._missing[index])

    def __len__(self) -> int:
        return len(self._missing)

    def __getitem__(self, index: int) -> tuple[dict[str, object], Histogram]:
        group = {name: label[index] for name, label in zip(self._names, self._labels, strict=True)}
        return group, self.histogram(index)

    def __iter__(self) -> Iterator[tuple[dict[str, object], Histogram]]:
        return map(self.__getitem__, range(len(self)))


class GroupColumns(OnDemand[Column]):
    """The columns of the groups of one column. ``rows``: as of ``Tables``."""

    def __init__(self, source: str, column: str, groups: Groups, rows: RowsOf | None = None) -> None:
        super().__init__(len(groups), costly=False)
        self._source, self._column, self._groups, self._rows = source, column, groups, rows

    def _made(self, index: int) -> Column:
        group, histogram = self._groups[index]
        rows = None if self._rows is None else partial(self._rows, self._column, group)
        return Column(self._source, self._column, group, histogram, rows)

    def __iter__(self) -> Iterator[Column]:
        return map(self._made, range(len(self)))

    def labels(self, name: str) -> list[object]:
        """As ``Groups.labels``."""
        return self._groups.labels(name)

    def histogram(self, index: int) -> Histogram:
        """As ``Groups.histogram``."""
        return self._groups.histogram(index)

    @property
    def widths(self) -> list[int]:
        """As ``Groups.widths``."""
        return self._groups.widths

    @property
    def ends(self) -> tuple[Ints, Ints]:
        """As ``Groups.ends``."""
        return self._groups.ends


class _Joined(OnDemand[Column]):
    def __init__(self, parts: list[Sequence[Column]]) -> None:
        self._parts = parts
        self._ends = list(accumulate(map(len, self._parts)))
        super().__init__(self._ends[-1], costly=False)

    def _made(self, index: int) -> Column:
        at = bisect_right(self._ends, index)
        return self._parts[at][index - (self._ends[at - 1] if at else 0)]

    def __iter__(self) -> Iterator[Column]:
        return chain.from_iterable(self._parts)


def joined(parts: Iterable[Sequence[Column]]) -> Sequence[Column]:
    """Columns of several parts, one after the other."""
    listed = list(parts)
    return listed[0] if len(listed) == 1 else _Joined(listed) if listed else []


def labels_of(columns: Sequence[Column], name: str) -> list[object]:
    """The labels of all ``columns``; of a million groups without making them."""
    return columns.labels(name) if isinstance(columns, GroupColumns) else [column.group[name] for column in columns]


def widths_of(columns: Sequence[Column]) -> list[int]:
    """How many distinct values each of ``columns`` has; likewise."""
    return columns.widths if isinstance(columns, GroupColumns) else [column.histogram.distinct for column in columns]


def ends_of(columns: Sequence[Column]) -> tuple[Ints, Ints]:
    """The smallest and the largest value of each of ``columns``, none of which is empty; likewise."""
    if isinstance(columns, GroupColumns):
        return columns.ends
    values = [column.histogram.values for column in columns]
    return np.array([own[0] for own in values]), np.array([own[-1] for own in values])


def histograms_of(columns: Sequence[Column], chosen: Iterable[int]) -> list[Histogram]:
    """Those of the ``chosen`` columns; likewise."""
    if isinstance(columns, GroupColumns):
        return [columns.histogram(i) for i in chosen]
    return [columns[i].histogram for i in chosen]
