"""The row groups of Parquet files, and their rows as pandas frames with a bounded part of a file in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.data.columnar import open_parquet
from distfit_counts.data.covariates import frame_of
from distfit_counts.errors import DataError
from distfit_counts.regression.checked import Ints

if TYPE_CHECKING:
    import pandas as pd

# Bytes of a column that are read at a time: without it a whole row group is.
_BUFFER = 2**20
# Rows in which levels are looked for at a time, and levels that are enough to see that there are too many.
_LEVEL_ROWS, _LEVELS = 2**18, 1_000


@dataclass(frozen=True)
class RowGroup:
    """``first``: the number of its first row, counted through all files."""

    path: Path
    index: int
    first: int
    rows: int
    columns: tuple[str, ...]


def row_groups(paths: Sequence[Path]) -> tuple[RowGroup, ...]:
    """Raises DataError for what is no Parquet file."""
    import pyarrow as pa

    found: list[RowGroup] = []
    first = 0
    for path in paths:
        try:
            with open_parquet(path) as file:
                meta, columns = file.metadata, tuple(file.schema_arrow.names)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"cannot read {path}: {error}", "name Parquet files") from None
        for index in range(meta.num_row_groups):
            rows = meta.row_group(index).num_rows
            found.append(RowGroup(path, index, first, rows, columns))
            first += rows
    return tuple(found)


def frames(group: RowGroup, columns: Sequence[str], size: int) -> Iterator[tuple[pd.DataFrame, Ints]]:
    """``size`` rows at a time, with their numbers."""
    import pandas as pd
    import pyarrow as pa

    first = group.first
    try:
        with open_parquet(group.path, _BUFFER) as file:
            for batch in file.iter_batches(size, row_groups=[group.index], columns=list(columns), use_threads=False):
                frame = frame_of(pa.Table.from_batches([batch]), whole=False)
                for name, kind in frame.dtypes.items():
                    # The dictionary of one row group has not the levels of the next.
                    if isinstance(kind, pd.CategoricalDtype):
                        frame[name] = frame[name].astype(kind.categories.dtype)
                yield frame, np.arange(first, first + len(frame))
                first += len(frame)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {group.path}: {error}", "is the file whole?") from None


def distinct(paths: Sequence[Path], column: str) -> pd.Series:
    """The distinct values of a column of levels, in any order; beyond 1,000 there may be more. Raises DataError."""
    import pandas as pd

    found: list[object] = []
    for group in row_groups(paths):
        if column not in group.columns:
            raise DataError(
                f'no column "{column}" in {group.path}', f"the columns are: {', '.join(group.columns[:20])}"
            )
        for frame, _ in frames(group, [column], _LEVEL_ROWS):
            found = list(dict.fromkeys([*found, *frame[column].dropna().unique()]))
            if len(found) > _LEVELS:
                return pd.Series(found, name=column)
    return pd.Series(found, name=column)
