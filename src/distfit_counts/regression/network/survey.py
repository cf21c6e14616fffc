"""A few rows that stand for all: what formulas take their levels, knots and bounds from when the data are a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.errors import DataError
from distfit_counts.regression.network.block import BLOCK_ROWS
from distfit_counts.regression.network.row_groups import RowGroup, frames
from distfit_counts.regression.network.split import chosen

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE = 2**16
# Levels of a categorical column beyond which a row for each makes no sense.
_LEVELS = 1000
# The sample is the same whatever seed the training has.
_SEED = 0


@dataclass(frozen=True, eq=False)
class Survey:
    """``sample``: 65,536 random rows at most, the first row of every level, and the rows where a column is least and
    greatest. ``n_missing``: rows in which a value is missing.
    """

    sample: pd.DataFrame
    n_missing: int


def survey(groups: Sequence[RowGroup], columns: Sequence[str]) -> Survey:
    """Goes through ``columns`` once. Raises DataError for a text column of more than 1,000 levels."""
    import pandas as pd

    share = _SAMPLE / max(sum(group.rows for group in groups), 1)
    seen = {name: _Column(name) for name in columns}
    kept: dict[int, pd.DataFrame] = {}
    missing = 0
    for group in groups:
        for whole, numbers in frames(group, columns, BLOCK_ROWS):
            complete = whole.notna().all(axis=1).to_numpy()
            missing += int((~complete).sum())
            frame, rows = whole.loc[complete].set_axis(numbers[complete]), numbers[complete]
            if not len(frame):
                continue
            wanted = set(rows[chosen(rows, _SEED, share)])
            for column in seen.values():
                wanted.update(column.remarkable(frame[column.name]))
            found = frame.loc[sorted(wanted)]
            kept[int(rows[0])] = found
    if not kept:
        raise DataError("no row without a missing value", f"check the columns {', '.join(columns)}")
    return Survey(pd.concat(kept.values()), missing)


@dataclass
class _Column:
    name: str
    levels: set[object] | None = field(default_factory=set)
    low: float = np.inf
    high: float = -np.inf

    def remarkable(self, column: pd.Series) -> Iterator[int]:
        """Labels of the rows with a level not seen before, or a number beyond all before."""
        import pandas as pd

        numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if self.levels is not None:
            first = column.drop_duplicates()
            new = [(label, level) for label, level in first.items() if level not in self.levels]
            self.levels.update(level for _, level in new)
            if len(self.levels) <= _LEVELS:
                yield from (int(label) for label, _ in new)  # type: ignore[call-overload]
            elif not numeric:
                raise DataError(f'column "{self.name}" has more than {_LEVELS:,} levels', "group them first")
            else:
                self.levels = None
        if numeric:
            values = column.to_numpy(dtype=np.float64)
            if values.min() < self.low:
                self.low = float(values.min())
                yield int(column.index[int(values.argmin())])
            if values.max() > self.high:
                self.high = float(values.max())
                yield int(column.index[int(values.argmax())])
