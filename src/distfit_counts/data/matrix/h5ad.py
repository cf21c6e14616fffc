"""AnnData files (.h5ad): X, a layer or raw.X, stored dense or as CSR or CSC, read with h5py alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from distfit_counts.data.matrix.entries import BLOCK, MOST_POSITIONS, Axis, Entries, Ints, stored_counts
from distfit_counts.data.matrix.h5_frame import Frame
from distfit_counts.data.matrix.names import no_such
from distfit_counts.data.matrix.repeats import merged
from distfit_counts.data.source import BadRow
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import NotNumbers
from distfit_counts.errors import DataError

HDF5 = b"\x89HDF\r\n\x1a\n"
RAW = "raw.X"
_SPARSE: dict[str, Axis] = {"csr_matrix": "rows", "csr": "rows", "csc_matrix": "columns", "csc": "columns"}


class AnnDataFile:
    """Reader of one matrix of one file. ``layer``: None for X, ``raw.X``, or the name of a layer."""

    variables: Axis = "columns"

    def __init__(self, stream: ByteStream, layer: str | None) -> None:
        self.name = stream.name
        self._stream = stream
        with _damage(self.name):
            self._file = _opened(stream)
            self._others = _places(self._file)
            self._place = layer or "X"
            if self._place not in self._others:
                raise _no_matrix(self.name, self._place, list(self._others))
            path, var = self._others.pop(self._place)
            self._element = self._file[path]
            uns = self._file.get("uns")
            self._frames: dict[Axis, Frame] = {
                "rows": Frame(self._file["obs"], uns),
                "columns": Frame(self._file[var], uns),
            }
            self._sparse = _sparse_axis(self._element, f"{self.name}, {self._place}")
            self.shape = _shape(self._element, self._sparse)
            self._names: dict[Axis, list[str]] = {axis: frame.names() for axis, frame in self._frames.items()}
        found = (len(self._names["rows"]), len(self._names["columns"]))
        if self.shape != found or self.shape[0] * self.shape[1] > MOST_POSITIONS:
            shape = " x ".join(map(str, self.shape))
            raise _damaged(self.name, f"{self._place} is {shape}, but there are {found[0]} obs and {found[1]} var")

    def names(self, axis: Axis) -> list[str]:
        return self._names[axis]

    def labels(self, axis: Axis, name: str) -> Any:
        frame = self._frames[axis]
        place = f"{self.name}, {'obs' if axis == 'rows' else 'var'}"
        with _damage(self.name):
            if name not in frame.columns:
                raise no_such(place, "column", name, frame.columns)
            try:
                labels = frame.column(name)
            except NotNumbers as bad:
                raise DataError(f'{place}, column "{name}": holds {bad.type_text}', bad.hint) from None
            if len(labels) != self.shape[axis == "columns"]:
                raise _damaged(place, f'column "{name}" has {len(labels)} values')
            return labels

    def entries(self) -> Iterator[Entries]:
        with _damage(self.name):
            if self._sparse is None:
                yield from self._dense()
            else:
                yield from merged(self._compressed(self._sparse), self.shape, self.name)

    def entries_in_memory(self) -> Iterator[Entries]:
        raise AssertionError("rows of CSR and columns of CSC come in order")

    def _dense(self) -> Iterator[Entries]:
        rows, columns = self.shape
        # Whole chunks of the file: each is decompressed once.
        chunk = self._element.chunks[0] if self._element.chunks else 1
        step = max(BLOCK // max(columns, 1) // chunk, 1) * chunk
        for start in range(0, rows, step):
            block = self._element[start : start + step]
            places = np.flatnonzero(block)
            row, column = np.divmod(places, columns)
            yield self._checked(row + start, column, block.reshape(-1)[places])
            self._stream.report(min(start + step, rows) / rows)

    def _compressed(self, axis: Axis) -> Iterator[Entries]:
        """``axis``: "rows" for CSR, "columns" for CSC."""
        data, indices = self._element["data"], self._element["indices"]
        borders = self._element["indptr"][()].astype(np.int64)
        lines, across = self.shape if axis == "rows" else self.shape[::-1]
        whole = len(borders) == lines + 1 and borders[0] == 0 and borders[-1] == len(data) == len(indices)
        if not whole or (np.diff(borders) < 0).any():
            raise _damaged(self.name, f"indptr of {self._place} does not divide its data")
        for start in range(0, len(data), BLOCK):
            stop = min(start + BLOCK, len(data))
            first, last = np.searchsorted(borders, [start, stop - 1], side="right") - 1
            line = np.repeat(np.arange(first, last + 1), np.diff(np.clip(borders[first : last + 2], start, stop)))
            index = indices[start:stop].astype(np.int64)
            if index.min() < 0 or index.max() >= across:
                raise _damaged(self.name, f"indices of {self._place} point beyond its {across} places")
            rows, columns = (line, index) if axis == "rows" else (index, line)
            yield self._checked(rows, columns, data[start:stop])
            self._stream.report(stop / len(data))

    def _checked(self, rows: Ints, columns: Ints, values: Any) -> Entries:
        try:
            return Entries(rows, columns, stored_counts(values))
        except NotNumbers as bad:
            raise DataError(f"{self.name}, {self._place}: holds {bad.type_text}, not whole numbers", bad.hint) from None
        except BadRow as bad:
            row, column = int(rows[bad.index]), int(columns[bad.index])
            place = f"{self.name}, {self._place}, row {row + 1} ({self._names['rows'][row]}), "
            place += f"column {column + 1} ({self._names['columns'][column]})"
            others = f"; or choose another layer: --layer {' or '.join(self._others)}" if self._others else ""
            raise DataError(f"{place}: {bad.problem}", bad.hint + others) from None


def _opened(stream: ByteStream) -> Any:
    try:
        import h5py
    except ImportError:
        problem = f"{stream.name}: AnnData files need h5py, which is not installed"
        raise DataError(problem, "pip install 'distfit-counts[anndata]'") from None
    file = h5py.File(stream.seekable(), "r")
    if "obs" not in file or "var" not in file:
        hint = "save the counts as AnnData (.h5ad), Matrix Market (.mtx), Parquet or CSV"
        if "matrix" in file:
            hint = "this is 10x Genomics' .h5: take the matrix.mtx.gz that belongs to it, or save it as .h5ad"
        raise DataError(f"{stream.name}: an HDF5 file, but not AnnData (it has no obs and var)", hint)
    return file


def _places(file: Any) -> dict[str, tuple[str, str]]:
    """The matrices by name: their path, and that of the table of their variables."""
    layers = [(name, (f"layers/{name}", "var")) for name in file.get("layers", ())]
    known = [("X", ("X", "var")), *layers, (RAW, ("raw/X", "raw/var")), (RAW, ("raw.X", "raw.var"))]
    # A missing X may be stored as an empty dataset, which has no shape.
    return {
        name: paths for name, paths in known if paths[0] in file and getattr(file[paths[0]], "shape", 0) is not None
    }


def _no_matrix(name: str, place: str, places: list[str]) -> DataError:
    if place == "X" and places:
        return DataError(f"{name}: X is missing", f"this file holds {', '.join(places)}")
    return no_such(name, "layer", place, places)


def _sparse_axis(element: Any, place: str) -> Axis | None:
    """Along which axis a sparse matrix is compressed; None for a dense one."""
    if hasattr(element, "shape"):
        if len(element.shape) != 2:
            raise DataError(f"{place}: has {len(element.shape)} dimensions, not 2", "save a matrix of counts")
        return None
    # h5sparse_format: AnnData before 0.7.
    kind = element.attrs.get("encoding-type", element.attrs.get("h5sparse_format", "a group"))
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if kind not in _SPARSE:
        raise DataError(f"{place}: is stored as {kind}", "known are dense arrays, CSR and CSC; write it as one of them")
    return _SPARSE[kind]


def _shape(element: Any, sparse: Axis | None) -> tuple[int, int]:
    attrs = element.attrs
    shape = element.shape if sparse is None else attrs["shape"] if "shape" in attrs else attrs["h5sparse_shape"]
    rows, columns = (int(size) for size in shape)
    return rows, columns


def _damaged(name: str, what: str) -> DataError:
    return DataError(f"{name}: damaged ({what})", "write or download it again; a program may still be writing it")


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """What h5py raises on a damaged file, as a DataError; OSError is left to who opened the file."""
    try:
        yield
    except OSError as error:
        if "plugin" in str(error) or "filter" in str(error):
            hint = "write it again with compression='gzip'"
            raise DataError(f"{name}: compressed in a way that h5py does not know", hint) from error
        raise
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError, AttributeError, OverflowError) as error:
        first = str(error).strip().splitlines()[0:1] or [type(error).__name__]
        raise _damaged(name, first[0][:200]) from error
