"""The lines of progress themselves, by rich, which is only imported where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from distfit_counts.printable import printable
from distfit_counts.report.screen import Screen

# Characters of the bar, of the time, and between the columns: all of them are always shown.
_BAR, _TIME, _BETWEEN = 10, 7, 3


def started() -> Progress:
    """No lines yet, on stderr."""
    console = Screen(sys.stderr.encoding or "ascii", stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(_BAR),
        TextColumn("{task.fields[text]}", markup=False, table_column=Column(no_wrap=True)),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=_TIME)),
    )
    # What goes to stdout is a result: rich would send it to stderr.
    progress = Progress(*columns, console=console, transient=True, redirect_stdout=False)
    progress.start()
    return progress


def fitting(texts: Sequence[str], width: int) -> str:
    """The first of ``texts`` that leaves room for bar and time in ``width``; if none does, as much of the last."""
    texts = [printable(text, sys.stderr.encoding or "ascii") for text in texts]
    room = max(width - _BAR - _TIME - _BETWEEN, 0)
    return next((text for text in texts if cell_len(text) <= room), set_cell_size(texts[-1], room))
