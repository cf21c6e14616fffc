"""Tables as Parquet."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distfit_counts.data.groups import GroupColumns
from distfit_counts.inference.fitted.numbers import Place
from distfit_counts.output import whole_file
from distfit_counts.report.emit import unicode_text

if TYPE_CHECKING:
    import pyarrow as pa

_COMPONENTS = ("components_by_bic", "components_by_icl", "components_by_bootstrap_lrt")
_WHOLE = ("n", "n_missing", "n_parameters", "outside_support", "rank", *_COMPONENTS)
_TEXT = (
    "source", "column", "family", "parameter", "boundary", "status", "equivalent", "verdicts", "comparison_verdicts",
)  # fmt: skip


def write_parquet(portions: Iterable[dict[str, list[Any]]], places: Sequence[Place], output: Path) -> None:
    """A table, given in ``portions`` of columns: source, column, the groups of ``places``, then all the rest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = iter(portions)
    head = next(parts)
    kinds = {shown: _kind(_labels(places, name)) for name, shown in zip(places[0].group, list(head)[2:], strict=False)}
    mixed = [name for name, kind in kinds.items() if kind == pa.string()]
    schema = pa.schema([(name, kinds.get(name) or _type(name)) for name in head])
    with whole_file(output) as file, pq.ParquetWriter(file, schema) as writer:
        for columns in itertools.chain([head], parts):
            text = {name: [None if x is None else str(x) for x in columns[name]] for name in mixed}
            text |= {name: [unicode_text(x) for x in columns[name]] for name in ("source", "column")}
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
