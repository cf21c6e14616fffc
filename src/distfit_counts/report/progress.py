"""Progress on stderr, for work longer than a second, only where somebody watches."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from distfit_counts.settings import PROGRESS_AFTER

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Item = TypeVar("Item")
# How many are done, of how many.
Report = Callable[[int, int], None]

# Seconds between two updates: of a million fits not each needs one.
_EVERY = 0.1


class Watch:
    """Shows nothing for the first second, and nothing at all when stderr is no terminal or ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        self._active = sys.stderr.isatty() and not quiet
        self._begun = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shown: dict[str, float] = {}
        # Several threads fit and report: each task has one line all the same.
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Clear the lines; what is shown afterwards begins new ones."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
            self._progress = None
            self._tasks.clear()

    def show(self, task: str, done: float, total: float | None, *texts: str) -> None:
        """``done`` of ``total`` (None: unknown) of ``task``; beside the bar stands the first of ``texts``, ever shorter
        ones, for which there is room.
        """
        now = time.monotonic()
        if not self._active or now - self._begun < PROGRESS_AFTER:
            return
        with self._lock:
            if done != total and now - self._shown.get(task, 0.0) < _EVERY:
                return
            self._shown[task] = now
            # Importing rich takes a tenth of the time in which a small file is counted.
            from distfit_counts.report.progress_lines import fitting, started

            self._progress = self._progress or started()
            text = fitting(texts, self._progress.console.width - max(map(len, [task, *self._tasks])))
            if task not in self._tasks:
                self._tasks[task] = self._progress.add_task(task, total=total, text=text)
            self._progress.update(self._tasks[task], completed=done, total=total, text=text)

    def reporter(self, task: str, what: str) -> Report:
        """Shows how many of ``what`` are done."""
        return lambda done, total: self.show(task, done, total, *portion(done, total, what))

    def writing(self, output: Path | None, what: str) -> Report | None:
        """How to show that results are written; None, and nothing more is shown, where they may be on this terminal."""
        if output is None or (output.exists() and not output.is_file()):
            self.stop()
            return None
        return self.reporter("writing", what)


def portion(done: int, total: int, what: str) -> tuple[str, str, str]:
    """``done`` of ``total``, in ever fewer words."""
    short = f"{done:,} of {total:,}"
    return f"{short} {what}", short, f"{done / max(total, 1):.0%}"


def reported(items: Sequence[Item], report: Report | None) -> Iterator[Item]:
    """``items``, with a ``report`` after each."""
    for done, item in enumerate(items, start=1):
        yield item
        if report is not None:
            report(done, len(items))
