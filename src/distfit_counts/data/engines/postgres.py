"""PostgreSQL, through psycopg: one read-only transaction, so that all columns are counted in the same state."""

from __future__ import annotations

import os
from typing import Any

from distfit_counts.data.engines.engine import Engine

_CONNECT_SECONDS = "10"


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

    def close(self) -> None:
        self.ask(self._con.con.close)

    def _query(self, sql: str) -> Any:
        # ibis would create a view to learn the types, which a replica or a read-only user may not.
        columns = self._con.raw_sql(f"SELECT * FROM ({sql}\n) AS query LIMIT 0").description
        kind = self._con.compiler.type_mapper
        types = {column.name: kind.from_string(self._type_name(column.type_code)) for column in columns}
        return self._con.sql(sql, schema=types)

    def _type_name(self, oid: int) -> str:
        (name,) = self._con.raw_sql("SELECT pg_catalog.format_type(%s, NULL)", params=[oid]).fetchone()
        return str(name)

    def _fetch(self, expression: Any) -> Any:
        import pyarrow as pa

        # Not ibis's own batches: they come from a cursor, for which PostgreSQL uses no parallel workers.
        rows = self._con.raw_sql(self._con.compile(expression)).fetchall()
        schema = expression.schema()
        array = pa.array(rows, type=schema.as_struct().to_pyarrow())
        return pa.Table.from_batches([pa.RecordBatch.from_struct_array(array)])
