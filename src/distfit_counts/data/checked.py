"""Columns of a batch as counts and as weights; what is wrong with them is told with source, row and column."""

from __future__ import annotations

from typing import Any

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.counting import Ints
from distfit_counts.data.labels import plain
from distfit_counts.data.source import COUNT_HINT, WEIGHTS_HINT, BadRow, Batch, Reader
from distfit_counts.data.whole import LARGEST, NotNumbers, type_error, whole_numbers
from distfit_counts.errors import DataError


def counts_of(batch: Batch, name: str, reader: Reader, hint: str = COUNT_HINT) -> Any:
    """The column ``name`` as an int64 Array, null = missing. Raises DataError for the first value that is no count,
    with ``hint``.
    """
    try:
        return whole_numbers(batch.columns[name], batch.thousands)
    except NotNumbers as bad:
        raise type_error(batch.source, name, bad) from None
    except BadRow as bad:
        bad.column = name
        about_fields = getattr(reader, "about_fields", lambda _value: "")
        # Only the value itself is judged: 'abc', out of "'abc' is not a number".
        value = bad.problem.split("'")[1] if bad.problem.startswith("'") else ""
        bad.hint = about_fields(value) or (hint if bad.hint == COUNT_HINT else bad.hint)
        raise batch.error(bad) from None


def labels_in(batch: Batch, name: str) -> Any:
    """The column ``name`` as labels to group by. Raises DataError for a type that has none."""
    try:
        return plain(batch.columns[name])
    except DataError as bad:
        raise DataError(f'{batch.source}, column "{name}": {bad.problem}, and cannot be grouped by', bad.hint) from None


class Weighing:
    """How often each row counts: the column ``name``. Float64 must be able to hold the sum of all weights."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._total = 0

    def of(self, batch: Batch, reader: Reader) -> Ints:
        """The weights of a batch. Raises DataError for one that is missing or no whole number, and for the sum."""
        weights = counts_of(batch, self.name, reader, WEIGHTS_HINT)
        if weights.null_count:
            index = int(is_null(weights).argmax())
            hint = "give every row a weight; 0 leaves a row out"
            raise batch.error(BadRow(index, "a missing weight", hint, self.name))
        numbers: Ints = as_numpy(weights)
        self._add(int(numbers.sum(dtype="float64")), batch.source)
        return numbers

    def absorb(self, other: Weighing) -> None:
        """Add what another part of the data set has weighed."""
        self._add(other._total, "the files")

    def _add(self, total: int, source: str) -> None:
        self._total += total
        if self._total > LARGEST:
            problem = f'{source}, column "{self.name}": the weights add up to more than 2**53'
            raise DataError(problem, "divide them by a common factor")
