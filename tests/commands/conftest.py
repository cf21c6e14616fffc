"""The command, run as a user runs it: in this process, or in one of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from distfit_counts.cli import app

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("distfit"))
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def process() -> Run:
    """``process("fit", path, ...)`` runs the installed command; ``input`` is its stdin, ``cwd`` its folder.

    For what only a process of its own shows, and once for every command: it starts Python and torch anew.
    """

    def run(
        *arguments: object, input: str | None = None, cwd: Path = ROOT, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env=os.environ | {"COLUMNS": "100"} | environment,
            timeout=120,
        )
        return as_promised(done)

    return run


@pytest.fixture(scope="session")
def distfit() -> Run:
    """The same command in this process, where torch is there already."""

    def run(
        *arguments: object, input: str | None = None, cwd: Path = ROOT, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        before = Path.cwd()
        os.chdir(cwd)
        try:
            runner = CliRunner(charset=environment.get("PYTHONIOENCODING", "utf-8"))
            done = runner.invoke(
                app,
                [str(argument) for argument in arguments],
                input=input,
                env={"COLUMNS": "100"} | environment,
                catch_exceptions=False,
            )
        finally:
            os.chdir(before)
        return as_promised(subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr))

    return run


def as_promised(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """The contract's exit codes, and no signal: a crash would otherwise look like an empty answer."""
    assert done.returncode in (0, 1, 2, 3), (done.returncode, done.stderr)
    return done


def assert_aligned(text: str) -> None:
    """No line of any table of ``text`` is longer than the rule under its head.

    A replacement of several characters made after the layout would push what stands to the right of it.
    """
    lines = text.splitlines()
    rules = [i for i, line in enumerate(lines) if line.strip() and set(line.strip()) == {"-"}]
    assert rules
    for rule in rules:
        rows = [lines[rule - 1], *itertools.takewhile(str.strip, lines[rule + 1 :])]
        assert all(len(row) <= len(lines[rule]) for row in rows), "\n".join([*rows[:1], lines[rule], *rows[1:]])


@pytest.fixture(scope="session")
def zip_csv() -> Path:
    return ROOT / "sample_data" / "zip_10000.csv"
