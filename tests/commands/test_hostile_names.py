"""Whatever comes from data is text in every report and message: no markup, no emoji, no control sequence.

The law: in the output of each command, for people, names of files and columns, labels of groups and levels of
covariates stand as ``distinct`` writes them, and no character but the end of a line steers the terminal.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner

from distfit_counts import fit
from distfit_counts.cli import app
from distfit_counts.errors import DistfitError
from distfit_counts.printable import distinct, printable
from tests.commands.conftest import Run
from tests.test_architecture import FILES, imports, name_of, touches

LABELS = [
    "[unknown]",
    "[red]x[/red]",
    "a[/b]",
    "[link=http://example.org]y",
    "chr1:x:7",
    ":heart:",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\u202eabc",
    "a\u200bb",
    "tab\there",
    "new\nline",
    "\x9b31m",
    "中文字",
    "l\u2028s",
    "{0}%s",
    "</script><script>alert(1)</script>",
    "\\x1b[31m",
    "de\x7fl",
    "é",
    "e\u0301",
    "\\xe9",
]
FILE = "[bold]\x1b[2J\u202e:x:.csv"
COUNT, OTHER, GROUP, NUMBER = "y [a]\x1b[31m", "y [b]:heart:", "g[x]\u200b", "v\x9b [v]"
FEW = ("--restarts", "1", "-f", "poisson")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose file, columns and labels are all hostile."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("hostile")
    with open(path / FILE, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([COUNT, OTHER, GROUP, NUMBER])
        for i, label in enumerate(LABELS * 12):
            writer.writerow([*rng.poisson([2.0, 1.0]), label, round(float(rng.normal()), 3) + i % 2])
    return path


def steering(text: str) -> set[str]:
    """Characters that no terminal must be sent, said without the code that is tested."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {character for character in text if unicodedata.category(character) in hidden} - {"\n"}


def formula(response: str, *terms: str) -> str:
    return f"`{response}` ~ " + " + ".join(f"`{term}`" for term in terms)


@pytest.fixture(scope="module")
def said(distfit: Run, folder: Path) -> dict[str, str]:
    """stdout and stderr of every command whose output has a name in it, by what was asked."""
    table, found = folder / FILE, {}
    wide = {"cwd": folder, "COLUMNS": "400"}

    def ask(name: str, *arguments: object, code: tuple[int, ...] = (0, 1)) -> None:
        done = distfit(*arguments, **wide)
        assert done.returncode in code, (name, done.stdout, done.stderr)
        found[name] = done.stdout + done.stderr

    by = ("--by", GROUP)
    ask("fit", "fit", FILE, "-c", COUNT, *FEW, "--save", "one.json")
    ask("fit groups", "fit", FILE, "-c", COUNT, *by, *FEW, "--save", "many.json")
    ask("fit verbose", "fit", FILE, "-c", OTHER, *FEW, "-v")
    ask("compare", "compare", FILE, "-c", COUNT, "-f", "poisson,geometric", "--restarts", "1")
    ask("compare groups", "compare", FILE, "-c", COUNT, *by, "-f", "poisson,geometric", "--restarts", "1")
    ask("check", "check", "one.json", FILE, "-c", COUNT)
    ask("check groups", "check", "many.json", FILE, "-c", COUNT, *by)
    ask("show", "show", "one.json")
    ask("show groups", "show", "many.json")
    levels = formula(COUNT, GROUP, NUMBER)
    # A name with a line's end cannot stand in a formula.
    ask("regress", "regress", FILE, levels, "--likelihood-ratios", "--cluster", GROUP, "--save", "levels.json", "-v")
    ask("regress offset", "regress", FILE, formula(COUNT, NUMBER), "--offset", OTHER)
    ask("regress categorical", "regress", FILE, f"`{GROUP}` ~ 1", "-f", "categorical")
    ask("show regression", "show", "levels.json")
    ask("check regression", "check", "levels.json", FILE)
    small = ("--hidden", "2", "--epochs", "1")
    ask("network", "regress", FILE, levels, *small, "--save", "network.json", "-v")
    ask("network levels", "regress", FILE, f"`{GROUP}` ~ `{NUMBER}`", "-f", "categorical", *small, "-v")
    ask("show network", "show", "network.json")
    ask("plot asks which", "plot", "many.json", "-k", "trace", "-o", "x.png", code=(2,))
    ask("no such column", "fit", FILE, "-c", "x", *FEW, code=(2,))
    ask("no such file", "fit", f"no {FILE}", *FEW, code=(2,))
    ask("no such option", "fit", FILE, f"--{COUNT}", *FEW, code=(2,))
    ask("no counts", "fit", FILE, "-c", GROUP, *FEW, code=(2,))
    ask("no such family", "fit", FILE, "-c", COUNT, "-f", f"p{COUNT}", code=(2,))
    ask("no such parameter", "sample", "-f", "poisson", "-p", f"{COUNT}=1", "-n", "1", code=(2,))
    ask("no model", "predict", FILE, FILE, code=(2,))
    ask("a covariate is missing", "predict", "levels.json", folder / "one.json", code=(2,))
    ask("histogram", "histogram", f"no {FILE}", code=(2,))
    ask("families", "families")
    assert table.exists()
    return found


