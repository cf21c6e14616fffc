"""Spark as a test runs it: a process that reads through it, and a cluster of its own on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_servers import LOOPBACK, end_group, free_port, missing, require_packages, wait_for_port

# What a user's own spark-defaults.conf would hold.
DEFAULTS = {
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "4",
}
# Reads {key: arguments of read_table, in place of its limits the number of values}, writes {key: content, or problem
# and hint}.
READER = """
import json, sys
from engine_data import content
from distfit_counts.data.distinct import Limits
from distfit_counts.data.engines.reading import read_table
from distfit_counts.errors import DataError

def answers(calls):
    found = {}
    for key, arguments in calls.items():
        try:
            limits = [Limits(10**9, *arguments[6:], 10**9)] if arguments[6:] else []
            found[key] = content(read_table(*arguments[:6], *limits))
        except DataError as error:
            found[key] = {"problem": error.problem, "hint": error.hint}
    return found

"""
ONCE = "print(json.dumps(answers(json.load(sys.stdin))))\n"


def require_spark() -> None:
    require_packages("ibis", "pyspark", extra="spark")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        missing("no Java")


def environment(folder: Path, **defaults: str) -> dict[str, str]:
    """The environment of a user whose SPARK_CONF_DIR holds these settings; one that is empty is left out."""
    folder.mkdir(exist_ok=True)
    lines = {**DEFAULTS, "spark.sql.warehouse.dir": str(folder / "warehouse"), **defaults}
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in lines.items() if value))
    modules = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_IP": LOOPBACK, "PYTHONPATH": modules}


@contextlib.contextmanager
def command(sql: str, env: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The real command, which leads a process group, and that group no longer than the test."""
    code = "from distfit_counts.cli import main; main()"
    called = [sys.executable, "-c", code, "histogram", "--connect", "pyspark://", "--sql", sql]
    pipe = subprocess.PIPE
    child = subprocess.Popen(called, stdout=pipe, stderr=pipe, env=env, cwd=folder, text=True, start_new_session=True)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@contextlib.contextmanager
def reader(code: str, calls: object, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that runs ``code`` after READER, with ``calls`` on its stdin, and no longer than the test."""
    command = [sys.executable, "-c", READER + code]
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=env["SPARK_CONF_DIR"], text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert child.stdin is not None
        child.stdin.write(json.dumps(calls))
        child.stdin.close()
        child.stdin = None
        yield child
    finally:
        end_group(child)
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            stream.close()


def read(code: str, calls: object, env: dict[str, str]) -> tuple[dict[str, Any], str]:
    """What the process writes, and its stderr."""
    with reader(code, calls, env) as child:
        out, err = child.communicate(timeout=300)
    assert child.returncode == 0, err
    return json.loads(out), err


@dataclass(frozen=True)
class Worker:
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def finished(self) -> int:
        """How many tasks its executors have finished."""
        logs = self.folder.glob("app-*/*/stderr")
        return sum(log.read_text(errors="replace").count("Finished task") for log in logs)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[Worker]]]:
    """A standalone master and two workers with one core each: the master's HOST:PORT, and the workers."""
    import pyspark

    program = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    env = environment(folder) | {"SPARK_DAEMON_MEMORY": "256m", "SPARK_HOME": str(Path(pyspark.__file__).parent)}
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, *arguments: str) -> int:
        port, log = free_port(), folder / f"{len(started)}.log"
        at = ["--host", LOOPBACK, "--port", str(port), "--webui-port", str(free_port())]
        with log.open("wb") as out:
            command = [program, f"org.apache.spark.deploy.{kind}", *at, *arguments]
            started.append(subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True))
        wait_for_port(port, started[-1], log)
        return port

    try:
        master = f"{LOOPBACK}:{start('master.Master')}"
        workers = []
        for name in ("one", "two"):
            work = folder / name
            start("worker.Worker", "--cores", "1", "--memory", "600m", "--work-dir", str(work), f"spark://{master}")
            workers.append(Worker(started[-1], work))
        log = folder / "0.log"
        end = time.monotonic() + 60
        while log.read_text().count("Registering worker") < 2:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield master, workers
    finally:
        for process in started[::-1]:
            end_group(process)
