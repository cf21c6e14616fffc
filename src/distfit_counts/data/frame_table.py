"""A pyarrow Table as a source of counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from distfit_counts.data.columnar import FEW, table_field
from distfit_counts.data.source import Batch, Field


class FrameTable:
    """Reader of a pyarrow Table."""

    def __init__(self, table: Any, name: str) -> None:
        self.name = name
        self._table = table
        self.names: list[str] = table.column_names

    def fields(self) -> list[Field]:
        """The columns, and which of them hold whole numbers."""
        schema = self._table.schema
        return [table_field(field, lambda _name: self._table, len(schema) <= FEW) for field in schema]

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        """The columns named, in the pieces that the table has."""
        row = 0
        for batch in self._table.select(list(dict.fromkeys([*counts, *labels]))).to_batches():
            yield Batch(self.name, {name: batch.column(name) for name in batch.schema.names}, batch.num_rows, row)
            row += batch.num_rows
