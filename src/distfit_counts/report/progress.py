"""Progress on stderr, for work longer than a second, only where somebody watches."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from distfit_counts.settings import PROGRESS_AFTER


class Watch:
    """Shows nothing for the first second, and nothing at all when stderr is no terminal or ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        self._active = sys.stderr.isatty() and not quiet
        self._begun = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, task: str, done: float, total: float | None, text: str) -> None:
        """``done`` of ``total`` (None: unknown) of ``task``; ``text`` is what people read beside the bar."""
        if not self._active or time.monotonic() - self._begun < PROGRESS_AFTER:
            return
        if self._progress is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[text]}"),
                TimeElapsedColumn(),
            )
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
        if task not in self._tasks:
            self._tasks[task] = self._progress.add_task(task, total=total, text=text)
        self._progress.update(self._tasks[task], completed=done, total=total, text=text)
