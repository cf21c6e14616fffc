"""Counts that are in memory, or where another library holds them, as columns to fit."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.column import Column
from distfit_counts.data.counting import Ints
from distfit_counts.data.files import count_reader, read_source
from distfit_counts.data.frame_table import FrameTable
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.labels import as_numbers, plain
from distfit_counts.data.lazy_frames import collected, counted_where_it_is, is_lazy
from distfit_counts.data.matrix.in_memory import is_matrix, read_matrix
from distfit_counts.data.whole import whole_numbers
from distfit_counts.errors import DataError

NAME = "value"
_FREQUENCY, _WEIGHT = "frequency", "weights"
_SOURCE = "data"
# What pandas calls the result of value_counts.
_COUNT = "count"
_KNOWN = (
    "give a column of whole numbers (a list, an array, a Series), a frame with column=, a histogram ({count: "
    "frequency}, a Counter, Series.value_counts()), a path, a matrix of scipy.sparse or AnnData, or a lazy frame"
)


def read_memory(data: Any, columns: Sequence[str], by: Sequence[str], weights: Any = None) -> Sequence[Column]:
    """Count ``data``: a column or a frame in memory, a histogram, a path, a matrix, or a lazy frame where it is.

    ``weights``: the name of a column, or a column as long as ``data``. Otherwise as ``files.read_source``.

    Raises DataError for what is none of these and for values that are no counts.
    """
    found = _histogram(data)
    if found is not None:
        if columns or by or weights is not None:
            raise DataError(
                "column, by and weights do nothing with a histogram",
                "it says how often each count occurs: leave them out",
            )
        return [found]
    if isinstance(data, str | os.PathLike):
        return read_source(os.fspath(data), columns, by, _named(weights, "a file"))
    if is_matrix(data):
        return read_matrix(data, columns, by, _named(weights, "a matrix"))
    if type(data).__module__.startswith("dask") and hasattr(data, "to_frame"):  # a column of a frame
        data = data.to_frame()
    if is_lazy(data):
        return counted_where_it_is(data, _SOURCE, columns, by, _named(weights, "a lazy frame"))
    wanted = [*columns, *by, *([weights] if isinstance(weights, str) else [])]
    table = as_table(data, wanted)
    if weights is not None and not isinstance(weights, str):
        table, weights = table.append_column(_WEIGHT, _beside(data, weights, len(table))), _WEIGHT
    return counted_table(table, columns, by, weights)


def counted_table(table: Any, columns: Sequence[str], by: Sequence[str], weights: str | None) -> Sequence[Column]:
    """The columns of a pyarrow Table, which know the order of their rows."""
    rows = partial(_rows, table) if weights is None else None
    return count_reader(FrameTable(table, _SOURCE), _SOURCE, columns, by, weights, rows)


def as_table(data: Any, wanted: Sequence[str] = ()) -> Any:
    """``data`` as a pyarrow Table; a single column without a name is called ``value``.

    Takes pandas, polars and pyarrow columns and frames, NumPy arrays of one dimension, mappings of columns,
    sequences of numbers, and the columns ``wanted`` of lazy frames. Levels of a pandas index are columns where they are
    ``wanted``. Raises DataError for anything else.
    """
    import pyarrow as pa

    try:
        if isinstance(data, pa.Table):
            return data
        if isinstance(data, pa.RecordBatch):
            return pa.Table.from_batches([data])
        if isinstance(data, pa.Array | pa.ChunkedArray):
            return pa.table({NAME: data})
        if is_lazy(data):
            return collected(data, wanted)
        if isinstance(data, Mapping):
            return pa.table({str(name): _column(column) for name, column in data.items()})
        if hasattr(data, "columns") and hasattr(data, "__arrow_c_stream__"):
            return _frame(data, wanted)
        if isinstance(data, Set | Iterator | str | bytes) or type(data).__name__.endswith("GroupBy"):
            raise TypeError("it is no sequence")
        return pa.table({_name(data): _column(data)})
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, TypeError) as error:
        raise DataError(f"cannot read {type(data).__name__} as counts: {error}", _instead_of(data)) from error


def _instead_of(data: Any) -> str:
    """What to give in place of what cannot be read."""
    if type(data).__name__.endswith("GroupBy"):
        return "give the frame itself, with column= and by="
    if getattr(data, "ndim", 1) == 2:
        return "give one column, array[:, 0], or a DataFrame with a column of each and column="
    if isinstance(data, Set):
        return "a set keeps every value once: give a list, or a Counter"
    if isinstance(data, Iterator):
        return "give a list of it"
    return _KNOWN


def _frame(data: Any, wanted: Sequence[str]) -> Any:
    import pyarrow as pa

    if not _is_pandas(data):
        return pa.table(data)
    levels = [name for name in data.index.names if name is not None and str(name) in wanted and name not in data]
    return pa.Table.from_pandas(data.reset_index(levels) if levels else data, preserve_index=False)


def _column(data: Any) -> Any:
    import pyarrow as pa

    if _is_pandas(data):
        return pa.Array.from_pandas(data)
    if hasattr(data, "__arrow_c_stream__"):
        return pa.chunked_array(data)
    if hasattr(data, "detach"):  # a torch tensor
        data = data.detach().cpu().numpy()
    if isinstance(data, np.ma.MaskedArray):
        return pa.array(data.data, mask=np.ma.getmaskarray(data))
    if isinstance(data, np.ndarray) and data.ndim != 1:
        raise ValueError(f"the array has {data.ndim} dimensions, not one")
    return pa.array(data)


def _is_pandas(data: Any) -> bool:
    return type(data).__module__.startswith("pandas")


def _name(data: Any) -> str:
    name = getattr(data, "name", None)
    return str(name) if isinstance(name, str | int) and name != "" else NAME


def _named(weights: Any, where: str) -> str | None:
    if weights is not None and not isinstance(weights, str):
        raise DataError(f"weights beside {where} are the name of a column", "give weights='NAME'")
    return weights


def _beside(data: Any, weights: Any, rows: int) -> Any:
    """``weights`` row by row: pandas Series by their index, everything else by its place."""
    if _is_pandas(data) and _is_pandas(weights) and not weights.index.equals(data.index):
        if not (data.index.is_unique and weights.index.is_unique and data.index.isin(weights.index).all()):
            raise DataError(
                "the index of the weights is not that of the data", "give weights.to_numpy(), or align them"
            )
        weights = weights.reindex(data.index)
    column = as_table(weights).column(0)
    if len(column) != rows:
        raise DataError(f"{len(column):,} weights for {rows:,} rows", "every row has one")
    return column


def _histogram(data: Any) -> Column | None:
    """Data that say how often each count occurs; None for all others."""
    if isinstance(data, Histogram):
        return Column(_SOURCE, NAME, {}, data)
    if isinstance(data, Counter) or (isinstance(data, Mapping) and data and all(map(_is_number, data))):
        return _of_frequencies(NAME, list(data.keys()), list(data.values()))
    if _is_pandas(data) and type(data).__name__ == "Series" and data.name == _COUNT:
        return _of_value_counts(data)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _of_frequencies(name: str, counts: Any, frequencies: Any) -> Column:
    import pyarrow as pa

    if not len(counts):
        raise DataError("the histogram holds no count", "check what made it")
    try:
        table = pa.table({name: _column(counts), _FREQUENCY: _column(frequencies)})
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as error:
        raise DataError(f"cannot read it as a histogram: {error}", "give {count: how often it occurs}") from error
    (column,) = count_reader(FrameTable(table, _SOURCE), _SOURCE, [name], (), _FREQUENCY)
    return column


def _of_value_counts(series: Any) -> Column | None:
    """``Series.value_counts()`` as a histogram; None for a column that is only called "count".

    pandas calls both alike. Sorted by frequency, as value_counts leaves them, frequencies of 1 and more under an index
    of distinct counts are a histogram; in another order they may be either: that is said, and without a name of the
    index refused, for a wrong guess would go unseen.
    """
    import pandas as pd

    index = series.index
    if isinstance(index, pd.MultiIndex):
        if index.nlevels > 1:
            return None
        index = index.get_level_values(0)
    numbers = pd.to_numeric(pd.Series(index.astype(object)), errors="coerce")
    frequencies = pd.to_numeric(series, errors="coerce")
    known = index.notna()
    whole = bool((numbers[known] >= 0).all() and (numbers[known] % 1 == 0).all())
    if isinstance(index, pd.RangeIndex) or not (len(series) and whole and index.is_unique and (frequencies >= 1).all()):
        return None
    if not frequencies.is_monotonic_decreasing:
        problem = 'a Series "count" with an index of whole numbers may be a column or value_counts()'
        hint = "give series.to_numpy() for a column of counts, dict(series) for a histogram"
        if index.name is None:
            raise DataError(problem, hint)
        warnings.warn(f"{problem}: read as a histogram of {index.name!r}; {hint}", stacklevel=6)
    return _of_frequencies(str(index.name or NAME), numbers.to_numpy(dtype=np.float64), series.to_numpy())


def _rows(table: Any, name: str, group: Mapping[str, object]) -> Ints:
    """The counts of a column, of one group of it, in the order of the rows; -1 where one is missing."""
    counts = whole_numbers(table.column(name))
    found: Ints = np.where(is_null(counts), -1, as_numpy(counts)) if counts.null_count else as_numpy(counts)
    for label, value in group.items():
        own = np.array(as_numbers(plain(table.column(label))).to_pylist(), dtype=object)
        found = found[own == value] if value is not None else found[[each is None for each in own]]
    return found
