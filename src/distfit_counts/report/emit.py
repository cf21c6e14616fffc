"""Where a report goes: a terminal, a pipe, or a file that appears whole."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from distfit_counts.output import whole_file
from distfit_counts.report.screen import Screen, plain_text

# A file or a pipe has no width of its own.
_WIDTH = 120


def emit_table(draw: Callable[[Console], None], output: Path | None) -> None:
    """What ``draw`` prints: in colours to a terminal, else as plain text, in UTF-8 to a file."""
    encoding = "utf-8" if output is not None else sys.stdout.encoding or "ascii"
    if output is None and sys.stdout.isatty():
        draw(Screen(encoding))
        return
    text = plain_text(draw, shutil.get_terminal_size((_WIDTH, 24)).columns, encoding)
    if output is None:
        sys.stdout.write(text)
    else:
        emit_lines([text], output)


def emit_lines(lines: Iterable[str], output: Path | None) -> None:
    """``lines`` of data, which end in a newline, one by one in UTF-8 to ``output`` or stdout, whatever its encoding."""
    if output is None:
        sys.stdout.flush()
        for line in lines:
            sys.stdout.buffer.write(encoded(line))
        return
    with whole_file(output) as file:
        for line in lines:
            file.write(encoded(line))


def encoded(text: str) -> bytes:
    """UTF-8; of a file name that is none, its own bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return unicode_text(text).encode()


def unicode_text(text: str) -> str:
    """``text`` as Parquet can hold it: bytes of a file name that are no UTF-8 as ``\\udce9``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
