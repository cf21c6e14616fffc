"""Paired timing: A and B in turn, and the median of the ratios, since machines drift."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    asked: str
    measured: str
    detail: str


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def ratio(first: Callable[[], object], second: Callable[[], object], pairs: int) -> tuple[float, float, float]:
    """Median of first/second over ``pairs`` after one warm-up of each, and the median seconds of both."""
    first()
    second()
    times = [(seconds(first), seconds(second)) for _ in range(pairs)]
    middle = statistics.median
    return middle(a / b for a, b in times), middle(a for a, _ in times), middle(b for _, b in times)


def python(*arguments: str) -> Callable[[], object]:
    """A run of this interpreter as a whole process, its output thrown away."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def distfit(*arguments: str, ok: tuple[int, ...] = (0,)) -> Callable[[], object]:
    """A run of the installed command as a whole process. ``ok``: exit codes that may be."""

    def run() -> None:
        done = subprocess.run(_command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        assert done.returncode in ok, (arguments, done.returncode)

    return run


# Linux counts to a process what its parent held when it was started: a small parent, not this one with its arrays.
_PEAK = (
    "import resource, subprocess, sys\n"
    "code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
    "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def peak_megabytes(*arguments: str, ok: tuple[int, ...] = (0,)) -> float:
    """The largest resident set of a run of the installed command."""
    command = [sys.executable, "-c", _PEAK, *_command(*arguments)]
    code, kilobytes = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert int(code) in ok, arguments
    return int(kilobytes) / 1e3


def _command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("distfit")), *arguments]
