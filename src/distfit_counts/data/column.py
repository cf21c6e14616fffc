"""One thing to fit: a column of a source, or one group of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from distfit_counts.data.group_words import after_column
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DataError

Rows = Callable[[], npt.NDArray[np.int64]]
# The rows of a column, by its name, and of one of its groups.
RowsOf = Callable[[str, Mapping[str, object]], npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Column:
    """``source`` as the user named it, ``column``, ``group`` ({} or {"clinic": "A"}) and the counts.

    ``rows``: finds the counts in the order of the rows, -1 for missing, where the data are rows in memory.
    """

    source: str
    column: str
    group: Mapping[str, object] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=lambda: Histogram.of([]))
    rows: Rows | None = field(default=None, repr=False, compare=False)

    def require_values(self) -> None:
        """Raises DataError where every entry is missing."""
        if self.histogram.distinct == 0:
            raise DataError(f"{self.label} has no values", "every entry is missing; choose another column or group")

    @property
    def label(self) -> str:
        """``counts.csv, column "visits", clinic = A``: where the user finds it."""
        return f'{self.source}, column "{self.column}"{after_column(self.group)}'
