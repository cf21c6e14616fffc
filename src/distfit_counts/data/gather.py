"""Short pieces of a table into longer batches: what a batch costs for each column would cost more than its counting."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from distfit_counts.data.source import Batch

# Rows of a piece that is long enough; and entries (128 MB) that are gathered at most, where the columns are many.
_ROWS, _ENTRIES = 1 << 10, 1 << 24
# From the index of a row within a piece to its line.
Line = Callable[[int], int]
Piece = tuple[Any, Line | None]


def gathered(source: str, pieces: Iterable[Piece], names: Sequence[str], thousands: bool = False) -> Iterator[Batch]:
    """Batches of Arrow tables and record batches; ``names``: of their columns, in that order. ``thousands``: see Batch.

    Long pieces stay as they are, and nothing is copied. 20,000 columns come in pieces of a dozen rows.
    """
    row = 0
    for table, line in _longer(pieces):
        yield Batch(source, dict(zip(names, table.columns, strict=True)), table.num_rows, row, line, thousands)
        row += table.num_rows


def _longer(pieces: Iterable[Piece]) -> Iterator[Piece]:
    waiting: list[Piece] = []
    rows = 0
    for table, line in pieces:
        enough = min(_ROWS, _ENTRIES // max(table.num_columns, 1))
        if waiting and (table.num_rows >= enough or table.schema != waiting[0][0].schema):
            yield _joined(waiting)
            waiting, rows = [], 0
        if table.num_rows >= enough:
            yield table, line
            continue
        waiting.append((table, line))
        rows += table.num_rows
        if rows >= enough:
            yield _joined(waiting)
            waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(pieces: list[Piece]) -> Piece:
    import pyarrow as pa

    if len(pieces) == 1:
        return pieces[0]
    tables = [table if isinstance(table, pa.Table) else pa.Table.from_batches([table]) for table, _ in pieces]
    lines = [line for _, line in pieces if line is not None]
    return pa.concat_tables(tables), _Lines([table.num_rows for table in tables], lines) if lines else None


class _Lines:
    """The lines of pieces that follow each other."""

    def __init__(self, rows: list[int], lines: list[Line]) -> None:
        self._starts = [0, *accumulate(rows)][:-1]
        self._lines = lines

    def __call__(self, index: int) -> int:
        at = bisect_right(self._starts, index) - 1
        return self._lines[at](index - self._starts[at])
