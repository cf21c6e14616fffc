"""Count now, fit later: the real command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import ROOT, Run

ZIP = ROOT / "sample_data" / "zip_10000.csv"


@pytest.mark.slow
def test_shards_are_counted_merged_and_fitted(distfit: Run, tmp_path: Path) -> None:
    counts = ZIP.read_text().splitlines()[1:]
    for i in range(3):
        (tmp_path / f"{i}.csv").write_text("count\n" + "\n".join(counts[i::3]) + "\n")
        assert distfit("histogram", tmp_path / f"{i}.csv", "-o", tmp_path / f"h{i}.parquet").returncode == 0
    shards = [tmp_path / f"h{i}.parquet" for i in range(3)]
    merged = tmp_path / "all.parquet"
    assert distfit("histogram", *shards, "-o", merged).returncode == 0
    options = ("--family", "zip", "--format", "json")
    whole = json.loads(distfit("fit", ZIP, *options).stdout)
    for sources in (["--together", *shards], [merged, "--weights", "count"], [merged]):
        found = json.loads(distfit("fit", *sources, *options).stdout)
        assert found["column"] == "count"
        assert {k: v for k, v in found.items() if k != "source"} == {k: v for k, v in whole.items() if k != "source"}


def test_to_stdout_as_csv(distfit: Run) -> None:
    found = distfit("histogram", "-", input="y\n3\n0\n\n3\n")
    assert found.stdout == '"column","value","count"\n"y",0,1\n"y",3,2\n"y",,1\n'
    assert found.stderr == ""


@pytest.mark.slow
def test_bad_use(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("value,g,y\n1,2,3\n")
    for arguments, said in (
        (["a.csv", "-c", "y", "-o", "h.xlsx"], "ends in .parquet or .csv"),
        (["a.csv", "-c", "y", "-o", "a.csv"], "also an input"),
        (["a.csv", "-c", "y", "--by", "value"], 'grouped by a column named "value"'),
        (["a.csv", "--connect", "duckdb://"], "both a SOURCE and --connect"),
        (["a.csv", "--table", "x"], "--table does nothing without --connect"),
        ([], "name a file"),
        (["a.csv", "--memory", "much"], "--memory much: not a size"),
    ):
        found = distfit("histogram", *arguments, cwd=tmp_path)
        assert found.returncode == 2
        assert said in " ".join(found.stderr.split())
        assert "Traceback" not in found.stderr
    assert (tmp_path / "a.csv").read_text() == "value,g,y\n1,2,3\n"


@pytest.mark.slow
def test_what_is_read_is_never_overwritten(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y\n1\n2\n2\n0\n")
    for command in (
        ["fit", "a.csv", "-f", "poisson", "-o", "a.csv"],
        ["fit", "a.csv", "-f", "poisson", "--save", "./a.csv"],
        ["compare", "a.csv", "--families", "poisson", "-o", "a.csv"],
    ):
        found = distfit(*command, cwd=tmp_path)
        assert (found.returncode, "also an input" in found.stderr) == (2, True)
    assert distfit("fit", "a.csv", "-f", "poisson", "--save", "m.json", cwd=tmp_path).returncode == 0
    model = (tmp_path / "m.json").read_text()
    assert distfit("check", "m.json", "a.csv", "-o", "m.json", cwd=tmp_path).returncode == 2
    assert (tmp_path / "m.json").read_text() == model
    assert (tmp_path / "a.csv").read_text() == "y\n1\n2\n2\n0\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", [["histogram"], ["fit", "-f", "poisson"], ["compare", "-f", "poisson", "-f", "nb"]])
def test_pandas_is_not_imported(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("g,y\n" + "".join(f"{i % 2},{i % 5}\n" for i in range(100)))
    words = [*command, tmp_path / "a.csv", "-c", "y", "--by", "g", "-o", tmp_path / "a.parquet"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "distfit_counts", *words], capture_output=True, text=True, check=True
    )
    assert "pyarrow.parquet" in done.stderr
    assert "pandas.core" not in done.stderr


@pytest.mark.slow
def test_counting_a_plain_file_imports_neither_rich_nor_compute(tmp_path: Path) -> None:
    """Each takes a tenth of the time in which a small file is counted."""
    (tmp_path / "a.csv").write_text("y\n" + "".join(f"{i % 5}\n" for i in range(100)))
    words = ["histogram", tmp_path / "a.csv", "-o", tmp_path / "a.parquet"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "distfit_counts", *words], capture_output=True, text=True, check=True
    )
    assert "pyarrow.parquet" in done.stderr
    assert "pyarrow.compute" not in done.stderr
    assert "rich" not in done.stderr
