"""Spark, through a session of the user's own configuration; tables, Parquet and Delta paths."""

from __future__ import annotations

import logging
import os
import re
import socket
import tempfile
from collections.abc import Sequence
from typing import Any

from distfit_counts.data.engines.engine import Engine
from distfit_counts.errors import DataError

_MASTER_PORT = 7077
_CONNECT_SECONDS = 10
# Spark's progress bar and its log would be written over ours.
_QUIET = {"spark.app.name": "distfit", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


class Spark(Engine):
    dialect = "spark"
    extra = "spark"

    def _connect(self) -> Any:
        if self._address.target:
            _reach(self._address.target)
        import ibis
        from pyspark.logger import PySparkLogger
        from pyspark.sql import SparkSession

        # pyspark logs each failed query, with the query, as JSON on stderr.
        PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        session = SparkSession.getActiveSession()
        self._own = session is None
        if session is None:
            session = _new_session(self._address.target)
        return ibis.pyspark.connect(session)

    def close(self) -> None:
        """Ends the session, unless it was there before: its memory and cores are free while the fit runs."""
        if self._own:
            super().close()

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

    def _fetch(self, expression: Any) -> Any:
        # Not ibis's own to_pyarrow: it goes through pandas, where whole numbers with gaps become float64.
        return self._con.raw_sql(self._con.compile(expression)).toArrow()


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith(".parquet")


def _new_session(master: str) -> Any:
    """A session from spark-defaults.conf, SPARK_REMOTE, ...; ``master``: host:port, or "" for the one named there."""
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    if "SPARK_REMOTE" in os.environ or "SPARK_CONNECT_MODE_ENABLED" in os.environ:
        return SparkSession.builder.getOrCreate()
    conf = SparkConf().setAll(list(_QUIET.items()))
    if master:
        conf.setMaster(f"spark://{','.join(_with_port(place) for place in master.split(','))}")
    if SparkContext._active_spark_context is None:
        SparkContext(conf=conf, gateway=_gateway(conf)).setLogLevel("ERROR")
    return SparkSession.builder.getOrCreate()


def _gateway(conf: Any) -> Any:
    """A Java process whose stderr is kept for the case that it does not start."""
    from pyspark import SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is not None:
        return SparkContext._gateway
    with tempfile.TemporaryFile() as log:
        try:
            return launch_gateway(conf, {"stderr": log})
        except PySparkRuntimeError as error:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            last = f" ({lines[-1].strip()})" if lines else ""
            raise RuntimeError(f"{error}{last}") from None


def _reach(masters: str) -> None:
    """Raises DataError where no master listens; Spark itself would try for a minute and then stop in mid-sentence."""
    for place in masters.split(","):
        host, _, port = _with_port(place).partition(":")
        try:
            socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
            return
        except OSError:
            continue
    raise DataError(f"pyspark://{masters}: no Spark master listens there", "check host and port, and that it runs")


def _with_port(place: str) -> str:
    return place if re.search(r":\d+$", place) else f"{place}:{_MASTER_PORT}"
