"""Matrix Market: coordinates of what is not zero, or a dense array, column after column."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from distfit_counts.data.matrix.entries import Axis, Entries, Ints
from distfit_counts.data.matrix.market_header import read_header
from distfit_counts.data.matrix.market_lines import Lines, read_lines
from distfit_counts.data.matrix.repeats import merged, merged_in_memory
from distfit_counts.data.matrix.tenx import names_beside
from distfit_counts.data.source import BadRow
from distfit_counts.data.stream import ByteStream, Meter, open_bytes
from distfit_counts.errors import DataError


class MatrixMarket:
    """Reader of one file. The file is read a second time where its entries are in no order; a pipe is copied first."""

    def __init__(self, stream: ByteStream, block_size: int) -> None:
        self.name = stream.name
        self._path = stream.path if stream.path is not None and os.path.isfile(stream.path) else None
        self._copy: Any = None
        if self._path is None:
            self._copy = stream.seekable()
            stream = ByteStream(self.name, None, self._copy, Meter(None, None))
        self._stream = stream
        self._block_size = block_size
        self._header = read_header(stream)
        self.shape = (self._header.rows, self._header.columns)
        beside = names_beside(self._path, self.shape) if self._path is not None else None
        self._names: dict[Axis, list[str]] = beside.names if beside else {}
        self.variables: Axis = beside.features if beside else "columns"

    def names(self, axis: Axis) -> list[str] | None:
        return self._names.get(axis)

    def labels(self, axis: Axis, name: str) -> Any:
        problem = f'{self.name}: no column "{name}" to group or weight by: a Matrix Market file holds counts only'
        raise DataError(problem, "leave out --by and --weights, or save the matrix as .h5ad with the column in obs")

    def entries(self) -> Iterator[Entries]:
        return self._whole(self._stream, in_memory=False)

    def entries_in_memory(self) -> Iterator[Entries]:
        with self._again() as stream:
            yield from self._whole(stream, in_memory=True)

    @contextmanager
    def _again(self) -> Iterator[ByteStream]:
        if self._path is not None:
            with open_bytes(self.name, self._path, None, Meter(None, None)) as stream:
                yield stream
        else:
            self._copy.seek(0)
            yield ByteStream(self.name, None, self._copy, Meter(None, None))

    def _whole(self, stream: ByteStream, in_memory: bool) -> Iterator[Entries]:
        if not self._header.coordinate:
            found: Iterable[Entries] = self._array(stream)
        elif in_memory:
            found = merged_in_memory(self._coordinates(stream), self.shape, self.name)
        else:
            found = merged(self._coordinates(stream), self.shape, self.name)
        for block in found:
            yield block
            if self._header.symmetric:
                off = block[block.rows != block.columns]
                yield Entries(off.columns, off.rows, off.values)

    def _coordinates(self, stream: ByteStream) -> Iterator[Entries]:
        fields = ["row", "column", "value"][: 2 if self._header.pattern else 3]
        for lines in read_lines(stream, self._header, fields, self._block_size):
            rows, columns = lines.numbers[:2]
            _check_indices(lines, "row", rows, self._header.rows)
            _check_indices(lines, "column", columns, self._header.columns)
            if self._header.symmetric and (rows < columns).any():
                index = int((rows < columns).argmax())
                problem = f"row {rows[index]}, column {columns[index]} is above the diagonal of a symmetric matrix"
                hint = "leave it out, for its mirror image stands for it; or declare the matrix general"
                raise lines.error(BadRow(index, problem, hint))
            values = np.ones(len(rows), dtype=np.int64) if self._header.pattern else lines.numbers[2]
            yield Entries(rows - 1, columns - 1, values)

    def _array(self, stream: ByteStream) -> Iterator[Entries]:
        for lines in read_lines(stream, self._header, ["value"], self._block_size):
            [values] = lines.numbers
            filled = np.flatnonzero(values)
            places = filled + lines.first
            if self._header.symmetric:
                columns, rows = _lower_triangle(places, self._header.rows)
            else:
                columns, rows = np.divmod(places, self._header.rows)
            yield Entries(rows, columns, values[filled])


def _lower_triangle(places: Ints, n: int) -> tuple[Ints, Ints]:
    """Columns and rows of the 0-based ``places`` in a list of what is on and below the diagonal, by columns."""
    before = np.arange(n + 1)
    starts = before * n - before * (before - 1) // 2
    columns = np.searchsorted(starts, places, side="right") - 1
    return columns, places - starts[columns] + columns


def _check_indices(lines: Lines, what: str, indices: Ints, size: int) -> None:
    outside = (indices < 1) | (indices > size)
    if outside.any():
        index = int(outside.argmax())
        hint = f"line 1 of the data counts as 1; the matrix has {size} {what}s"
        raise lines.error(BadRow(index, f"{what} {indices[index]} is outside 1 to {size}", hint))
