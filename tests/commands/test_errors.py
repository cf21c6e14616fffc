"""Exit codes and messages: one clear sentence, never a traceback, never a half-written file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.conftest import COMMAND, ROOT, Run

HORSEKICKS = "sample_data/horsekicks.csv"


@pytest.mark.parametrize(
    ("arguments", "input", "said"),
    [
        (["fit", "nofile.csv", "-f", "zip"], None, ["nofile.csv", "no such file"]),
        (["fit", "-", "-f", "zip"], "y\n1\n-3\n", ["row 2", "-3 is negative"]),
        (["fit", "-", "-f", "zip"], "y\n1\n2.5\n", ["row 2", "2.5"]),
        (["fit", "-", "-f", "zip"], "y\n1\nmany\n", ["row 2", "'many'", "whole numbers >= 0"]),
        (
            ["fit", HORSEKICKS, "-f", "zip", "-o", "same", "--save", "same"],
            None,
            ["two outputs", "a name of its own"],
        ),
        (["fit", "-", "-f", "zip"], "", ["empty"]),
        (["fit", "-", "-f", "zip"], "y\nNA\n\n", ["only missing values"]),
        (["fit", "-", "-f", "zip"], "y\n9007199254740993\n", ["9007199254740993"]),
        (["fit", HORSEKICKS, "-f", "zip", "-c", "death"], None, ['no column "death"', "deaths"]),
        (["fit", "sample_data/saxony.csv", "-f", "zip"], None, ["boys, families", "--column"]),
        (["fit", HORSEKICKS, "-f", "zippo"], None, ["unknown family 'zippo'", "zip"]),
        (["fit", HORSEKICKS, "-f", "zt(poisson)"], None, ["109", "hurdle"]),
        (["fit", HORSEKICKS, "-f", "nb", "--components", "3"], None, ["--components"]),
        (["fit", HORSEKICKS], None, ["--family"]),
        (["fit", HORSEKICKS, "-f", "nb", "--restarts", "0"], None, ["restarts"]),
        (["fit", HORSEKICKS, "-f", "nb", "-o", "/nonexistent/out.txt"], None, ["/nonexistent/out.txt"]),
        (["sample", "-f", "zip", "-p", "pi=2", "-p", "rate=3", "-n", "5"], None, ["pi = 2", "between 0 and 1"]),
        (["sample", "-f", "zip", "-p", "pi=0.5", "-n", "5"], None, ["'rate'"]),
        (["sample", "-f", "nb", "-p", "mean=x", "-p", "size=1", "-n", "5"], None, ["'x' is not a number"]),
        (["sample", "-f", "nb", "-p", "mean=1", "-p", "alpha=1", "-n", "5"], None, ["'alpha'", "mean, size"]),
        (["sample", "-f", "nb", "-p", "mean=nan", "-p", "size=1", "-n", "5"], None, ["mean"]),
        (["sample", "-n", "5"], None, ["--family"]),
        (["show", HORSEKICKS], None, ["not JSON"]),
        (["show", "nothing.json"], None, ["nothing.json"]),
        (["predict"], None, ["predict"]),
    ],
)
def test_bad_usage_and_bad_input_exit_2(distfit: Run, arguments: list[str], input: str | None, said: list[str]) -> None:
    done = distfit(*arguments, input=input)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


@pytest.mark.parametrize("first", [["--output"], ["--save"]])
def test_an_impossible_output_is_said_before_the_work(distfit: Run, tmp_path: Path, first: list[str]) -> None:
    done = distfit("fit", HORSEKICKS, "-f", "nb", *first, tmp_path, {"--output": "--save"}.get(first[0], "-o"), "left")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a directory" in done.stderr
    assert not (ROOT / "left").exists()


def test_a_header_that_is_not_utf8(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("fälle\n1\n".encode("latin1"))
    done = distfit("fit", tmp_path / "latin.csv", "-f", "poisson")
    assert done.returncode == 2
    assert "not valid UTF-8" in done.stderr
    assert "iconv" in done.stderr


def test_counts_too_large_to_draw(distfit: Run) -> None:
    done = distfit("sample", "-f", "nb", "-p", "mean=9e15", "-p", "size=0.0005", "-n", 100_000, "-s", 1)
    assert done.returncode == 2
    assert "too large" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["families", "--help", "fit --help", "--version"])
def test_what_is_only_told_into_a_closed_pipe(words: str) -> None:
    script = f"{COMMAND} {words} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_device_as_output(process: Run) -> None:
    done = process("fit", HORSEKICKS, "-f", "poisson", "-o", "/dev/stdout")
    assert done.returncode == 0
    assert "poisson fitted to" in done.stdout


def test_a_damaged_model_is_refused(distfit: Run, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text('{"schema": "distfit.model/9"}')
    assert "distfit.model/2" in distfit("show", model).stderr
    model.write_text('{"schema": "distfit.model/1", "fits": [{}]}')
    done = distfit("show", model)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "damaged" in done.stderr


def test_an_error_leaves_the_earlier_output(distfit: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("kept")
    assert distfit("fit", "-", "-f", "zip", "-o", kept, "--save", kept, input="y\n-1\n").returncode == 2
    assert kept.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [kept]


def test_a_closed_pipe_is_no_error() -> None:
    writer = subprocess.Popen(
        [COMMAND, "sample", "-f", "nb", "-p", "mean=3", "-p", "size=1", "-n", "3000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    assert writer.stdout.readline() == b"count\n"
    writer.stdout.close()
    assert (writer.wait(60), writer.stderr.read()) == (0, b"")
    writer.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["families"],
        ["fit", HORSEKICKS, "-f", "nb"],
        ["sample", "-f", "nb", "-p", "mean=3", "-p", "size=1", "-n", "100000"],
    ],
)
def test_a_full_disk_under_stdout(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        command = [COMMAND, *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (2, "distfit: No space left on device\n  check the disk and the output\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "-", "-f", "zip", "-o", "out.json"],
        ["sample", "-f", "nb", "-p", "mean=3", "-p", "size=1", "-n", "1000000000", "-o", "out.csv"],
    ],
)
def test_ctrl_c_leaves_nothing(arguments: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()  # stdin that never ends
    process = subprocess.Popen([COMMAND, *arguments], stdin=reader, stderr=subprocess.PIPE, cwd=tmp_path)
    os.write(writer, b"y\n1\n2\n")
    time.sleep(2.0)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    os.close(reader)
    os.close(writer)
    assert list(tmp_path.iterdir()) == []


def test_help_version_and_families(distfit: Run) -> None:
    for arguments, words in [
        (["--help"], ["fit", "sample", "show", "families"]),
        (["fit", "--help"], ["--family", "--by", "--weights", "--restarts", "--optimizer"]),
        (["--version"], ["distfit 0."]),
        (["families"], ["zi(...)", "hurdle", "pmf", "logseries", "--family mixture"]),
    ]:
        done = distfit(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        for word in words:
            assert word in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "sample_data/zip_10000.csv", "-f", "2*nb"],
        ["fit", "sample_data/zip_10000.csv", "-f", "2*nb", "--format", "json"],
        ["compare", "sample_data/zip_10000.csv"],
        ["regress", "sample_data/nmes1988.csv", "visits ~ chronic + school", "-f", "nb"],
    ],
)
def test_what_did_not_converge_is_printed_all_the_same(distfit: Run, arguments: list[str]) -> None:
    """Into a pipe, which Python writes to when it has 8 KB, or at the end."""
    done = distfit(*arguments, "--max-steps", "1")
    assert done.returncode == 1
    assert len(done.stdout) > 300
    assert done.stdout.endswith("\n")


def test_python_m_is_the_command() -> None:
    python = str(Path(COMMAND).with_name("python"))
    done = subprocess.run([python, "-m", "distfit_counts", "--version"], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("distfit ")


@pytest.mark.parametrize(
    "module", ["typer", "distfit_counts.cli", "distfit_counts.commands.fit", "distfit_counts.settings"]
)
def test_ctrl_c_while_the_command_itself_is_imported(module: str) -> None:
    """The signal comes when the import of ``module`` begins."""
    code = (
        "import os, signal, sys\n"
        "class Press:\n"
        "    def find_spec(self, name, *others):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Press())\n"
        f"sys.argv = ['distfit', 'fit', {HORSEKICKS!r}, '-f', 'nb']\n"
        "from distfit_counts.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "distfit: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "problem", "command"),
    [
        (["--bogus"], "no such option", "distfit"),
        (["nonsense"], "no such command 'nonsense'", "distfit"),
        (["fit", HORSEKICKS], "missing option '--family' / '-f'", "distfit fit"),
        (["fit", HORSEKICKS, "-f", "nb", "--threads", "0"], "invalid value for '--threads': 0", "distfit fit"),
        (["fit", HORSEKICKS, "-f", "nb", "--format", "xml"], "invalid value for '--format': 'xml'", "distfit fit"),
    ],
)
def test_wrong_options_are_said_as_all_that_is_wrong(
    distfit: Run, arguments: list[str], problem: str, command: str
) -> None:
    done = distfit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith(f"distfit: {problem}")
    assert not first.endswith(".")
    assert second == f"  {command} --help lists the options"


def test_stdin_that_is_closed() -> None:
    done = subprocess.run(["bash", "-c", f"{COMMAND} fit - -f nb <&-"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("distfit: stdin is closed\n")


def test_options_of_matrices_say_nothing_to_a_database(distfit: Run) -> None:
    done = distfit("fit", "--connect", "duckdb://", "--table", "a", "-f", "nb", "--layer", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--layer does nothing with --connect" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["fit", HORSEKICKS, "-f", "nb", "--family", "zip"], "--family"),
        (["fit", HORSEKICKS, "-f", "nb", "--seed", "1", "--seed", "1"], "--seed"),
        (["fit", HORSEKICKS, "-f", "nb", "-q", "--quiet"], "--quiet"),
        (["regress", HORSEKICKS, "deaths ~ 1", "--offset", "a", "--offset", "b"], "--offset"),
        (["sample", "-f", "poisson", "-p", "rate=1", "-n", "1", "-n", "2"], "-n"),
        (["check", "m.json", HORSEKICKS, "-o", "a.csv", "-o", "b.csv"], "--output"),
    ],
)
def test_an_option_given_twice_is_refused(distfit: Run, arguments: list[str], option: str) -> None:
    """Of two values, one would be dropped in silence."""
    done = distfit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"distfit: {option} is given 2 times\n  give it once")


def test_options_that_are_lists_may_be_repeated(distfit: Run) -> None:
    done = distfit("compare", HORSEKICKS, "-f", "poisson", "-f", "nb,geometric", "--format", "json")
    assert {one["family"] for one in json.loads(done.stdout)["candidates"]} == {"poisson", "nb", "geometric"}
