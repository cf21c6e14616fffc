"""Outputs: what cannot be written is said before the work; what fails at its end loses no result; - is stdout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from distfit_counts.cli import app
from distfit_counts.errors import OutputError
from distfit_counts.output import check, whole_file
from tests.commands.conftest import COMMAND, ROOT, Run

COUNTS = str(ROOT / "sample_data" / "horsekicks.csv")
FIT = ["fit", COUNTS, "--family", "poisson"]


def loop(folder: Path, suffix: str) -> Path:
    (folder / f"a{suffix}").symlink_to(folder / f"b{suffix}")
    (folder / f"b{suffix}").symlink_to(folder / f"a{suffix}")
    return folder / f"a{suffix}"


def read_only(folder: Path, suffix: str) -> Path:
    path = folder / f"kept{suffix}"
    path.write_text("kept")
    path.chmod(0o444)
    return path


def unwritable(folder: Path, suffix: str) -> Path:
    return Path(f"/proc/new{suffix}")


def too_long(folder: Path, suffix: str) -> Path:
    return folder / ("x" * 300 + suffix)


def under_a_file(folder: Path, suffix: str) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / f"new{suffix}"


def a_folder(folder: Path, suffix: str) -> Path:
    (folder / f"folder{suffix}").mkdir()
    return folder / f"folder{suffix}"


PLACES = {
    loop: "symbolic links",
    read_only: "read-only",
    unwritable: "No such file or directory",
    too_long: "File name too long",
    under_a_file: "there is no folder",
    a_folder: "is a directory",
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize(("option", "suffix"), [("--output", ".json"), ("--save", ".json"), ("--plot", ".svg")])
def test_what_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, suffix: str, place: Any
) -> None:
    monkeypatch.setattr("distfit_counts.data.files.read_sources", lambda *_: pytest.fail("it was read"))
    path = place(tmp_path, suffix)
    done = CliRunner().invoke(app, [*FIT, option, str(path)], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (2, "")
    assert PLACES[place] in done.stderr
    assert str(path) in done.stderr
    assert not list(tmp_path.glob(".*.part"))


def test_a_read_only_file_is_kept(tmp_path: Path) -> None:
    path = read_only(tmp_path, ".csv")
    with pytest.raises(OutputError, match="read-only"), whole_file(path) as file:
        file.write(b"new")
    assert path.read_text() == "kept"
    with pytest.raises(OutputError, match="read-only"):
        check(path)


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        ([*FIT, "-o", "-"], "poisson fitted to"),
        ([*FIT, "-o", "-", "--format", "json"], '{"schema": "distfit.fit/1"'),
        (["histogram", COUNTS, "-o", "-"], '"column"'),
        (["sample", "-f", "poisson", "-p", "rate=2", "-n", "3", "-o", "-"], "count"),
        ([*FIT, "--save", "-", "-o", "results.txt"], '{"schema": "distfit.model/2"'),
        ([*FIT, "--plot", "-", "-o", "results.txt"], "<svg"),
    ],
)
def test_a_dash_is_stdout(distfit: Run, tmp_path: Path, arguments: list[str], first: str) -> None:
    done = distfit(*arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(first)
    assert {path.name for path in tmp_path.iterdir()} <= {"results.txt"}


def test_the_model_on_stdout_is_the_model(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(distfit(*FIT, "--save", "-", "-o", "r.txt", cwd=tmp_path).stdout)
    assert distfit("show", tmp_path / "model.json").stdout == distfit(*FIT).stdout
    assert distfit("plot", tmp_path / "model.json", "-o", "-").stdout.startswith("<svg")


@pytest.mark.parametrize("outputs", [["--save", "-"], ["--plot", "-"], ["-o", "-", "--save", "-"]])
def test_two_outputs_do_not_mix_on_stdout(distfit: Run, tmp_path: Path, outputs: list[str]) -> None:
    done = distfit(*FIT, *outputs, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "two outputs would mix on stdout" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_fails_at_the_end_loses_no_result(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("y,x\n" + "".join(f"{i % 4},{i % 7}\n" for i in range(60)))
    expected = distfit(*FIT).stdout
    for output in (["-o", "/dev/full"], ["--save", "/dev/full"]):
        done = distfit(*FIT, *output)
        assert (done.returncode, done.stdout) == (2, expected)
        assert "cannot write /dev/full: No space left on device" in done.stderr
    done = distfit(*FIT, "-o", "/dev/full", "--save", tmp_path / "m.json")
    assert (done.returncode, done.stdout) == (2, expected)
    assert distfit("show", tmp_path / "m.json").stdout == expected, "what can be written is"
    regression = ["regress", tmp_path / "rows.csv", "y ~ x", "--format", "json"]
    lines = [distfit(*regression, *output).stdout for output in ([], ["-o", "/dev/full"])]
    assert json.loads(lines[0]) == json.loads(lines[1])
    counted = [distfit("histogram", COUNTS, *output).stdout for output in ([], ["-o", "-"])]
    assert counted[0] == counted[1]


def test_a_pipe_whose_reader_leaves(process: Run, tmp_path: Path) -> None:
    """Named as the output it is no success; stdout that is closed is none of our business."""
    os.mkfifo(tmp_path / "pipe")

    def leave() -> None:
        with open(tmp_path / "pipe", "rb") as file:
            file.read(1)

    reader = threading.Thread(target=leave)
    reader.start()
    done = process("sample", "-f", "poisson", "-p", "rate=3", "-n", "3000000", "-o", tmp_path / "pipe")
    reader.join()
    assert done.returncode == 2
    assert "Broken pipe" in done.stderr


def started(output: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A command that writes to ``output`` for minutes, once it does so."""
    many = ["sample", "-f", "poisson", "-p", "rate=3", "-n", "100000000000", "-o", str(output), *arguments]
    running = subprocess.Popen([COMMAND, *many], stderr=subprocess.PIPE)
    end = time.monotonic() + 60.0
    while not any(part.stat().st_size > 10**6 for part in output.parent.glob(".*.part")):
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    return running


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_signals_leave_nothing_behind(tmp_path: Path, number: int, code: int) -> None:
    running = started(tmp_path / "draws.csv")
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (code, b"distfit: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_the_next_run_uses_up_what_a_killed_one_left(distfit: Run, tmp_path: Path) -> None:
    running = started(tmp_path / "draws.csv")
    running.kill()
    running.communicate(timeout=60)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    assert distfit("sample", "-f", "poisson", "-p", "rate=3", "-n", "5", "-o", tmp_path / "draws.csv").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["draws.csv"]
    assert (tmp_path / "draws.csv").read_text().count("\n") == 6


def test_runs_that_write_the_same_file_do_not_touch_each_other(distfit: Run, tmp_path: Path) -> None:
    path = tmp_path / "draws.csv"
    with whole_file(path) as first:
        first.write(b"first")
        check(path)
        with whole_file(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert [found.name for found in tmp_path.iterdir()] == ["draws.csv"]


def test_what_somebody_else_has_put_there_is_left_alone(tmp_path: Path) -> None:
    path, part, own = tmp_path / "draws.csv", tmp_path / ".draws.csv.part", tmp_path / "own"
    own.write_text("own")
    for lay in (part.symlink_to, part.hardlink_to):
        lay(own)
        with whole_file(path) as file:
            file.write(b"new")
        assert (own.read_text(), path.read_text()) == ("own", "new")
        part.unlink()
    part.mkdir()
    with whole_file(path) as file:
        file.write(b"newer")
    assert path.read_text() == "newer"


def test_permissions_are_those_of_the_file_or_of_a_new_one(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for mode in (None, 0o604):
            path = tmp_path / "a.csv"
            if mode is not None:
                path.chmod(mode)
            with whole_file(path) as file:
                file.write(b"x")
            assert path.stat().st_mode & 0o777 == (0o640 if mode is None else mode)
    finally:
        os.umask(before)
