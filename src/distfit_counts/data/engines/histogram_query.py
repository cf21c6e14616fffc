"""What an engine is asked: GROUP BY group, value; and the schema by which columns are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distfit_counts.data.columnar import table_field
from distfit_counts.data.engines.engine import Engine
from distfit_counts.data.source import Field

_ROWS_TO_JUDGE = 1 << 14
VALUE, ROWS, N = "value", "rows", "n"


def histogram_query(table: Any, value: str, by: Sequence[str] = (), weights: str | None = None) -> Any:
    """One row for each group and value: the labels, VALUE, ROWS (how many) and N (the sum of their weights)."""
    keys = {f"by{i}": _label(table[name]) for i, name in enumerate(by)}
    counts = {ROWS: table.count()}
    if weights is not None:
        # Summed in float64, exactly: the weights are known to be whole and to add up to 2**53 at most. Sums of
        # integers are of a different type in every engine.
        counts[N] = table[weights].cast("float64").sum()
    grouped = table.group_by(**keys, **{VALUE: table[value]}).aggregate(**counts)
    if table[value].type().is_decimal():
        # As text: a NUMERIC of PostgreSQL has any number of digits, an Arrow decimal has not.
        grouped = grouped.mutate(**{VALUE: grouped[VALUE].cast("string")})
    return grouped


def _label(column: Any) -> Any:
    """A column to group by, as text where its type does not travel well."""
    kind = column.type()
    plain = kind.is_integer() or kind.is_floating() or kind.is_boolean() or kind.is_string()
    return column if plain or kind.is_date() or kind.is_timestamp() else column.cast("string")


def arrow_type(kind: Any) -> Any:
    """The Arrow type of an ibis type; None where there is none that the engine's answers have."""
    import pyarrow as pa

    try:
        found = kind.to_pyarrow()
    except (NotImplementedError, KeyError, TypeError, ValueError):
        return None
    # UUIDs and network addresses are text in ibis's Arrow, and objects of their own in the answers.
    text = pa.types.is_string(found) or pa.types.is_binary(found)
    return None if text and not kind.is_string() else found


def type_name(kind: Any) -> str:
    """An ibis type as people call it; one of the user's own, which ibis does not know, by its name."""
    return str(kind.raw_type) if kind.is_unknown() else str(kind)


class TableSchema:
    """What ``choose`` looks at: a Reader whose rows stay where they are."""

    def __init__(self, engine: Engine, table: Any, name: str) -> None:
        self.name = name
        self._engine = engine
        self._table = table
        self._types = dict(table.schema().items())
        self.names: list[str] = list(self._types)
        self._first_rows: Any = None

    def fields(self) -> list[Field]:
        import pyarrow as pa

        found = []
        for name, kind in self._types.items():
            arrow = arrow_type(kind)
            field = None if arrow is None else table_field(pa.field(name, arrow), self._first)
            found.append(field or Field(name, type_name(kind), False))
        return found

    def _first(self, name: str) -> Any:
        """Some rows of the columns that need a look: one query for all of them."""
        if self._first_rows is None:
            looked_at = {
                name: self._table[name].cast("string") if kind.is_decimal() else self._table[name]
                for name, kind in self._types.items()
                if kind.is_floating() or kind.is_decimal()
            }
            self._first_rows = self._engine.answer(self._table.select(**looked_at).limit(_ROWS_TO_JUDGE))
        return self._first_rows.select([name])

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Any:
        raise NotImplementedError("the rows of a table stay in its engine")
