"""Some files that are one data set: tables, histograms or matrices, read side by side where that can be."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

from distfit_counts.data.choose import choose
from distfit_counts.data.column import Column
from distfit_counts.data.histogram_file import Histograms, is_histogram
from distfit_counts.data.kinds import open_matrix, open_reader
from distfit_counts.data.locate import STDIN, extension
from distfit_counts.data.matrix.counting import MatrixCounting
from distfit_counts.data.request import Request
from distfit_counts.data.side_by_side import side_by_side
from distfit_counts.data.stream import Meter, open_bytes
from distfit_counts.data.tables import Tables
from distfit_counts.errors import DataError

_MATRICES = (".mtx", ".h5ad")


class DataSet:
    """Counts ``paths``, all of one kind. ``name`` is for messages and results."""

    def __init__(self, name: str, paths: Sequence[str], request: Request, meter: Meter, stdin: BinaryIO | None) -> None:
        self._name, self._paths, self._request, self._meter, self._stdin = name, paths, request, meter, stdin
        self._tables = Tables(request)
        self._histograms: Histograms | None = None
        self._matrices = MatrixCounting(
            request.columns, tuple(dict.fromkeys(request.by)), request.weights, request.variables
        )
        self._empty: list[DataError] = []

    def columns(self) -> Sequence[Column]:
        """The histograms. Raises DataError for whatever is wrong with the files."""
        if self._request.side_by_side > 1 and len(self._paths) > 1 and all(map(_reopens, self._paths)):
            self._read_side_by_side()
        else:
            for path in self._paths:
                self._read(path)
        kinds = [self._tables.rows, self._histograms is not None, self._matrices.found]
        if sum(map(bool, kinds)) > 1:
            problem = f"{self._name}: tables, histograms and matrices in one data set"
            raise DataError(problem, "fit files of one kind at a time")
        if self._matrices.found:
            return self._matrices.columns(self._name)
        if self._histograms is not None and self._histograms.rows:
            return list(self._histograms.columns(self._name))
        if not self._tables.rows:
            # One empty part of a data set says nothing; all of them do.
            if self._empty and len(self._empty) == len(self._paths):
                raise self._empty[0]
            named = "stdin" if self._name == STDIN else self._name
            raise DataError(f"{named} has no data rows", "check the program or the filter that wrote it")
        return self._tables.columns(self._name)

    def _read(self, path: str) -> None:
        request, name = self._request, "stdin" if path == STDIN else path
        with open_bytes(name, None if path == STDIN else path, self._stdin, self._meter) as stream:
            if not stream.peek(1):
                hint = "nothing was written to it; check the program that makes it"
                self._empty.append(DataError(f"{name} is empty (0 bytes)", hint))
                return
            if matrix := open_matrix(stream, request.block_size, request.layer):
                self._matrices.add(matrix)
                return
            if request.layer is not None or request.variables == "rows":
                problem = f"{name} is a table, not a matrix"
                raise DataError(problem, "layers, and rows as variables, are for .mtx and .h5ad")
            reader = open_reader(stream, request.names, request.block_size, request.helped)
            if is_histogram(reader):
                self._histograms = self._histograms or Histograms(request)
                self._histograms.add(reader)
            else:
                self._tables.add(reader)

    def _read_side_by_side(self) -> None:
        """A few files at a time, and taken over in their order: the first error is that of the first bad file."""
        chosen = self._first_choice() or self._request.columns
        request = replace(self._request.shared(len(self._paths)), columns=chosen)
        ended = threading.Event()

        def read(path: str) -> DataSet:
            part = DataSet(self._name, [path], request, self._meter, None)
            part._tables = Tables(request, lambda: _unless(ended))
            part._read(path)
            return part

        with closing(side_by_side(read, self._paths, self._request.side_by_side, ended)) as parts:
            for part in parts:
                self._absorb(part)

    def _absorb(self, part: DataSet) -> None:
        self._tables.absorb(part._tables)
        self._empty += part._empty
        if part._histograms is not None:
            if self._histograms is None:
                self._histograms = part._histograms
            else:
                self._histograms.absorb(part._histograms)

    def _first_choice(self) -> list[str]:
        """The columns of the first file that is a table with columns: those of all."""
        for path in self._paths:
            with open_bytes(path, path, None, Meter(None, None)) as stream:
                if stream.peek(1):
                    reader = open_reader(stream, self._request.names, self._request.block_size, helped=False)
                    if is_histogram(reader):
                        return []
                    if reader.names:
                        by = list(dict.fromkeys(self._request.by))
                        return choose(reader, self._request.columns, by, self._request.weights)
        return []


class _Ended(Exception):
    """Another file of the data set has failed."""


def _unless(ended: threading.Event) -> None:
    if ended.is_set():
        raise _Ended


def _reopens(path: str) -> bool:
    """A table on disk; a pipe can be read once, and matrices are merged by names that one after the other is found."""
    return os.path.isfile(path) and extension(path) not in _MATRICES
