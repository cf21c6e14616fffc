"""The table of fits as Parquet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distfit_counts.data.groups import GroupColumns
from distfit_counts.inference.fitted.numbers import Numbers, Place
from distfit_counts.output import whole_file
from distfit_counts.report.result_table import group_columns, portions

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".parquet"
_WHOLE = ("n", "n_missing", "n_parameters")
_TEXT = ("source", "column", "family", "parameter", "boundary", "status", "verdicts")


def write_parquet(runs: Sequence[Numbers], output: Path) -> None:
    """The table of all ``runs`` as one file, portion by portion."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        shown: _kind([label for numbers in runs for label in _labels(numbers.places, name)])
        for name, shown in group_columns(runs).items()
    }
    mixed = [name for name, kind in kinds.items() if kind == pa.string()]
    parts = portions(runs)
    head = next(parts)
    schema = pa.schema([(name, kinds.get(name) or _type(name)) for name in head])
    with whole_file(output) as file, pq.ParquetWriter(file, schema) as writer:
        for columns in itertools.chain([head], parts):
            text = {name: [None if x is None else str(x) for x in columns[name]] for name in mixed}
            writer.write_table(pa.table(columns | text, schema=schema))


def _labels(places: Sequence[Place], name: str) -> list[Any]:
    """Of a million groups without making each."""
    return places.labels(name) if isinstance(places, GroupColumns) else [place.group.get(name) for place in places]


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name in _TEXT:
        return pa.string()
    if name in _WHOLE:
        return pa.int64()
    return pa.bool_() if name == "converged" else pa.float64()


def _kind(values: list[Any]) -> pa.DataType:
    """The type that all values of a group have; text where they have several."""
    import pyarrow as pa

    try:
        kind = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()
    return pa.string() if pa.types.is_null(kind) else kind
