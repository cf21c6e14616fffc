"""Lazy frames (polars, DuckDB relations, Dask, PySpark, Ibis), counted where they are: only histograms travel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distfit_counts.data.choose import choose
from distfit_counts.data.column import Column
from distfit_counts.data.files import count_reader
from distfit_counts.data.frame_table import FrameTable
from distfit_counts.data.groups import joined
from distfit_counts.errors import DataError

# Whose frames may be lazy; narwhals, which tells, is not imported for any other data.
_LIBRARIES = ("polars", "duckdb", "_duckdb", "dask", "pyspark", "ibis", "sqlframe", "narwhals")
_TIMES = "distfit_counts_times"


def is_lazy(data: Any) -> bool:
    """Whether ``data`` is a frame of a library that computes when it is asked to."""
    if type(data).__module__.split(".")[0] not in _LIBRARIES:
        return False
    import narwhals as nw

    return isinstance(nw.from_native(data, pass_through=True), nw.LazyFrame)


def counted_where_it_is(
    data: Any, source: str, columns: Sequence[str], by: Sequence[str], weights: str | None
) -> Sequence[Column]:
    """The histograms of a lazy frame: its own engine groups and counts. Otherwise as ``files.read_source``.

    Raises DataError for what the engine cannot do, in its own words, and for values that are no counts.
    """
    import narwhals as nw

    frame = _lazy(data)
    few = FrameTable(_asked(frame.head(100)), source)
    by = list(dict.fromkeys(by))
    found = []
    for name in choose(few, columns, by, weights):
        asked = frame.select(list(dict.fromkeys([name, *by, *([weights] if weights is not None else [])])))
        times = nw.len() if weights is None else nw.col(weights).sum()
        if weights is not None:
            _check_weights(asked, weights, source)
        counted = _asked(asked.group_by(name, *by).agg(times.alias(_TIMES)))
        if not len(counted):
            raise DataError(f"{source} has no data rows", "check what made it")
        found.append(count_reader(FrameTable(counted, source), source, [name], by, _TIMES))
    return joined(found)


def collected(data: Any, wanted: Sequence[str] = ()) -> Any:
    """The rows of a lazy frame as a pyarrow Table: its columns ``wanted`` that it has, all of them where none is."""
    frame = _lazy(data)
    names = [name for name in frame.collect_schema().names() if name in wanted]
    return _asked(frame.select(names) if names else frame)


def column_names(data: Any) -> list[str]:
    """The columns of a lazy frame."""
    return list(_lazy(data).collect_schema().names())


def _lazy(data: Any) -> Any:
    import narwhals as nw

    return nw.from_native(data)


def _asked(frame: Any) -> Any:
    try:
        # Without the index that Dask adds.
        return frame.collect("pyarrow").to_native().select(frame.collect_schema().names())
    except DataError:
        raise
    except Exception as error:  # every engine has errors of its own
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(
            f"{type(frame.to_native()).__module__.split('.')[0]}: {said[0][:300]}", "mend the frame"
        ) from error


def _check_weights(frame: Any, weights: str, source: str) -> None:
    """Weights are judged one by one: in a sum, one that is missing or no whole number would not be seen."""
    import pyarrow as pa

    distinct = _asked(frame.select(weights).unique())
    table = distinct.append_column(_TIMES, pa.array([0] * len(distinct)))
    count_reader(FrameTable(table, source), source, [_TIMES], (), weights)
