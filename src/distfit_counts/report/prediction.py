"""Predictions as CSV or Parquet, block after block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.output import whole_file
from distfit_counts.report.as_csv import csv_lines
from distfit_counts.report.as_json import dumps
from distfit_counts.report.emit import emit_lines

# Whole numbers, missing where a row could not be predicted.
_WHOLE = ("row", "quantile_")


def write_predictions(blocks: Iterable[dict[str, Array]], format: str, output: Path | None) -> None:
    """``format``: json (a line per row) or csv, also for ``table``, to stdout or a file; or parquet."""
    if format == "json":
        emit_lines((line for block in blocks for line in _json(block)), output)
        return
    if output is None or format != "parquet":
        emit_lines(csv_lines(map(_listed, blocks)), output)
        return
    import pyarrow.parquet as pq

    with whole_file(output) as file:
        writer: Any = None
        for block in blocks:
            table = _table(block)
            writer = writer or pq.ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _json(block: dict[str, Array]) -> Iterator[str]:
    listed = _listed(block)
    for values in zip(*listed.values(), strict=True):
        record = {name: None if value == "" else value for name, value in zip(listed, values, strict=True)}
        yield dumps(record) + "\n"


def _listed(block: dict[str, Array]) -> dict[str, list[Any]]:
    """Values with ``""`` for what is missing."""
    return {name: [_cell(name, x) for x in values.tolist()] for name, values in block.items()}


def _cell(name: str, value: float) -> Any:
    if value != value:
        return ""
    return int(value) if name.startswith(_WHOLE) else value


def _table(block: dict[str, Array]) -> Any:
    import pyarrow as pa

    def column(name: str, values: Array) -> Any:
        whole = name.startswith(_WHOLE)
        missing = np.isnan(values)
        filled = np.where(missing, 0.0, values) if whole else values
        return pa.array(filled.astype(np.int64) if whole else filled, mask=missing)

    return pa.table({name: column(name, values) for name, values in block.items()})
