"""From matrices to Columns: which variables, in which groups, how often each observation counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distfit_counts.data.arrays import as_numpy, int64_array, is_null
from distfit_counts.data.column import Column
from distfit_counts.data.grouping import GroupTally
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.labels import plain
from distfit_counts.data.matrix.entries import Axis, Entries, Ints, Matrix
from distfit_counts.data.matrix.names import chosen, no_such, unique
from distfit_counts.data.matrix.repeats import OutOfOrder
from distfit_counts.data.matrix.tally import MatrixTally
from distfit_counts.data.source import BadRow
from distfit_counts.data.whole import LARGEST, NotNumbers, type_error, whole_numbers
from distfit_counts.errors import DataError

# Each becomes a Column; far more than one would fit, and what a damaged size line asks for is beyond it.
MOST_VARIABLES = 10_000_000
Group = tuple[object, ...]


@dataclass(frozen=True)
class _Observations:
    """The other axis. ``group``: the place in ``groups`` of each; ``n``: observations (weights) of each group."""

    groups: list[Group]
    group: Ints | None
    weights: Ints | None
    n: Ints


class MatrixCounting:
    """The histograms of one data set, fed matrix after matrix. ``variables`` None: each kind's own default."""

    def __init__(self, columns: Sequence[str], by: Sequence[str], weights: str | None, variables: Axis | None) -> None:
        self._asked = columns
        self._by = by
        self._weights = weights
        self._variables = variables
        self._names: list[str] = []
        self._found: dict[tuple[str, Group], list[Histogram]] = {}

    def add(self, matrix: Matrix) -> None:
        axis = self._variables or matrix.variables
        rows, columns = matrix.shape
        n_variables, n = (rows, columns) if axis == "rows" else (columns, rows)
        _check_size(matrix, axis, n_variables, n)
        known = matrix.names(axis)
        names = unique(known) if known is not None else [str(i + 1) for i in range(n_variables)]
        places = self._places(matrix, names)
        observations = self._observations(matrix, "columns" if axis == "rows" else "rows", n)
        if len(places) * len(observations.groups) > MOST_VARIABLES:
            problem = f"{matrix.name}: {len(places):,} variables in {len(observations.groups):,} groups are too many"
            raise DataError(problem, "choose some variables with --column, or another --by")
        series = np.full(n_variables, -1, dtype=np.int64)
        series[places] = np.arange(len(places)) * len(observations.groups)
        histograms = iter(_tally(matrix, axis, series, observations).histograms(np.tile(observations.n, len(places))))
        for place in places:
            for group in observations.groups:
                self._found.setdefault((names[place], group), []).append(next(histograms))

    @property
    def found(self) -> bool:
        """Whether there was a matrix."""
        return bool(self._found)

    def _places(self, matrix: Matrix, names: list[str]) -> list[int]:
        if not self._names:
            places = chosen(matrix.name, names, self._asked)
            self._names = [names[place] for place in places]
            return places
        # A further matrix of the data set: the variables of the first one.
        place = {name: i for i, name in enumerate(names)}
        for name in self._names:
            if name not in place:
                raise no_such(matrix.name, "variable", name, names)
        return [place[name] for name in self._names]

    def _observations(self, matrix: Matrix, axis: Axis, n: int) -> _Observations:
        weights = _weights(matrix, axis, self._weights) if self._weights is not None else None
        if not self._by:
            return _Observations([()], None, weights, np.array([n if weights is None else weights.sum()]))
        # The "counts" here are the numbers of the observations: each group's values are its members.
        tally = GroupTally(self._by)
        tally.add(int64_array(np.arange(n)), [plain(matrix.labels(axis, name)) for name in self._by])
        groups, group = [], np.zeros(n, dtype=np.int64)
        for i, (label, members) in enumerate(tally.histograms()):
            groups.append(tuple(label.values()))
            group[members.values] = i
        sizes = np.zeros(len(groups), dtype=np.int64)
        np.add.at(sizes, group, 1 if weights is None else weights)
        return _Observations(groups, group, weights, sizes)

    def columns(self, source: str) -> list[Column]:
        """Variable after variable, each with its groups in sorted order, missing labels last."""
        groups = sorted({group for _, group in self._found}, key=_sort_key)
        found = [
            Column(source, name, dict(zip(self._by, group, strict=True)), Histogram.merge(self._found[name, group]))
            for name in self._names
            for group in groups
            if (name, group) in self._found
        ]
        if not any(column.histogram.distinct for column in found):
            hint = "check how missing values were written" + ", and the --weights column" * (self._weights is not None)
            raise DataError(f"{source} holds only missing values", hint)
        return found


def _check_size(matrix: Matrix, axis: Axis, n_variables: int, n: int) -> None:
    if n == 0 or n_variables == 0:
        shape = " x ".join(str(size) for size in matrix.shape)
        raise DataError(f"{matrix.name} has no data: it is a matrix of {shape}", "check the program that wrote it")
    if n_variables > MOST_VARIABLES:
        hint = f"{MOST_VARIABLES:,} at most; take the other axis for the variables"
        raise DataError(f"{matrix.name}: {n_variables:,} {axis} are too many variables", hint)


def _tally(matrix: Matrix, axis: Axis, series: Ints, observations: _Observations) -> MatrixTally:
    """``series``: the first series of each variable, -1 for those that are not to be counted."""
    tally = MatrixTally()
    try:
        for block in matrix.entries():
            _add(tally, block, axis, series, observations)
    except OutOfOrder:
        tally = MatrixTally()
        for block in matrix.entries_in_memory():
            _add(tally, block, axis, series, observations)
    return tally


def _add(tally: MatrixTally, block: Entries, axis: Axis, series: Ints, observations: _Observations) -> None:
    first, values = series[block.along(axis)], block.values
    place = block.along("columns" if axis == "rows" else "rows")
    if (first < 0).any():
        kept = first >= 0
        first, values, place = first[kept], values[kept], place[kept]
    if observations.group is not None:
        first = first + observations.group[place]
    tally.add(first, values, None if observations.weights is None else observations.weights[place])


def _weights(matrix: Matrix, axis: Axis, name: str) -> Ints:
    """The whole numbers of a label column, one for each observation."""
    try:
        column = whole_numbers(matrix.labels(axis, name))
    except NotNumbers as bad:
        raise type_error(matrix.name, name, bad) from None
    except BadRow as bad:
        raise DataError(f'{matrix.name}, column "{name}", row {bad.index + 1}: {bad.problem}', bad.hint) from None
    if column.null_count:
        row = int(is_null(column).argmax()) + 1
        hint = "give every observation a weight; 0 leaves it out"
        raise DataError(f'{matrix.name}, column "{name}", row {row}: a missing weight', hint)
    weights: Ints = as_numpy(column)
    if weights.sum(dtype=np.float64) > LARGEST:
        problem = f'{matrix.name}, column "{name}": the weights add up to more than 2**53'
        raise DataError(problem, "divide them by a common factor")
    return weights


def _sort_key(group: Group) -> list[tuple[bool, bool, object]]:
    return [(label is None, isinstance(label, str), label if label is not None else 0) for label in group]