def test_nothing_steers_the_terminal(said: dict[str, str]) -> None:
    for name, text in said.items():
        assert not steering(text), (name, steering(text))


# The first level is what the others are compared with: it has no line.
LEVELS = sorted(LABELS)[1:]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *((name, LABELS) for name in ("fit groups", "compare groups", "check groups", "show groups")),
        *((name, LEVELS) for name in ("regress", "show regression", "regress categorical")),
        ("network levels", LABELS),
        *((name, [COUNT, FILE]) for name in ("fit", "compare", "check", "show", "regress", "show regression")),
        *((name, [COUNT, FILE]) for name in ("check regression", "network", "show network")),
        *((name, [OTHER]) for name in ("fit verbose", "regress offset")),
        *((name, [GROUP, NUMBER]) for name in ("regress", "show network")),
        *((name, [FILE]) for name in ("no such file", "histogram")),
        *((name, [COUNT]) for name in ("no such option", "no such family", "no such parameter")),
        ("no such column", [COUNT, OTHER, GROUP, NUMBER]),
    ],
)
def test_every_name_is_shown_verbatim(said: dict[str, str], name: str, shown: list[str]) -> None:
    """In messages, whose words are not only data, what reads like an escape may keep its backslash."""
    for text in shown:
        assert distinct(text) in said[name] or printable(text) in said[name], text


