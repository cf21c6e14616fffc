"""Predictions as CSV or Parquet, block after block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.output import whole_file
from distfit_counts.report.as_csv import csv_lines
from distfit_counts.report.as_json import dumps
from distfit_counts.report.emit import emit_lines, unicode_text

Block = Mapping[str, Array | str]


def write_predictions(blocks: Iterable[Block], format: str, output: Path | None, whole: Collection[str]) -> None:
    """``format``: json (a line per row) or csv, also for ``table``, to stdout or a file; or parquet.

    A block has columns [N], and text that is the same in all of its rows. ``whole``: columns of whole numbers.
    """
    if format == "json":
        emit_lines((line for block in blocks for line in _json(_listed(block, whole))), output)
        return
    if output is None or format != "parquet":
        emit_lines(csv_lines(_listed(block, whole) for block in blocks), output)
        return
    import pyarrow.parquet as pq

    with whole_file(output) as file:
        writer: Any = None
        for block in blocks:
            table = _table(block, whole)
            writer = writer or pq.ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _json(listed: dict[str, list[Any]]) -> Iterator[str]:
    for values in zip(*listed.values(), strict=True):
        record = {name: None if value == "" else value for name, value in zip(listed, values, strict=True)}
        yield dumps(record) + "\n"


def _rows(block: Block) -> int:
    return next(len(values) for values in block.values() if not isinstance(values, str))


def _listed(block: Block, whole: Collection[str]) -> dict[str, list[Any]]:
    """Values with ``""`` for what is missing."""
    n = _rows(block)
    return {
        name: [values] * n if isinstance(values, str) else [_cell(x, name in whole) for x in values.tolist()]
        for name, values in block.items()
    }


def _cell(value: float, whole: bool) -> Any:
    if value != value:
        return ""
    return int(value) if whole else value


def _table(block: Block, whole: Collection[str]) -> Any:
    import pyarrow as pa

    n = _rows(block)

    def column(name: str, values: Array | str) -> Any:
        if isinstance(values, str):
            return pa.array([unicode_text(values)] * n)
        missing = np.isnan(values)
        filled = np.where(missing, 0.0, values) if name in whole else values
        return pa.array(filled.astype(np.int64) if name in whole else filled, mask=missing)

    return pa.table({name: column(name, values) for name, values in block.items()})
