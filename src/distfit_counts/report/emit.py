"""Where a report goes: a terminal, a pipe, or a file that appears whole."""

from __future__ import annotations

import codecs
import io
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from rich.console import Console

from distfit_counts.output import whole_file

# A file or a pipe has no width of its own.
_WIDTH = 120


def emit_table(draw: Callable[[Console], None], output: Path | None) -> None:
    """What ``draw`` prints: in colours to a terminal, else as plain text."""
    if output is None and sys.stdout.isatty():
        _tolerate_ascii(sys.stdout)
        draw(Console())
        return
    buffer = io.StringIO()
    draw(Console(file=buffer, width=shutil.get_terminal_size((_WIDTH, 24)).columns, no_color=True))
    # Without the blanks that fill the lines.
    emit_lines((line.rstrip() + "\n" for line in buffer.getvalue().splitlines()), output)


def emit_lines(lines: Iterable[str], output: Path | None) -> None:
    """``lines``, which end in a newline, one by one to ``output`` or stdout."""
    if output is None:
        _tolerate_ascii(sys.stdout)
        for line in lines:
            sys.stdout.write(line)
        return
    with whole_file(output) as file:
        for line in lines:
            file.write(line.encode())


# For terminals that know only ASCII: better these than a traceback.
_ASCII = {
    "…": "..",
    "–": "-",
    "∞": "inf",
    "²": "^2",
    "√": "sqrt ",
    "½": "1/2",
    "χ": "chi",
    "é": "e",
    "Δ": "d",
    "≥": ">=",
    "−": "-",
    "─": "-",
    "┃": "|",
}
# Bars: whole and nearly whole cells.
_ASCII |= dict.fromkeys("█▉▊▋▌", "#") | dict.fromkeys("▍▎▏", " ")


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_ASCII.get(character, "?") for character in text), error.end


def _tolerate_ascii(stream: TextIO) -> None:
    codecs.register_error("distfit.ascii", _in_ascii)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="distfit.ascii")
