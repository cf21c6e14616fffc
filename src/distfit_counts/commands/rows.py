"""The rows of a table with a regression's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from distfit_counts.data.frames import Kind
    from distfit_counts.report.progress import Watch


def read_rows(sources: Sequence[str], kinds: Mapping[str, Kind], watch: Watch) -> pd.DataFrame:
    """The columns ``kinds`` of all rows. Raises DataError."""
    from distfit_counts.data.frames import read_frame

    def progress(done: int, total: int | None) -> None:
        watch.show("reading", done, total, f"{done / 1e6:,.0f} MB")

    return read_frame(sources, kinds, progress)


@contextmanager
def placed_in(sources: Sequence[str], columns: Sequence[str]) -> Iterator[None]:
    """Says of a value that cannot be where it lies."""
    from distfit_counts.data.frames import placed
    from distfit_counts.data.source import RowError

    try:
        yield
    except RowError as bad:
        raise placed(sources, columns, bad) from None
