"""The rows of a frame in memory, a lazy frame or a file, as pandas has them: for formulas and predictions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distfit_counts.data.covariates import frame_of
from distfit_counts.data.frames import Kind, column_names, read_frame
from distfit_counts.data.lazy_frames import column_names as lazy_names
from distfit_counts.data.lazy_frames import is_lazy
from distfit_counts.data.memory import as_table
from distfit_counts.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def columns_of(data: Any) -> list[str]:
    """The names of the columns of ``data``, for the dot of a formula."""
    if isinstance(data, str | os.PathLike):
        return column_names([os.fspath(data)])
    return lazy_names(data) if is_lazy(data) else list(as_table(data).column_names)


def rows_of(data: Any, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """The columns ``kinds`` of all rows of ``data``, in their order. Raises DataError for a column that it lacks."""
    if isinstance(data, str | os.PathLike):
        return read_frame([os.fspath(data)], kinds)
    table = as_table(data, list(kinds))
    for name in kinds:
        if name not in table.column_names:
            raise DataError(f'no column "{name}" in the data', f"the columns are: {', '.join(table.column_names)}")
    return frame_of(table.select(list(kinds)))
