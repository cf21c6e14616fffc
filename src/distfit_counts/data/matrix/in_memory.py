"""Matrices of scipy.sparse and AnnData in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from distfit_counts.data.column import Column
from distfit_counts.data.matrix.counting import MatrixCounting
from distfit_counts.data.matrix.entries import BLOCK, Axis, Entries, stored_counts
from distfit_counts.data.matrix.names import no_such
from distfit_counts.data.matrix.repeats import merged_in_memory
from distfit_counts.data.source import BadRow
from distfit_counts.data.whole import NotNumbers
from distfit_counts.errors import DataError

_SOURCE = "data"


def is_matrix(data: Any) -> bool:
    """Whether ``data`` is AnnData or a sparse matrix or array of scipy."""
    module = type(data).__module__
    return module.startswith("scipy.sparse") or (module.split(".")[0] == "anndata" and hasattr(data, "var_names"))


def read_matrix(data: Any, columns: Sequence[str], by: Sequence[str], weights: str | None) -> Sequence[Column]:
    """The histograms of the columns of a matrix, of AnnData the variables of X; ``by`` and ``weights`` name columns of
    obs. Another layer is a matrix of its own: ``adata.layers["counts"]``.
    """
    counting = MatrixCounting(columns, tuple(dict.fromkeys(by)), weights, None)
    counting.add(_InMemory(data))
    return counting.columns(_SOURCE)


class _InMemory:
    """As ``entries.Matrix`` has it."""

    variables: Axis = "columns"
    name = _SOURCE

    def __init__(self, data: Any) -> None:
        self._data = data
        self._named = hasattr(data, "var_names")
        self._matrix = data.X if self._named else data
        if getattr(self._matrix, "ndim", 0) != 2:
            raise DataError("the matrix has no two dimensions", "give one with a row for every observation")
        rows, columns = self._matrix.shape
        self.shape = (int(rows), int(columns))

    def names(self, axis: Axis) -> list[str] | None:
        if not self._named:
            return None
        return [str(name) for name in (self._data.obs_names if axis == "rows" else self._data.var_names)]

    def labels(self, axis: Axis, name: str) -> Any:
        import pyarrow as pa

        frame = None if not self._named else self._data.obs if axis == "rows" else self._data.var
        if frame is None or name not in frame:
            raise no_such(f"{_SOURCE}, {'obs' if axis == 'rows' else 'var'}", "column", name, list(frame or ()))
        return pa.Array.from_pandas(frame[name])

    def entries(self) -> Iterator[Entries]:
        if hasattr(self._matrix, "tocoo"):
            stored = list(self._stored())
            if stored:
                yield from merged_in_memory(stored, self.shape, _SOURCE)
            return
        step = max(BLOCK // max(self.shape[1], 1), 1)
        for start in range(0, self.shape[0], step):
            block = np.asarray(self._matrix[start : start + step])
            places = np.flatnonzero(block)
            row, column = np.divmod(places, self.shape[1])
            yield self._checked(row + start, column, block.reshape(-1)[places])

    def entries_in_memory(self) -> Iterator[Entries]:
        raise AssertionError("entries in any order are merged by entries()")

    def _stored(self) -> Iterator[Entries]:
        stored = self._matrix.tocoo()
        rows, columns = stored.coords if hasattr(stored, "coords") else (stored.row, stored.col)
        for start in range(0, len(stored.data), BLOCK):
            part = slice(start, start + BLOCK)
            yield self._checked(rows[part].astype(np.int64), columns[part].astype(np.int64), stored.data[part])

    def _checked(self, rows: Any, columns: Any, values: Any) -> Entries:
        try:
            return Entries(rows, columns, stored_counts(values))
        except NotNumbers as bad:
            raise DataError(f"{_SOURCE}: holds {bad.type_text}, not whole numbers", bad.hint) from None
        except BadRow as bad:
            place = f"{_SOURCE}, row {int(rows[bad.index]) + 1}, column {int(columns[bad.index]) + 1}"
            raise DataError(f"{place}: {bad.problem}", bad.hint) from None
