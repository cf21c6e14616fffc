"""--threads bounds everything that reads: files side by side, reading ahead, and pyarrow's own threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.json as pj
import pyarrow.parquet as pq
import pytest

from distfit_counts.commands.fitting import import_torch_meanwhile
from distfit_counts.data import columnar, delimited
from distfit_counts.data.files import read_sources
from distfit_counts.data.request import Request
from distfit_counts.settings import processors

ROWS = 200_000


@pytest.fixture(params=["a.parquet", "a.csv", "a.arrow", "a.jsonl"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = tmp_path / request.param
    table = pa.table({"y": [i % 7 for i in range(ROWS)]})
    if found.suffix == ".parquet":
        pq.write_table(table, found)
    elif found.suffix == ".csv":
        pc.write_csv(table, found)
    elif found.suffix == ".arrow":
        with pa.ipc.new_file(found, table.schema) as writer:
            writer.write_table(table, max_chunksize=50_000)
    else:
        found.write_text("".join(json.dumps({"y": i % 7}) + "\n" for i in range(ROWS)))
    return str(found)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that asks other threads for help fails."""

    def refused(*_: object) -> None:
        raise AssertionError("another thread reads ahead")

    def read_json(data: Any, options: pj.ReadOptions, parse: Any) -> Any:
        assert not options.use_threads
        return from_json(data, options, parse)

    def read_csv(*args: Any, **options: Any) -> Any:
        assert not options["read_options"].use_threads
        return csv(*args, **options)

    csv, from_json = pc.read_csv, pj.read_json
    monkeypatch.setattr(columnar, "ThreadPoolExecutor", refused)
    monkeypatch.setattr(delimited, "ThreadPoolExecutor", refused)
    monkeypatch.setattr(pc, "read_csv", read_csv)
    monkeypatch.setattr(pj, "read_json", read_json)


@pytest.mark.usefixtures("alone")
def test_one_thread_reads_and_counts(path: str) -> None:
    (column,) = read_sources([path], Request(["y"], threads=1))
    assert column.histogram.n == ROWS


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("together", [True, False])
def test_files_side_by_side_share_the_threads(path: str, together: bool) -> None:
    found = read_sources([path] * 3, Request(["y"], threads=3), together=together)
    assert sum(column.histogram.n for column in found) == 3 * ROWS


def test_shares() -> None:
    assert [Request(threads=8).shared(files).threads for files in (1, 2, 3, 8, 100)] == [8, 4, 2, 1, 1]
    assert not Request(threads=1).helped
    assert Request(threads=2).helped


def test_processors_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    assert processors() == 3
    assert Request().side_by_side == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processors() == os.cpu_count()


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_torch_is_imported_beside_only_where_there_is_a_thread_for_it(
    monkeypatch: pytest.MonkeyPatch, threads: int | None
) -> None:
    started = []
    monkeypatch.setattr("threading.Thread.start", lambda thread: started.append(thread))
    monkeypatch.setattr("sys.setswitchinterval", lambda _: None)
    import_torch_meanwhile(threads)
    assert len(started) == (threads is None or threads > 2)


def test_the_garbage_collector_rests_while_torch_is_imported(tmp_path: Path) -> None:
    """And goes on afterwards, past what is there to stay."""
    script = (
        "import gc, sys, threading\n"
        "from distfit_counts.commands.fitting import import_torch_meanwhile\n"
        "seen = []\n"
        "gc.callbacks.append(lambda phase, info: seen.append(info['generation']))\n"
        "import_torch_meanwhile(None)\n"
        "[t.join() for t in threading.enumerate() if t is not threading.current_thread()]\n"
        "print('torch' in sys.modules, len(seen) < 20, gc.isenabled(), gc.get_freeze_count() > 100_000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 4
