"""A table of a few columns as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distfit_counts.output import whole_file
from distfit_counts.report.as_csv import csv_lines
from distfit_counts.report.emit import emit_lines, unicode_text


def write_columns(columns: dict[str, list[Any]], format: str, output: Path | None) -> None:
    """``format``: csv, or parquet, where whole numbers and text keep their types and all else is float64."""
    if format == "csv":
        emit_lines(csv_lines([columns]), output)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert output is not None
    arrays = {
        name: pa.array([unicode_text(x) if isinstance(x, str) else x for x in own]) for name, own in columns.items()
    }
    # Of a column without any number pyarrow knows no type.
    arrays = {name: own.cast(pa.float64()) if pa.types.is_null(own.type) else own for name, own in arrays.items()}
    with whole_file(output) as file:
        pq.write_table(pa.table(arrays), file)
