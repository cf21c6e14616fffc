"""Columns that are already in memory: pandas, polars, pyarrow, NumPy, lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from distfit_counts.data.column import Column
from distfit_counts.data.columnar import table_field
from distfit_counts.data.files import count_reader
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.source import Batch, Field
from distfit_counts.errors import DataError

NAME = "value"
_SOURCE = "data"


def read_memory(data: Any, columns: Sequence[str], by: Sequence[str], weights: str | None) -> Sequence[Column]:
    """Count ``data`` (see ``as_table``) or take a ``Histogram`` as it is; otherwise as ``files.read_source``."""
    if isinstance(data, Histogram):
        return [Column(_SOURCE, NAME, {}, data)]
    return count_reader(FrameTable(as_table(data), _SOURCE), _SOURCE, columns, by, weights)


class FrameTable:
    """Reader of a pyarrow Table."""

    def __init__(self, table: Any, name: str) -> None:
        self.name = name
        self._table = table
        self.names: list[str] = table.column_names

    def fields(self) -> list[Field]:
        return [table_field(field, lambda _name: self._table) for field in self._table.schema]

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        row = 0
        for batch in self._table.select(list(dict.fromkeys([*counts, *labels]))).to_batches():
            yield Batch(self.name, {name: batch.column(name) for name in batch.schema.names}, batch.num_rows, row)
            row += batch.num_rows


def as_table(data: Any) -> Any:
    """``data`` as a pyarrow Table; a single column without a name is called ``value``.

    Takes pandas, polars and pyarrow columns and frames, NumPy arrays of one dimension, mappings of columns and
    sequences of numbers. Raises DataError for anything else.
    """
    import pyarrow as pa

    try:
        if isinstance(data, pa.Table):
            return data
        if isinstance(data, pa.RecordBatch):
            return pa.Table.from_batches([data])
        if isinstance(data, pa.Array | pa.ChunkedArray):
            return pa.table({NAME: data})
        if isinstance(data, Mapping):
            return pa.table(dict(data))
        if hasattr(data, "columns") and hasattr(data, "__arrow_c_stream__"):
            return _frame(data)
        return pa.table({_name(data): _column(data)})
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, TypeError) as error:
        raise DataError(
            f"cannot read {type(data).__name__} as counts: {error}", "give a column of whole numbers"
        ) from error


def _frame(data: Any) -> Any:
    import pyarrow as pa

    if type(data).__module__.startswith("pandas"):
        return pa.Table.from_pandas(data, preserve_index=False)
    return pa.table(data)


def _column(data: Any) -> Any:
    import pyarrow as pa

    if hasattr(data, "__arrow_c_stream__") or type(data).__module__.startswith("pandas"):
        return pa.Array.from_pandas(data) if type(data).__module__.startswith("pandas") else pa.chunked_array(data)
    if hasattr(data, "detach"):  # a torch tensor
        data = data.detach().cpu().numpy()
    array = np.asarray(data) if isinstance(data, np.ndarray) else data
    if isinstance(array, np.ndarray) and array.ndim != 1:
        raise ValueError(f"the array has {array.ndim} dimensions, not one")
    return pa.array(array)


def _name(data: Any) -> str:
    name = getattr(data, "name", None)
    return name if isinstance(name, str) and name else NAME
