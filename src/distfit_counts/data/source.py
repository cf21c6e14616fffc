"""What a reader gives to the counting: fields, batches of raw columns, and places to name in messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from distfit_counts.errors import DataError

COUNT_HINT = "counts must be whole numbers >= 0; filter or recode the row"
WEIGHTS_HINT = "weights say how often a row counts: whole numbers >= 0; multiply shares by the number of observations"


class BadRow(Exception):
    """A row that cannot be used: its 0-based index within the batch or block at hand, and why.

    Whoever knows where the batch lies in the file turns it into a DataError (``Batch.error``).
    """

    def __init__(self, index: int, problem: str, hint: str = COUNT_HINT, column: str | None = None) -> None:
        super().__init__(problem)
        self.index = index
        self.problem = problem
        self.hint = hint
        self.column = column


@dataclass(frozen=True)
class Field:
    """A column as a source offers it; ``whole``: it looks like whole numbers as far as it was seen, ``once``: like
    0, 1, ..., K once each, as the values of a frequency table.
    """

    name: str
    type: str
    whole: bool
    once: bool = False


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows. ``columns``: pyarrow ChunkedArray or Array by name, of whatever type was stored.

    ``thousands``: a dot in their text may stand between thousands.
    """

    source: str
    columns: dict[str, Any]
    rows: int
    first_row: int  # rows of the file before this batch
    line: Callable[[int], int] | None = None  # index within the batch -> 1-based line of the file, for text
    thousands: bool = False

    def error(self, bad: BadRow) -> DataError:
        return row_error(self.source, self.first_row + bad.index, self.line and self.line(bad.index), bad)


def row_error(source: str, row: int, line: int | None, bad: BadRow) -> DataError:
    """The one wording of every message about a row. ``row`` is 0-based, data rows only."""
    place = f"{source}, row {row + 1}" + (f" (line {line})" if line else "")
    if bad.column is not None:
        place += f', column "{bad.column}"'
    return DataError(f"{place}: {bad.problem}", bad.hint)


class RowError(DataError):
    """A value in a table that no source is known of yet: its 0-based row, and why. ``Batch.error`` makes the whole
    message of ``bad``.
    """

    def __init__(self, row: int, problem: str, hint: str, column: str | None = None) -> None:
        place = f"row {row + 1}" + ("" if column is None else f', column "{column}"')
        super().__init__(f"{place}: {problem}", hint)
        self.row, self.bad = row, BadRow(0, problem, hint, column)


class Reader(Protocol):
    """One open file. ``batches`` may be called once: a pipe cannot be read twice."""

    @property
    def name(self) -> str: ...

    @property
    def names(self) -> list[str]: ...

    def fields(self) -> list[Field]:
        """The columns with their types, judged by the first rows where the file does not say."""
        ...

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        """All rows: columns ``counts`` as numbers where possible, ``labels`` (to group by) as stored."""
        ...
