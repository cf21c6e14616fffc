"""A Spark session of our own: begun from the user's configuration, ended with the reading or by Ctrl-C."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from contextlib import nullcontext, suppress
from typing import Any

from distfit_counts.errors import DataError

_MASTER_PORT = 7077
_CONNECT_SECONDS = 10
# Spark's progress bar and its log would be written over ours.
_QUIET = {"spark.app.name": "distfit", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
_WAREHOUSE = "spark.sql.warehouse.dir"


class OwnSession:
    """``master``: host:port, or "" for the one that the user's configuration names. ``cancel`` may come at any moment,
    from another thread.
    """

    def __init__(self, master: str) -> None:
        self._master = master
        self._session: Any = None
        self._java: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._cancelled = False

    def begin(self) -> Any:
        """A session from spark-defaults.conf, SPARK_REMOTE, ..."""
        try:
            self._session = self._begun()
        except Exception as error:
            # So it ends after a minute in which whatever listens at that port has not answered as a master does.
            if not (self._master and "stopped SparkContext" in str(error)):
                raise
        if self._session is None:
            raise _no_master(self._master)
        if self._cancelled:
            self._session.stop()
        return self._session

    def _begun(self) -> Any:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        remote = "SPARK_REMOTE" in os.environ or "SPARK_CONNECT_MODE_ENABLED" in os.environ
        if not remote and SparkContext._active_spark_context is None:
            self._begin_context()
        return SparkSession.builder.getOrCreate()

    def _begin_context(self) -> None:
        from pyspark import SparkConf, SparkContext

        conf = SparkConf().setAll(list(_QUIET.items()))
        if self._master:
            conf.setMaster(f"spark://{','.join(_with_port(place) for place in self._master.split(','))}")
        gateway = SparkContext._gateway or self._started(conf)
        whole = SparkConf(_jvm=gateway.jvm)
        if not whole.contains(_WAREHOUSE) and whole.get("spark.sql.catalogImplementation", "in-memory") != "hive":
            # Spark makes it for tables to come, in the working directory.
            self._folder = tempfile.TemporaryDirectory(prefix="distfit-")
            conf.set(_WAREHOUSE, self._folder.name)
        SparkContext(conf=conf, gateway=gateway).setLogLevel("ERROR")

    def _started(self, conf: Any) -> Any:
        """A Java process, whose output is kept for the case that it does not start."""
        from pyspark.errors import PySparkRuntimeError
        from pyspark.java_gateway import launch_gateway

        with tempfile.TemporaryFile() as log:
            try:
                gateway = launch_gateway(conf, {"stdout": log, "stderr": log})
            except PySparkRuntimeError as error:
                log.seek(0)
                lines = log.read().decode(errors="replace").strip().splitlines()
                last = f" ({lines[-1].strip()})" if lines else ""
                raise RuntimeError(f"{error}{last}") from None
        self._java = gateway.proc
        if self._cancelled:
            self._kill()
        return gateway

    def cancel(self) -> bool:
        """End the session, and what runs in it; while there is none, the Java process. False: that has yet to begin."""
        self._cancelled = True
        if self._session is not None:
            self._session.stop()
        elif self._java is not None:
            self._kill()
        return self._session is not None or self._java is not None

    def _kill(self) -> None:
        from pyspark import SparkContext

        self._java.kill()
        self._java.wait()
        # Else pyspark would look for it the next time.
        SparkContext._gateway = SparkContext._jvm = None

    def end(self) -> None:
        if self._session is not None:
            with suppress(Exception) if self._cancelled else nullcontext():
                self._session.stop()
        if self._folder is not None:
            self._folder.cleanup()


def reach(masters: str) -> None:
    """Raises DataError where no master listens; Spark itself would try for a minute and then stop in mid-sentence."""
    for place in masters.split(","):
        host, _, port = _with_port(place).partition(":")
        try:
            socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
            return
        except OSError:
            continue
    raise _no_master(masters)


def _no_master(masters: str) -> DataError:
    return DataError(f"pyspark://{masters}: no Spark master answers there", "check host and port, and that it runs")


def _with_port(place: str) -> str:
    return place if re.search(r":\d+$", place) else f"{place}:{_MASTER_PORT}"
