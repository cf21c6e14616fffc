"""Parquet and Arrow IPC: only the columns that are needed, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from distfit_counts.data.gather import Piece, gathered
from distfit_counts.data.source import BadRow, Batch, Field
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import once_each, whole_numbers

BATCH_ROWS = 1 << 19
_BATCH_ENTRIES, _FEWEST_ROWS = 1 << 23, 1 << 10
_END: Any = object()
# Columns of which the first rows are looked at, where their types alone would do.
FEW = 8


def open_parquet(source: Any, buffer_size: int = 0) -> Any:
    """The pyarrow ``ParquetFile`` of a path or an open file. Pages that carry a checksum are compared with it when they
    are read: ArrowException or OSError where a bit is wrong.

    ``buffer_size``: bytes of a column that are read at a time; 0: whole row groups.
    """
    from pyarrow.parquet import ParquetFile

    # Off unless asked for, and a flipped bit is then only another count.
    return ParquetFile(source, buffer_size=buffer_size, pre_buffer=False, page_checksum_verification=True)


class ParquetTable:
    """Reader of one Parquet file."""

    def __init__(self, stream: ByteStream, helped: bool = True) -> None:
        self._helped = helped
        self.name = stream.name
        self._stream = stream
        self._file = open_parquet(stream.seekable())
        self._schema = self._file.schema_arrow
        self.names: list[str] = self._schema.names
        # What wrote it may say what it is.
        self.mark: bytes | None = (self._schema.metadata or {}).get(b"distfit")

    def fields(self) -> list[Field]:
        return [table_field(field, self._first, len(self._schema) <= FEW) for field in self._schema]

    def _first(self, name: str) -> Any:
        return next(self._file.iter_batches(batch_size=1 << 14, columns=[name]), None)

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        names = [*counts, *labels]
        total = self._file.metadata.num_rows
        # Of twenty thousand columns a batch of half a million rows would be 80 GB.
        rows = max(min(BATCH_ROWS, _BATCH_ENTRIES // len(names)), _FEWEST_ROWS)
        found = self._file.iter_batches(batch_size=rows, columns=names, use_threads=self._helped)
        for batch in _batches(self.name, found, names, self._helped):
            yield batch
            # Only the needed columns are read: the share of the rows is what a progress bar means.
            self._stream.report((batch.first_row + batch.rows) / max(total, 1))


class ArrowTable:
    """Reader of one Arrow IPC file (Feather v2) or IPC stream."""

    def __init__(self, stream: ByteStream, streamed: bool, helped: bool = True) -> None:
        import pyarrow as pa

        self._helped = helped
        self.name = stream.name
        if streamed:
            reader = pa.ipc.open_stream(pa.PythonFile(_Readable(stream), mode="r"))
            self._found: Iterator[Any] = iter(reader)
        else:
            reader = pa.ipc.open_file(stream.seekable())
            self._found = self._from_file(reader, stream)
        self._schema = reader.schema
        self._peeked: list[Any] = []
        self.names: list[str] = self._schema.names

    @staticmethod
    def _from_file(reader: Any, stream: ByteStream) -> Iterator[Any]:
        for i in range(reader.num_record_batches):
            yield reader.get_batch(i)
            stream.report((i + 1) / reader.num_record_batches)

    def fields(self) -> list[Field]:
        return [table_field(field, self._first, len(self._schema) <= FEW) for field in self._schema]

    def _first(self, name: str) -> Any:
        while not self._peeked and (batch := next(self._found, None)) is not None:
            batch.validate(full=True)
            self._peeked.append(batch)
        return self._peeked[0] if self._peeked else None

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        # Arrow IPC is memory as it was: a damaged file can point outside of it, which ends the process.
        return _batches(self.name, chain(self._peeked, self._found), [*counts, *labels], self._helped, checked=False)


class _Readable:
    """A ByteStream for pa.PythonFile."""

    closed = False

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    def read(self, n: int) -> bytes:
        return self._stream.read(n)

    def close(self) -> None:
        """The owner of the stream closes it."""


def _batches(name: str, found: Iterator[Any], names: list[str], helped: bool, checked: bool = True) -> Iterator[Batch]:
    names = list(dict.fromkeys(names))

    def pieces() -> Iterator[Piece]:
        for batch in _ahead(found) if helped else found:
            chosen = batch.select(names)
            if not checked:
                chosen.validate(full=True)
            yield chosen, None

    return gathered(name, pieces(), names)


def _ahead(items: Iterator[Any]) -> Iterator[Any]:
    """The items, each made in another thread while the one before is being counted."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(next, items, _END)
        while (item := upcoming.result()) is not _END:
            upcoming = pool.submit(next, items, _END)
            yield item


def table_field(field: Any, first: Callable[[str], Any], few: bool = False) -> Field:
    """How an Arrow schema field is offered; ``first(name)``: a batch by which to judge it, or None; ``few``: judge
    whole numbers too.
    """
    import pyarrow as pa

    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    numbers, inexact = pa.types.is_integer(kind), pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    whole, once = numbers, False
    if inexact or (numbers and few):
        try:
            batch = first(field.name)
            column = None if batch is None else whole_numbers(batch.column(field.name))
            whole = numbers or (column is not None and column.null_count < len(column))
            once = few and column is not None and once_each(column)
        except (BadRow, KeyError):  # KeyError: the name occurs twice
            whole = numbers
    return Field(field.name, str(field.type), whole, once)
