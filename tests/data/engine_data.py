"""One table that every engine holds, and what is read of it."""

from __future__ import annotations

import datetime
import decimal
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ODD = 'o"d d`n;--'
N = 600


def table() -> pa.Table:
    clinics = ["Bern", "Zürich", 'say "hi"', "a'b; DROP TABLE visits", None]
    rows = range(N)
    return pa.table(
        {
            "clinic": [clinics[i % 5] for i in rows],
            "year": pa.array([2020 + i % 3 for i in rows], pa.int16()),
            "ward": pa.array([str(i % 4) for i in rows]),
            "day": pa.array([datetime.date(2024, 1, 1 + i % 2) for i in rows]),
            "open": [i % 7 == 0 for i in rows],
            "visits": pa.array([None if i % 11 == 0 else i * i % 13 for i in rows], pa.int32()),
            "large": pa.array([None if i % 13 == 0 else [2**53, 2**53 - 1, 1 << 20, 0][i % 4] for i in rows]),
            "as_float": pa.array([[math.nan, None, 3.0, 2.0**53, 0.0][i % 5] for i in rows], pa.float64()),
            "as_decimal": pa.array(
                [None if i % 9 == 0 else decimal.Decimal(i % 4) for i in rows], pa.decimal128(20, 3)
            ),
            "as_text": pa.array([["7", " 7 ", "7.0", "NA", "1e2"][i % 5] for i in rows]),
            "times": pa.array([i % 6 for i in rows], pa.int64()),
            "times_float": pa.array([float(i % 6) for i in rows]),
            "fraction": pa.array([0.5 if i % 3 else 1.0 for i in rows]),
            "negative": pa.array([-2 if i % 100 == 7 else -1 if i % 100 == 8 else i % 5 for i in rows], pa.int64()),
            ODD: pa.array([i % 5 for i in rows], pa.int64()),
        }
    )


def write(path: Path) -> str:
    pq.write_table(table(), path, row_group_size=100)
    return str(path)


# What read_source(path, *case) and read_table(address, "visits", None, *case) must agree on, to the bit.
CASES: dict[str, tuple[Any, ...]] = {
    "one column": (["visits"],),
    "groups of text": (["visits"], ["clinic"]),
    "groups of several": (["visits"], ["year", "clinic", "ward"]),
    "groups of other types": (["visits"], ["day", "open"]),
    "groups of numbers stored as decimals and floats": (["visits"], ["as_float"]),
    "several columns": (["visits", "large", "as_*"], ["clinic"]),
    "weights": (["visits"], [], "times"),
    "weights stored as floats": (["large"], ["clinic"], "times_float"),
    "a group without weight": (["visits"], ["times"], "times"),
    "odd name": ([ODD], ["clinic"]),
    "group by an odd name": (["visits"], [ODD]),
}


def content(columns: Any) -> list[Any]:
    """All that a Column holds but its source, as JSON can carry it."""
    return [
        [
            column.column,
            {name: [type(label).__name__, str(label)] for name, label in column.group.items()},
            str(column.histogram.values.dtype),
            column.histogram.values.tolist(),
            str(column.histogram.weights.dtype),
            column.histogram.weights.tolist(),
            column.histogram.n_missing,
        ]
        for column in columns
    ]
