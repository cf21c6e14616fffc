"""Columns without a value: an error where the user meant them, empty histograms where a pattern chose them too."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from distfit_counts.data.column import Column
from distfit_counts.data.groups import joined, widths_of
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DataError


class Valueless(DataError):
    """A whole column without a value. ``rows``: how many it has if all are missing; None: the others have no weight.

    ``column``: what to leave out, all groups as one; ``missing`` entries (weights) of it.
    """

    def __init__(self, source: str, name: str, missing: int, rows: int | None) -> None:
        self.column = Column(source, name, {}, Histogram.of([], n_missing=missing))
        if rows is not None:
            problem = f'column "{name}" of {source} has only missing values ({rows} of {rows} rows)'
            super().__init__(problem, "choose another column with --column, or check how missing values were written")
        else:
            problem = f'column "{name}" of {source} has no value with a weight above 0'
            super().__init__(problem, "check the --weights column")


def each_of(names: Sequence[str], asked: Sequence[str], count: Callable[[str], Sequence[Column]]) -> Sequence[Column]:
    """What ``count`` finds for all ``names``; those without a value that only a pattern in ``asked`` chose are empty.

    Raises Valueless for one that was named, or that was the only one that could be meant, and where none has a value.
    """
    found: list[Sequence[Column]] = []
    valueless: list[Valueless] = []
    for name in names:
        try:
            found.append(count(name))
        except Valueless as error:
            if name in asked or not asked:
                raise
            valueless.append(error)
            found.append([error.column])
    if valueless and len(valueless) == len(found):
        raise valueless[0]
    return joined(found)


def with_values(columns: Sequence[Column], tell: Callable[[str], None]) -> Sequence[Column]:
    """Those columns and groups that hold values; each of the others is named to ``tell``.

    Raises DataError where none holds a value.
    """
    empty = [columns[i] for i, width in enumerate(widths_of(columns)) if width == 0]
    for column in empty:
        why = "only missing values" if column.histogram.n_missing else "no value with a weight above 0"
        tell(f"{column.label} has {why}: left out")
    if len(empty) == len(columns):
        raise DataError("there is no value at all", "choose another column, or another --by")
    return [column for column in columns if column.histogram.distinct] if empty else columns
