"""Spark, for real: in local mode and as a cluster, one worker of which is killed in mid-query."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_data import CASES, content, write
from engine_servers import end_group
from spark_servers import ONCE, Worker, cluster, command, environment, read, reader, require_spark

from distfit_counts.data.files import read_source

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture(scope="module")
def spark() -> None:
    require_spark()


# Rows that cost something, in many tasks: long enough for a worker to die, or Ctrl-C to come, in the middle of them.
ROWS, TASKS = 2_000_000, 24
SLOW = (
    "SELECT pmod(id, 7) + CASE WHEN sha2(repeat(CAST(id AS STRING), 200), 512) = 'x' THEN 1 ELSE 0 END AS y "
    f"FROM range(0, {ROWS}, 1, {TASKS})"
)

# A user who has a session already: it is used, its views are seen, and it is left open.
IN_A_SESSION = """
import os, signal, threading
from pyspark.sql import SparkSession
from pyspark import SparkContext
from distfit_counts.data.memory import read_memory

calls = json.load(sys.stdin)
found = answers(calls["alone"])
found["left open"] = SparkContext._active_spark_context is not None
session = SparkSession.builder.getOrCreate()
visits = session.read.parquet(calls["path"])
visits.createOrReplaceTempView("visits")
session.sql("CREATE TEMPORARY VIEW `o``d d` AS SELECT * FROM visits")
session.sql("CREATE DATABASE ward")
visits.write.saveAsTable("ward.kept")
found |= answers(calls["in a session"])
found["a frame"] = content(read_memory(visits, ["visits"], []))
found["groups of a frame"] = content(read_memory(visits, ["visits"], ["year"]))
threading.Timer(3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    read_table("pyspark://", None, calls["endless"])
except KeyboardInterrupt:
    found["interrupted"] = True
found["still there"] = session.sql("SELECT 7").collect()[0][0] == 7
print(json.dumps(found))
"""


@pytest.mark.slow
def test_spark_counts_as_the_file_does(tmp_path: Path) -> None:
    path = write(tmp_path / "visits.parquet")
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "part-0.parquet")
    write(folder / "part-1.parquet")
    delta = tmp_path / "delta"
    (delta / "_delta_log").mkdir(parents=True)
    (delta / "_delta_log" / "00000000000000000000.json").write_text("{}")
    write(delta / "deleted-long-ago.parquet")
    spark = "pyspark://"
    text = tmp_path / "visits.csv"
    text.write_text("visits\n1\n")
    alone = {
        "a path": [spark, path, None, ["visits"]],
        "no such path": [spark, str(tmp_path / "none.parquet"), None, ["visits"]],
        "no parquet": [spark, str(text), None, ["visits"]],
    }
    inside: dict[str, Any] = {f"table: {name}": [spark, "visits", None, *case] for name, case in CASES.items()}
    inside |= {
        "a folder": [spark, str(folder), None, ["visits"], ["year"]],
        "a query": [spark, None, "SELECT visits, clinic FROM visits; -- all", ["visits"], ["clinic"]],
        "values": [spark, None, "VALUES (1), (2), (2)"],
        "twins": [spark, None, "SELECT visits, year AS Visits FROM visits"],
        "a schema": [spark, "ward.kept", None, ["visits"]],
        "a quoted name": [spark, "`o``d d`", None, ["visits"]],
        "a catalog": [spark, 'spark_catalog.ward."kept"', None, ["visits"]],
        "delta": [spark, str(delta), None, ["visits"]],
        "no such table": [spark, "visit", None, ["visits"]],
        "no such column": [spark, "visits", None, ["visit"]],
        "negative": [spark, "visits", None, ["negative"]],
        "no number": [spark, "visits", None, ["open"]],
        "no query": [spark, None, "SELEC 1"],
        "no such name": [spark, None, "SELECT nope FROM visits"],
        "a failing query": [spark, None, "SELECT CAST(clinic AS INT) AS y FROM visits"],
        "a secret": [spark, None, "SELECT * FROM visits WHERE f('password=hunter2') = 1"],
        "neither": [spark, None, None],
    }
    inside["many values"] = [spark, "visits", None, ["visits"], ["clinic"], None, 3]
    calls = {"alone": alone, "in a session": inside, "path": path, "endless": SLOW.replace(str(ROWS), "9" * 12)}
    found, err = read(IN_A_SESSION, calls, environment(tmp_path / "conf", **{"spark.master": "local[2]"}))

    for name, case in CASES.items():
        assert found[f"table: {name}"] == content(read_source(path, *case)), name
    visits = content(read_source(path, ["visits"]))
    for name in ("a path", "a schema", "a quoted name", "a catalog", "a frame"):
        assert found[name] == visits
    assert found["groups of a frame"] == content(read_source(path, ["visits"], ["year"]))
    assert found["a folder"] == content(read_source(str(folder), ["visits"], ["year"]))
    assert found["a query"] == content(read_source(path, ["visits"], ["clinic"]))
    assert found["values"][0][3:6:2] == [[1, 2], [1, 2]]
    assert found["left open"] is False, "a session of our own ends with the reading"
    assert found["interrupted"] is True
    assert found["still there"] is True, "another's does not"

    for name, problem, hint in (
        ("no such path", "PATH_NOT_FOUND", "check the path"),
        ("no parquet", "CANNOT_READ_FILE_FOOTER", "give a Parquet file"),
        ("twins", 'two columns of the query are called "visits"', "SELECT ... AS"),
        ("delta", "data source: delta", "io.delta:delta-spark"),
        ("no such table", 'no table "visit"', "did you mean --table visits?"),
        ("no such column", 'no column "visit"', 'did you mean "visits"?'),
        ("negative", "-2 is negative (in 6 rows)", "whole numbers"),
        ("no number", "holds bool", "0 and 1"),
        ("no query", "not understood as one query", "column"),
        ("no such name", "nope", "check the query"),
        ("a failing query", "CAST_INVALID_INPUT", ""),
        ("a secret", "", "check the query"),
        ("many values", 'column "visits": more than 3 pairs of a group and a value', "--max-distinct"),
        ("neither", "neither --table nor --sql", "visits"),
    ):
        assert problem in found[name]["problem"], name
        assert hint in found[name]["hint"], (name, found[name])
        assert "\n" not in found[name]["problem"]
        assert "hunter2" not in str(found[name])
    own = [line for line in err.splitlines() if line]
    assert len(own) < 20, f"only what the test's own session says: {err}"
    assert "Exception in task" not in err


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["while Spark starts", "in mid-query"])
def test_ctrl_c_ends_it_and_leaves_nothing(moment: str, tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "here"
    log.mkdir()
    folder.mkdir()
    logged = {"spark.eventLog.enabled": "true", "spark.eventLog.compress": "false", "spark.eventLog.dir": log.as_uri()}
    env = environment(tmp_path / "conf", **logged, **{"spark.master": "local[2]", "spark.sql.warehouse.dir": ""})
    with command(SLOW.replace(str(ROWS), "9" * 12), env, folder) as child:

        def begun() -> bool:
            if moment == "in mid-query":
                return any("JobStart" in file.read_text(errors="replace") for file in log.rglob("*") if file.is_file())
            return b"SparkSubmit" in b"".join(commands_of(child.pid))

        wait_until(begun, "Spark begins")
        os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert (child.returncode, out, err) == (130, "", "distfit: interrupted\n")
        wait_until(lambda: not commands_of(child.pid), "Java ends")
    assert not list(folder.iterdir()), "no spark-warehouse in the working directory"


def commands_of(group: int) -> list[bytes]:
    """The command lines of the processes of a group, those that have ended left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, of_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state != "Z":
                found.append((folder / "cmdline").read_bytes())
    return found


def wait_until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.mark.slow
def test_a_cluster_answers_though_a_worker_is_killed(tmp_path: Path) -> None:
    path = write(tmp_path / "visits.parquet")
    with cluster(tmp_path / "cluster") as (master, workers):
        # The master's address in the user's own configuration, or in the address.
        env = environment(tmp_path / "conf", **{"spark.master": f"spark://{master}"})
        calls = {"conf": ["pyspark://", path, None, ["visits"], ["clinic"]]}
        found, err = read(ONCE, calls, env)
        assert found["conf"] == content(read_source(path, ["visits"], ["clinic"]))
        assert not err.strip(), "no log of Spark's on stderr"
        assert all(any(worker.folder.glob("app-*")) for worker in workers), "the cluster did it"

        before = [worker.finished for worker in workers]
        slow = {"slow": [f"pyspark://{master}", None, SLOW]}
        with reader(ONCE, slow, environment(tmp_path / "other")) as child:
            wait_for_work(workers, before, child)
            end_group(workers[0].process)  # SIGKILL to the worker and the executor that it started
            after = workers[1].finished
            out, err = child.communicate(timeout=300)
        assert child.returncode == 0, err
        assert after - before[1] < TASKS, "it was killed in the middle"
    (column,) = json.loads(out)["slow"]
    expected = [len(range(value, ROWS, 7)) for value in range(7)]
    assert column[3] == list(range(7))
    assert column[5] == expected, "every row once: none lost with the worker, none counted twice"


def wait_for_work(workers: list[Worker], before: list[int], child: Any) -> None:
    """Until each worker has finished a task of the query, and has others to do."""
    end = time.monotonic() + 120
    while not all(worker.finished > n for worker, n in zip(workers, before, strict=True)):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end, "no task was finished"
        time.sleep(0.1)
