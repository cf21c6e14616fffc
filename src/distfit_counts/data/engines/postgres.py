"""PostgreSQL, through psycopg: one read-only transaction, so that all columns are counted in the same state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from distfit_counts.data.engines.engine import PATIENCE, Engine

_CONNECT_SECONDS = "10"
# Rows that become Arrow at a time: as Python's tuples they take ten times the memory.
_ROWS = 1 << 16


class Postgres(Engine):
    dialect = "postgres"

    def _connect(self) -> Any:
        import ibis
        import psycopg

        settings = dict(self._address.settings)
        if "PGCONNECT_TIMEOUT" not in os.environ:
            settings.setdefault("connect_timeout", _CONNECT_SECONDS)
        # Not ibis.postgres.connect: it keeps the password in an object of its own.
        connection = psycopg.connect(**settings)
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return ibis.postgres.from_connection(connection)

    def _cancel(self) -> float:
        if self._con is None:  # a server that does not answer cannot be told to stop
            return 0.0
        self._con.con.cancel_safe()
        return PATIENCE

    def _disconnect(self) -> None:
        if self._con is not None:
            self._con.con.close()

    def _find(self, parts: Sequence[str]) -> Any:
        import sqlglot

        if super()._find(parts) is None:
            return None
        *schema, name = parts
        catalog, db = [None, None, *schema][-2:]
        # As a query, which is answered in the types below a DOMAIN; ibis's own table knows only the domain's name.
        return self._query(sqlglot.select("*").from_(sqlglot.table(name, db, catalog, quoted=True)).sql(self.dialect))

    def _query(self, sql: str) -> Any:
        # ibis would create a view to learn the types, which a replica or a read-only user may not.
        columns = self._con.raw_sql(f"SELECT * FROM ({sql}\n) AS query LIMIT 0").description
        self._check_names([column.name for column in columns])
        kind = self._con.compiler.type_mapper
        types = {column.name: kind.from_string(self._type_name(column.type_code)) for column in columns}
        return self._con.sql(sql, schema=types)

    def _type_name(self, oid: int) -> str:
        (name,) = self._con.raw_sql("SELECT pg_catalog.format_type(%s, NULL)", params=[oid]).fetchone()
        return str(name)

    def _fetch(self, expression: Any) -> Any:
        import pyarrow as pa

        kind = expression.schema().as_struct().to_pyarrow()
        # Not ibis's own batches: they come from a cursor, for which PostgreSQL uses no parallel workers.
        cursor = self._con.raw_sql(self._con.compile(expression))
        found = []
        while rows := cursor.fetchmany(_ROWS):
            found.append(pa.RecordBatch.from_struct_array(pa.array(rows, type=kind)))
        return pa.Table.from_batches(found, pa.schema(kind))