@pytest.mark.parametrize("name", ["fit groups", "show groups"])
def test_columns_stay_in_line(said: dict[str, str], name: str) -> None:
    """Below wide characters, combining ones and escapes alike."""
    widths = {cell_len(line) for line in said[name].splitlines() if line.endswith("  converged")}
    assert len(widths) == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_no_encoding_makes_two_labels_alike(folder: Path, encoding: str) -> None:
    """Not even those that are equal to what stands for another where characters are missing."""
    labels = [*LABELS, "χ²", "chi^2", "…", "..", "\\u4e2d", "中", "?"]
    rows = "".join(f'{i % 3},"{label}"\n' for i, label in enumerate(labels * 4))
    (folder / "labels.csv").write_bytes(("y,g\n" + rows).encode())
    ask = [str(folder / "labels.csv"), "-c", "y", "--by", "g", "-f", "poisson", "--restarts", "1"]

    def bytes_of(*more: str) -> bytes:
        done = CliRunner(charset=encoding).invoke(app, ["fit", *ask, *more], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.stderr
        return done.stdout_bytes

    text = bytes_of().decode(encoding)
    lines = [line for line in text.splitlines() if line.endswith("converged")]
    assert len({line[: -len("converged")].split("  ")[0] for line in lines}) == len(labels)
    assert all(f" {distinct(label, encoding)} " in text for label in labels)
    assert ("─" in text) is (encoding == "utf-8")
    assert {json.loads(line)["group"]["g"] for line in bytes_of("--format", "json").splitlines()} == set(labels)
    written = csv.DictReader(io.StringIO(bytes_of("--format", "csv").decode("utf-8"), newline=""))
    assert {row["g"] for row in written} == set(labels)


def test_data_formats_keep_names_as_they_are(distfit: Run, folder: Path) -> None:
    import pyarrow.parquet as pq

    ask = ("fit", FILE, "-c", COUNT, "--by", GROUP, *FEW)
    for ending in ("json", "csv", "parquet"):
        assert distfit(*ask, "-o", f"o.{ending}", cwd=folder).returncode == 0
    records = [json.loads(line) for line in (folder / "o.json").read_text().splitlines()]
    assert [record["group"][GROUP] for record in records] == sorted(LABELS)
    assert {(record["source"], record["column"]) for record in records} == {(FILE, COUNT)}
    with open(folder / "o.csv", newline="", encoding="utf-8") as file:
        assert [row[GROUP] for row in csv.DictReader(file)] == sorted(LABELS)
    assert pq.read_table(folder / "o.parquet")[GROUP].to_pylist() == sorted(LABELS)


def test_a_file_name_that_is_no_utf_8(distfit: Run, folder: Path) -> None:
    """Its bytes are kept in CSV; JSON and Parquet hold Unicode only."""
    name = os.fsdecode(b"caf\xe9.csv")
    try:
        (folder / name).write_text("y\n1\n0\n3\n")
    except OSError:
        pytest.skip("this file system has no such names")
    assert "caf\\udce9.csv" in distfit("fit", name, *FEW, cwd=folder).stdout
    assert json.loads(distfit("fit", name, *FEW, "--format", "json", cwd=folder).stdout)["source"] == name
    for ending in ("csv", "parquet"):
        assert distfit("fit", name, *FEW, "-o", f"o.{ending}", cwd=folder).returncode == 0
    assert b"caf\xe9.csv" in (folder / "o.csv").read_bytes()


def test_errors_and_warnings_of_the_library_steer_nothing() -> None:
    frame = {"\x1b[2Ja": [1, 2, 3], "\x1b[2Jb": [None, None, None], "\x1b[2Jc": [2.5, 1.0, 1.0]}
    with pytest.raises(DistfitError) as raised:
        fit(pd.DataFrame(frame), "poisson", column="\x1b[2Jc")
    assert not steering(str(raised.value))
    with pytest.warns(UserWarning, match="missing values") as told:
        fit(pd.DataFrame(frame), "poisson", column=["\x1b[[]2J[ab]"])
    assert not steering(str(told[0].message))


@pytest.mark.parametrize("text", ["a", "a b", "C:\\new\\x.csv", "中文", "e\u0301", "\u00a0", "👍🏽"])
def test_what_shows_is_shown(text: str) -> None:
    assert distinct(text) == printable(text) == text


@settings(max_examples=60)
@given(st.text(), st.text(), st.sampled_from(["ascii", "cp1252", "shift_jis", "utf-8"]))
def test_two_values_never_look_alike(one: str, other: str, encoding: str) -> None:
    shown = [distinct(text, encoding) for text in (one, other)]
    assert (shown[0] == shown[1]) is (one == other)
    assert not [steering(text) for text in shown if steering(text) or "\n" in text]
    assert all(text.encode(encoding) is not None for text in shown)
    assert printable(printable(one, encoding), encoding) == printable(one, encoding)


def test_only_the_screen_makes_texts_of_rich() -> None:
    """Markup has no other way in."""
    for path in FILES:
        own = touches(imports(path), "rich.text", "rich.markup", "rich.console.Console")
        if name_of(path) == "report.screen":
            assert own
        elif own - {"rich.console.Console"} or re.search(r"\bConsole\(", path.read_text()):
            raise AssertionError(f"{name_of(path)} uses {own}")
