"""Histograms as a table: column, group, value, count. Counted anywhere, merged and fitted anywhere else.

One row says: in this column and group, this value (empty: missing) occurs ``count`` times. Rows may repeat, and their
counts add up: the tables of the parts, one below the other, are a table of the whole. Any kind of table whose columns
are called so, in this order, is one, whatever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from distfit_counts.data.arrays import int64_array
from distfit_counts.data.checked import Weighing, counts_of, labels_in
from distfit_counts.data.choose import require
from distfit_counts.data.column import Column
from distfit_counts.data.counting import Ints
from distfit_counts.data.grouping import GroupTally
from distfit_counts.data.groups import labels_of
from distfit_counts.data.labels import plain
from distfit_counts.data.request import Request
from distfit_counts.data.source import Reader
from distfit_counts.errors import DataError, OutputError
from distfit_counts.output import whole_file

COLUMN, VALUE, COUNT = _OWN = ("column", "value", "count")
# In the metadata of the Parquet schema: what this file is.
MARK = b"histogram/1"
_KEY = b"distfit"
# Rows that are put together at a time: a million columns are never one table.
_ROWS = 1 << 20
_IN_COMMON = "say with --by which groups they have in common; --by column adds up the groups of each"


class Histograms:
    """The histograms of one data set of such files, fed file after file; otherwise as ``Tables``."""

    def __init__(self, request: Request) -> None:
        if request.weights not in (None, COUNT):
            problem = f"a histogram file is weighted by its column {COUNT}, not by {request.weights}"
            raise DataError(problem, f"give --weights {COUNT}, or leave it out")
        for name in request.by:
            if name in (VALUE, COUNT):
                problem = f'histograms cannot be grouped by their column "{name}"'
                raise DataError(problem, f"leave out this --by; with --by {COLUMN}, groups are added up")
        self._request = request
        self._by: list[str] | None = None
        self._tally = GroupTally([])
        self._weighing = Weighing(COUNT)
        self._order: dict[str, None] = {}

    @property
    def rows(self) -> int:
        return self._tally.rows

    def add(self, reader: Reader) -> None:
        groups = [name for name in _named(reader) if name not in _OWN]
        if self._by is None:
            # The columns are kept apart anyhow: by them alone, all groups are added up.
            asked = [name for name in dict.fromkeys(self._request.by) if name != COLUMN]
            self._by = asked if self._request.by else groups
            self._tally = GroupTally([COLUMN, *self._by])
        elif not self._request.by and self._by != groups:
            problem = f"{reader.name} is grouped by {_listed(groups)}, files before it by {_listed(self._by)}"
            raise DataError(problem, _IN_COMMON)
        require(reader, *_OWN, *self._by)
        for batch in reader.batches([VALUE, COUNT], [COLUMN, *self._by]):
            names = _names(batch.columns[COLUMN])
            self._order |= dict.fromkeys(names.unique().to_pylist())
            values, counts = counts_of(batch, VALUE, reader), self._weighing.of(batch, reader)
            self._tally.add(values, [names, *(labels_in(batch, name) for name in self._by)], counts)

    def absorb(self, other: Histograms) -> None:
        """Add what another part of the data set has counted."""
        if self._by != other._by:
            problem = f"histograms grouped by {_listed(self._by)} and by {_listed(other._by)} in one data set"
            raise DataError(problem, _IN_COMMON)
        self._tally.absorb(other._tally)
        self._weighing.absorb(other._weighing)
        self._order |= other._order

    def columns(self, source: str) -> Iterator[Column]:
        """Column after column in the order of the files, each with its groups in sorted order."""
        found: dict[str, list[Column]] = {name: [] for name in self._order}
        for group, histogram in self._tally.histograms():
            # The tally has None for "", and 1 for "1".
            label = group.pop(COLUMN)
            name = "" if label is None else str(label)
            found[name].append(Column(source, name, group, histogram))
        for name in self._chosen(source):
            yield from found[name]

    def _chosen(self, source: str) -> list[str]:
        asked, known = self._request.columns, list(self._order)
        if not asked:
            return known
        chosen = [name for name in known if any(name == glob or fnmatchcase(name, glob) for glob in asked)]
        if not chosen:
            hint = f"they are of: {', '.join(known[:20])} (columns called column, ..., value, count mean histograms)"
            raise DataError(f"{source} holds histograms, but none of {', '.join(asked)}", hint)
        return chosen


def _listed(names: Sequence[str] | None) -> str:
    return ", ".join(names or []) or "nothing"


def is_histogram(reader: Reader) -> bool:
    """Whether the file says that it is one, or its columns are those of one: column, groups, value, count."""
    names = _named(reader)
    return getattr(reader, "mark", None) == MARK or (names[:1] == [COLUMN] and names[1:][-2:] == [VALUE, COUNT])


def _named(reader: Reader) -> list[str]:
    # A column without a name is the row number that pandas and R write.
    return [name for name in reader.names if name]


def _names(column: Any) -> Any:
    """The names of the columns, as text in any file."""
    import pyarrow as pa

    return plain(column).cast(pa.string()).fill_null("")


def write_histograms(columns: Sequence[Column], output: Path | BinaryIO) -> None:
    """Write ``columns`` to a Parquet file, or as CSV to a file ending in .csv or to an open binary file."""
    names = group_names(columns)
    if isinstance(output, Path):
        with whole_file(output) as file:
            _write(columns, names, file, csv=output.suffix.lower() == ".csv")
    else:
        _write(columns, names, output, csv=True)


def group_names(columns: Sequence[Column]) -> list[str]:
    """The grouping columns. Raises DataError where one has the name of a column of the table."""
    names = list(columns[0].group)
    for name in names:
        if name in _OWN:
            hint = "rename it: these names are taken by the histogram itself"
            raise DataError(f'cannot write a histogram grouped by a column named "{name}"', hint)
    return names


def check_format(output: Path | None) -> None:
    """Raises OutputError for a file that is to be neither Parquet nor CSV."""
    if output is not None and output.suffix.lower() not in (".parquet", ".csv"):
        raise OutputError(f"cannot write a histogram to {output}", "name a file that ends in .parquet or .csv")


def _write(columns: Sequence[Column], names: list[str], file: BinaryIO, csv: bool) -> None:
    import pyarrow as pa

    types = [_label_type(labels_of(columns, name)) for name in names]
    fields = [(COLUMN, pa.string()), *zip(names, types, strict=True), (VALUE, pa.int64()), (COUNT, pa.int64())]
    schema = pa.schema(fields, metadata={_KEY: MARK})
    with _writer(schema, file, csv) as writer:
        for some in _portions(columns):
            writer.write_table(_table(some, names, schema))


def _writer(schema: Any, file: BinaryIO, csv: bool) -> Any:
    if csv:
        from pyarrow.csv import CSVWriter

        return CSVWriter(file, schema)
    from pyarrow.parquet import ParquetWriter

    return ParquetWriter(file, schema)


def _portions(columns: Sequence[Column]) -> Iterator[list[Column]]:
    some: list[Column] = []
    rows = 0
    for column in columns:
        some.append(column)
        rows += column.histogram.distinct + 1
        if rows > _ROWS:
            yield some
            some, rows = [], 0
    if some:
        yield some


def _table(columns: list[Column], names: list[str], schema: Any) -> Any:
    import pyarrow as pa

    histograms = [column.histogram for column in columns]
    missing = np.array([histogram.n_missing for histogram in histograms], dtype=np.int64)
    # A group of missing values only is a group too.
    lengths = np.array([histogram.distinct for histogram in histograms]) + (missing > 0)
    ends = np.cumsum(lengths)
    values, counts = np.zeros((2, int(ends[-1])), dtype=np.int64)
    absent = np.zeros(len(values), dtype=bool)
    for histogram, end, length in zip(histograms, ends.tolist(), lengths.tolist(), strict=True):
        here = slice(end - length, end - length + histogram.distinct)
        values[here], counts[here] = histogram.values, histogram.weights
    last = ends[missing > 0] - 1
    counts[last], absent[last] = missing[missing > 0], True
    labels = [pa.array([column.column for column in columns], pa.string())]
    for name in names:
        labels.append(pa.array(_plain([column.group[name] for column in columns]), schema.field(name).type))
    spread = [_repeated(own, lengths) for own in labels]
    return pa.table([*spread, int64_array(values, absent), int64_array(counts)], schema=schema)


def _repeated(labels: Any, times: Ints) -> Any:
    """Every entry of an Array so many ``times``."""
    import pyarrow as pa

    if len(labels) == 1:  # without taking, for which pyarrow.compute would be imported
        return pa.repeat(labels[0], int(times[0]))
    return labels.take(int64_array(np.repeat(np.arange(len(labels)), times)))


def _label_type(labels: list[Any]) -> Any:
    import pyarrow as pa

    return pa.array(_plain(labels)).type if any(label is not None for label in labels) else pa.string()


def _plain(labels: list[Any]) -> list[Any]:
    """Labels of one type: where a file has numbers and text, text."""
    kinds = {type(label) for label in labels if label is not None}
    return labels if len(kinds) <= 1 else [None if label is None else str(label) for label in labels]
