"""A table or query of an engine -> histograms, with the meaning of ``files.read_source``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.choose import choose, require
from distfit_counts.data.column import Column
from distfit_counts.data.counting import Ints, Tally
from distfit_counts.data.dialect import DELIMITER_HINT
from distfit_counts.data.distinct import Limits, check_distinct
from distfit_counts.data.engines.address import Address, parse
from distfit_counts.data.engines.duck import DuckDB
from distfit_counts.data.engines.engine import Engine
from distfit_counts.data.engines.histogram_query import (
    ROWS,
    VALUE,
    N,
    TableSchema,
    arrow_type,
    histogram_query,
    type_name,
)
from distfit_counts.data.engines.postgres import Postgres
from distfit_counts.data.engines.spark import Spark
from distfit_counts.data.grouping import GroupTally
from distfit_counts.data.labels import plain
from distfit_counts.data.source import BadRow
from distfit_counts.data.valueless import Valueless, each_of
from distfit_counts.data.whole import LARGEST, NotNumbers, type_error, whole_numbers
from distfit_counts.errors import DataError

_ENGINES: dict[str, type[Engine]] = {"duckdb": DuckDB, "postgres": Postgres, "pyspark": Spark}
_QUERY_SHOWN = 60


def read_table(
    address: str,
    table: str | None,
    sql: str | None,
    columns: Sequence[str] = (),
    by: Sequence[str] = (),
    weights: str | None = None,
    limits: Limits | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Sequence[Column]:
    """Count the columns of one table, or of what one query gives; the engine groups, only histograms travel.

    ``address``: ``duckdb://FILE`` (read-only; no FILE: in memory), ``postgres://USER@HOST/DATABASE`` or ``pyspark://``
    (the user's own configuration; with HOST:PORT, a standalone master). ``columns``, ``by``, ``weights`` as in
    ``files.read_source``. ``Column.source`` is the address without its password, and the table or query. ``limits``:
    where to stop. ``waiting``: called ten times a second while the engine is at work.

    Raises DataError, and nothing else, for whatever is wrong; no password is in it, in its cause or in its context.
    """
    try:
        place = parse(address)
    finally:
        del address  # programs that show the local variables of a traceback would show its password
    if table is not None and sql is not None:
        raise DataError(f"{place.shown}: both --table and --sql are given", "give one of them")
    memory = None if limits is None else limits.memory
    with closing(_ENGINES[place.engine](place, memory, waiting)) as engine:
        engine.open()
        if table is not None:
            rows, source = engine.table(table), f'{place.shown}, table "{place.clean(table)}"'
        elif sql is not None:
            rows, source = engine.query(sql), f'{place.shown}, query "{_shown(place, sql)}"'
        else:
            raise DataError(f"{place.shown}: neither --table nor --sql is given", _offer(engine.tables()))
        return _Reading(engine, rows, source, limits).columns(columns, list(dict.fromkeys(by)), weights)


def _shown(place: Address, sql: str) -> str:
    text = " ".join(place.clean(sql).split())
    return text if len(text) <= _QUERY_SHOWN else text[: _QUERY_SHOWN - 1] + "…"


def _offer(tables: list[str]) -> str:
    return f"tables: {', '.join(tables)}" if tables else "write a query, --sql 'SELECT ...'"


class _Reading:
    """The tallies of one table."""

    def __init__(self, engine: Engine, rows: Any, source: str, limits: Limits | None) -> None:
        self._engine = engine
        self._rows = rows
        self._source = source
        self._most = None if limits is None else limits.values
        self._most_weights = None if limits is None else limits.weights

    def columns(self, asked: Sequence[str], by: list[str], weights: str | None) -> Sequence[Column]:
        schema = TableSchema(self._engine, self._rows, self._source)
        try:
            chosen = choose(schema, asked, by, weights)
        except DataError as error:
            # Its hint may be about the characters between the fields of a text file.
            error.hint = error.hint.replace(f"; {DELIMITER_HINT}", "").replace(DELIMITER_HINT, "cast a column in --sql")
            raise
        for name in [*chosen, *by, *([weights] if weights is not None else [])]:
            require(schema, name)
        total = None if weights is None else self._total(weights)
        return each_of(chosen, asked, lambda name: self._count(name, by, weights, total))

    def _total(self, weights: str) -> int:
        """The sum of the weights. Raises DataError unless all are whole numbers and their sum is exact in float64.

        They are counted and checked before the engine adds them up: a sum tells nothing of its parts.
        """
        if self._rows[weights].type().is_string():
            raise type_error(self._source, weights, NotNumbers("text", f'write CAST("{weights}" AS BIGINT) in --sql'))
        values, rows = self._values(weights, self._answer(self._most_weights, weights))
        if values.null_count:
            missing = int(rows[is_null(values)].sum())
            problem = f'{self._source}, column "{weights}": a missing weight ({_times(missing)})'
            raise DataError(problem, "give every row a weight; 0 leaves a row out")
        total: int = sum(value * n for value, n in zip(values.to_pylist(), rows.tolist(), strict=True))
        if total > LARGEST:
            problem = f'{self._source}, column "{weights}": the weights add up to more than 2**53'
            raise DataError(problem, "divide them by a common factor")
        return total

    def _count(self, name: str, by: list[str], weights: str | None, total: int | None) -> list[Column]:
        answer = self._answer(self._most, name, by, weights)
        values, rows = self._values(name, answer)
        n = rows if total is None else as_numpy(answer.column(N).chunk(0)).astype(np.int64)
        if total is not None and int(n.sum()) != total:
            raise DataError(f"{self._source} was changed while it was read", "read it again when nothing writes to it")
        absent = is_null(values)
        if not n[~absent].any():
            raise Valueless(self._source, name, int(n[absent].sum()), int(rows.sum()) if absent.all() else None)
        found = self._tallied(name, by, values, answer, n)
        distinct = sum(column.histogram.distinct for column in found)
        check_distinct(distinct, self._most, self._source, name, bool(by))
        return found

    def _tallied(self, name: str, by: list[str], values: Any, answer: Any, n: Ints) -> list[Column]:
        if not by:
            tally = Tally()
            tally.add(values, n)
            return [Column(self._source, name, {}, tally.histogram())]
        groups = GroupTally(by)
        groups.add(values, [plain(answer.column(f"by{i}")) for i in range(len(by))], n)
        return [Column(self._source, name, group, part) for group, part in groups.histograms()]

    def _answer(self, most: int | None, name: str, by: Sequence[str] = (), weights: str | None = None) -> Any:
        """The engine's answer, each column in one piece; DataError where it has more than ``most`` values."""
        self._check_type(name)
        query = histogram_query(self._rows, name, by, weights)
        # In each group a missing value may be a row of its own, and does not count as a value.
        rows = None if most is None else 2 * most + 1
        if rows is not None:
            query = query.limit(rows + 1)
        answer = self._engine.answer(query).combine_chunks()
        if rows is not None and answer.num_rows > rows:
            check_distinct(answer.num_rows, most, self._source, name, bool(by))
        if not answer.num_rows:
            raise DataError(f"{self._source} has no data rows", "check the filter, or what fills the table")
        return answer

    def _check_type(self, name: str) -> None:
        """Raises DataError for a type that no count has, before the engine counts in vain."""
        import pyarrow as pa

        kind = self._rows[name].type()
        arrow = arrow_type(kind)
        try:
            if arrow is None:
                raise NotNumbers(type_name(kind), "choose a column of whole numbers with --column")
            whole_numbers(pa.array([], arrow))
        except NotNumbers as bad:
            raise type_error(self._source, name, bad) from None

    def _values(self, name: str, answer: Any) -> tuple[Any, Ints]:
        """The values as int64 with nulls, and how many rows hold each."""
        try:
            return whole_numbers(answer.column(VALUE)), as_numpy(answer.column(ROWS).chunk(0))
        except BadRow:
            pass
        # Rows have no order here: of several bad values, the first in sorted order is named.
        answer = answer.select([VALUE, ROWS]).group_by(VALUE).aggregate([(ROWS, "sum")]).sort_by(VALUE)
        try:
            whole_numbers(answer.column(VALUE))
        except BadRow as bad:
            held = _times(answer.column(f"{ROWS}_sum")[bad.index].as_py())
            raise DataError(f'{self._source}, column "{name}": {bad.problem} ({held})', bad.hint) from None
        raise AssertionError("sorting does not mend a value")


def _times(rows: int) -> str:
    return f"in {rows:,} row{'s' if rows != 1 else ''}"
