"""What no user can mend ends in one line and exit code 70; what the machine has no room for, in another and 2."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from distfit_counts.cli import app

ARGUMENTS = ["fit", "sample_data/horsekicks.csv", "--family", "poisson"]


class Panic(BaseException):
    """As the extensions written in Rust raise it: no Exception."""


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException, **environment: str) -> Any:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("distfit_counts.data.files.read_sources", fail)
    return CliRunner().invoke(app, ARGUMENTS, env=environment, catch_exceptions=False)


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("maximum recursion depth exceeded"),
        AssertionError(),
        # click has exit code 1 for it.
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        RuntimeError("The size of tensor a (2) must match the size of tensor b (3)"),
        ValueError("several\nlines, password='hunter2'"),
        ZeroDivisionError("float division by zero"),
        StopIteration(),
        Panic("called `Option::unwrap()` on a `None` value"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_ours_is_one_line_and_70(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    done = ending(monkeypatch, error)
    assert (done.exit_code, done.stdout) == (70, "")
    (line,) = done.stderr.splitlines()
    assert type(error).__name__ in line
    assert "commands/data.py, line" in line, "the last place of our own"
    assert "DISTFIT_DEBUG=1" in line
    assert "report" in line
    assert "hunter2" not in line


def test_the_traceback_is_shown_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = ending(monkeypatch, IndexError("list index out of range, password='hunter2'"), DISTFIT_DEBUG="1")
    assert done.exit_code == 70
    assert done.stderr.startswith("Traceback")
    assert "IndexError" in done.stderr.splitlines()[-1]
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to allocate 20.00 GiB"),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=["numpy", "torch", "cuda", "system"],
)
def test_memory_that_ends_is_no_error_of_ours(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    done = ending(monkeypatch, error)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the memory is used up" in done.stderr.splitlines()[0]


def test_torch_that_has_no_memory_for_a_network(tmp_path: Any) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("y,x\n" + "".join(f"{i % 5},{i % 7}\n" for i in range(200)))
    done = CliRunner().invoke(app, ["regress", str(path), "y ~ x", "--hidden", "1,10000000000000000"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the memory is used up" in done.stderr


def test_what_fails_while_the_command_is_imported() -> None:
    code = (
        "import sys\n"
        "sys.modules['distfit_counts.commands.fit'] = None\n"
        "sys.argv = ['distfit', '--help']\n"
        "from distfit_counts.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 70
    (line,) = done.stderr.splitlines()
    assert "ModuleNotFoundError" in line
    assert "DISTFIT_DEBUG=1" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "postgres://u:hunter2@h/d", "-f", "nb"],
        ["fit", "x.csv", "-f", "postgres://h/d?password=hunter2"],
        ["fit", "--connet", "postgres://u:hunter2@h/d", "-f", "nb"],
        ["show", "postgres://u:hunter2@h/d"],
        ["fit", "sample_data/horsekicks.csv", "-f", "nb", "-o", "postgres://u:hunter2@h/d"],
    ],
)
def test_addresses_at_the_wrong_place_keep_their_passwords(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 2
    assert "hunter2" not in done.output
