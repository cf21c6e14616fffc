"""Spark, through a session of the user's own configuration; tables, Parquet and Delta paths."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

from distfit_counts.data.engines.engine import PATIENCE, Engine
from distfit_counts.data.engines.spark_session import OwnSession, reach

# Java begins in two or three seconds, and can only then be ended. Left alone, it ends when it sees that we have.
_STARTING = 3.0


class Spark(Engine):
    dialect = "spark"
    extra = "spark"
    folds_names = True

    def open(self) -> None:
        self._own = OwnSession(self._address.target)
        # A session is active in a thread: asked for in the engine's own, it would not be found.
        self._found = _active_session() if sys.modules.get("pyspark") else None
        super().open()

    def _connect(self) -> Any:
        if self._address.target:
            reach(self._address.target)
        import ibis
        from pyspark.logger import PySparkLogger

        # pyspark logs each failed query, with the query, as JSON on stderr.
        PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        return ibis.pyspark.connect(self._found or self._own.begin())

    def _cancel(self) -> float:
        if self._found is None:
            return PATIENCE if self._own.cancel() else _STARTING
        self._found.interruptAll()
        return PATIENCE

    def _disconnect(self) -> None:
        """Ends the session, unless it was there before: its memory and cores are free while the fit runs."""
        self._own.end()

    def _parts(self, name: str) -> list[str]:
        return [name] if _is_path(name) else super()._parts(name)

    def _find(self, parts: Sequence[str]) -> Any:
        import sqlglot
        from pyspark.errors import AnalysisException

        if len(parts) == 1 and _is_path(parts[0]):
            return self._files(parts[0])
        *schema, name = parts
        catalog, db = [None, None, *schema][-2:]
        # ibis's own table() hands the name to Spark unquoted.
        table = sqlglot.table(name, db=db, catalog=catalog, quoted=True)
        try:
            return self._con.sql(sqlglot.select("*").from_(table).sql(dialect=self.dialect))
        except AnalysisException as error:
            if "NOT_FOUND" in (error.getCondition() or ""):
                return None
            raise

    def _files(self, path: str) -> Any:
        from pyspark.errors import AnalysisException

        try:
            # Read as plain Parquet, a Delta table would count rows that were deleted long ago.
            _ = self._con._session.read.text(f"{path.rstrip('/')}/_delta_log").schema
        except AnalysisException:
            return self._con.read_parquet(path)
        return self._con.read_delta(path)

    def _query(self, sql: str) -> Any:
        self._check_names(self._con.raw_sql(sql).columns)
        return self._con.sql(sql)

    def _fetch(self, expression: Any) -> Any:
        # Not ibis's own to_pyarrow: it goes through pandas, where whole numbers with gaps become float64.
        return self._con.raw_sql(self._con.compile(expression)).toArrow()


def _active_session() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith(".parquet")
