"""Where a report goes: a terminal, a pipe, or a file that appears whole."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from distfit_counts.output import whole_file
from distfit_counts.report.encoding import ReplacingConsole, tolerate

# A file or a pipe has no width of its own.
_WIDTH = 120


def emit_table(draw: Callable[[Console], None], output: Path | None) -> None:
    """What ``draw`` prints: in colours to a terminal, else as plain text."""
    encoding = "utf-8" if output is not None else sys.stdout.encoding or "ascii"
    if output is None and sys.stdout.isatty():
        tolerate(sys.stdout)
        draw(ReplacingConsole(encoding))
        return
    buffer = io.StringIO()
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    draw(ReplacingConsole(encoding, file=buffer, width=width, no_color=True))
    # Without the blanks that fill the lines.
    emit_lines((line.rstrip() + "\n" for line in buffer.getvalue().splitlines()), output)


def emit_lines(lines: Iterable[str], output: Path | None) -> None:
    """``lines``, which end in a newline, one by one to ``output`` or stdout."""
    if output is None:
        tolerate(sys.stdout)
        for line in lines:
            sys.stdout.write(line)
        return
    with whole_file(output) as file:
        for line in lines:
            file.write(line.encode())
