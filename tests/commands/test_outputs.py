"""The format of the results: what --format says, else what the ending of -o promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from distfit_counts.cli import app
from distfit_counts.commands.options import Format
from distfit_counts.commands.outputs import format_of
from distfit_counts.errors import OutputError
from tests.commands.conftest import ROOT, Run

HORSEKICKS = str(ROOT / "sample_data" / "horsekicks.csv")
Invoke = Callable[..., str]


@pytest.fixture
def run() -> Invoke:
    """Runs the command in this process; what it prints, or its error."""

    def invoke(*arguments: object, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*map(str, arguments)])
        assert done.exit_code == code, done.output
        return done.output

    return invoke


@pytest.mark.parametrize(
    ("format", "output", "written"),
    [
        (None, None, "table"),
        (None, "report", "table"),
        (None, "report.txt", "table"),
        (None, "/dev/stdout", "table"),
        (None, "a.csv", "csv"),
        (None, "a.CSV", "csv"),
        (None, "a.json", "json"),
        (None, "a.jsonl", "json"),
        (None, "a.ndjson", "json"),
        (None, "a.parquet", "parquet"),
        (Format.json, None, "json"),
        (Format.csv, "report.txt", "csv"),
        (Format.json, "a.jsonl", "json"),
        (Format.csv, "a.csv", "csv"),
    ],
)
def test_the_ending_decides_unless_told(format: Format | None, output: str | None, written: str) -> None:
    assert format_of(format, None if output is None else Path(output)) == written


@pytest.mark.parametrize(
    ("format", "output"), [(Format.json, "a.csv"), (Format.table, "a.parquet"), (Format.csv, "a.ndjson")]
)
def test_contradictions(format: Format, output: str) -> None:
    with pytest.raises(OutputError, match=f"--format {format.value} contradicts the ending of {output}") as caught:
        format_of(format, Path(output))
    assert "leave out --format" in caught.value.hint


@pytest.mark.parametrize("format", [None, Format.csv])
@pytest.mark.parametrize("ending", ["arrow", "xlsx", "tsv", "csv.gz", "pq"])
def test_kinds_of_data_that_are_not_written(format: Format | None, ending: str) -> None:
    with pytest.raises(OutputError, match="is not among the formats") as caught:
        format_of(format, Path(f"a.{ending}"))
    assert "ends in .csv, .json" in caught.value.hint
    with pytest.raises(OutputError) as caught:
        format_of(format, Path("a.svg"))
    assert "--plot" in caught.value.hint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.json"
    assert CliRunner().invoke(app, ["fit", HORSEKICKS, "-f", "poisson", "--save", str(path)]).exit_code == 0
    return path


@pytest.mark.parametrize("name", ["fit", "compare", "check", "show"])
def test_every_command_writes_every_kind(run: Invoke, model: Path, name: str, tmp_path: Path) -> None:
    """The file is what ``--format`` prints; the Parquet table is the CSV."""
    command = {
        "fit": ["fit", HORSEKICKS, "-f", "poisson"],
        "compare": ["compare", HORSEKICKS, "--families", "poisson,geometric"],
        "check": ["check", model, HORSEKICKS],
        "show": ["show", model],
    }[name]
    for ending, format in (("csv", "csv"), ("json", "json"), ("txt", "table")):
        path = tmp_path / f"a.{ending}"
        assert run(*command, "-o", path) == ""
        assert path.read_text() == run(*command, "--format", format)
    run(*command, "-o", tmp_path / "a.parquet")
    head, *lines = (tmp_path / "a.csv").read_text().splitlines()
    table = parquet.read_table(tmp_path / "a.parquet")
    assert (",".join(table.column_names), table.num_rows) == (head, len(lines))
    assert "contradicts" in run(*command, "-o", tmp_path / "new.csv", "--format", "json", code=2)
    assert "is not among" in run(*command, "-o", tmp_path / "new.xlsx", code=2)
    assert not (tmp_path / "new.csv").exists()


def test_show_does_not_overwrite_its_model(run: Invoke, model: Path) -> None:
    assert "also an input" in run("show", model, "-o", model, code=2)
    assert json.loads(model.read_text())["schema"].startswith("distfit.model/")


def test_a_missing_label_is_not_the_label_none(distfit: Run, tmp_path: Path) -> None:
    source, model = tmp_path / "odd.csv", tmp_path / "odd.json"
    source.write_text("h,y\nNone,1\n,2\nNone,3\n,4\n")
    table = distfit("fit", source, "-c", "y", "--by", "h", "-f", "poisson", "--save", model, "--format", "table").stdout
    assert [line.split()[0] for line in table.splitlines() if line.endswith("converged")] == ["None", "(missing)"]
    assert "h = None; h = (missing): 2 observations are too few" in table
    # For machines it stays missing.
    read = distfit("fit", source, "-c", "y", "--by", "h", "-f", "poisson", "--format", "csv").stdout.splitlines()
    assert [row.split(",")[2] for row in read[1:]] == ["None", ""]
    # A saved model knows which is which, and is asked for as it is shown.
    checked = distfit("check", model, source, "-c", "y", "--by", "h").stdout
    assert [line.split()[0] for line in checked.splitlines() if "same_data" in line] == ["None", "(missing)"]
    profile = ["plot", model, "--kind", "profile", "-o", tmp_path / "p.svg"]
    assert distfit(*profile).stderr.endswith("--column y --group h=None; --column y --group 'h=(missing)'\n")
