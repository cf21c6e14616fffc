"""Where a report goes: stdout, or a file that appears whole."""

from __future__ import annotations

import codecs
import io
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console

from distfit_counts.output import whole_file
from distfit_counts.report.as_csv import header, rows
from distfit_counts.report.as_json import dumps, fit_record
from distfit_counts.report.overview import print_overview
from distfit_counts.report.terminal import print_fit
from distfit_counts.result import Fit

# A file or a pipe has no width of its own.
_WIDTH = 120


def write_fits(fits: Sequence[Fit], format: str, output: Path | None, verbose: bool = False) -> None:
    """Write ``fits`` as ``table``, ``json`` or ``csv`` to ``output`` or stdout."""
    if format == "table" and output is None and sys.stdout.isatty():
        _tolerate_ascii(sys.stdout)
        _print(fits, Console(), verbose)
        return
    texts = _as_table(fits, verbose) if format == "table" else _as_lines(fits, format)
    if output is None:
        _tolerate_ascii(sys.stdout)
        for text in texts:
            sys.stdout.write(text)
        return
    with whole_file(output) as file:
        for text in texts:
            file.write(text.encode())


def _as_lines(fits: Sequence[Fit], format: str) -> Iterator[str]:
    """Line by line: the fits of 20,000 columns are never all in memory."""
    if format == "json":
        for fit in fits:
            yield dumps(fit_record(fit)) + "\n"
        return
    groups = list(fits[0].group)
    yield header(groups)
    for fit in fits:
        yield rows(fit, groups)


def _as_table(fits: Sequence[Fit], verbose: bool) -> Iterator[str]:
    """What a terminal would show, without colours and without the blanks that fill its lines."""
    buffer = io.StringIO()
    _print(fits, Console(file=buffer, width=shutil.get_terminal_size((_WIDTH, 24)).columns, no_color=True), verbose)
    yield "".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _print(fits: Sequence[Fit], console: Console, verbose: bool) -> None:
    if len(fits) > 1:
        print_overview(console, fits)
    if len(fits) == 1 or verbose:
        for fit in fits:
            print_fit(console, fit, verbose)


# For terminals that know only ASCII: better these than a traceback.
_ASCII = {"…": "..", "–": "-", "∞": "inf", "²": "^2", "√": "sqrt ", "≥": ">=", "−": "-", "┃": "|"}


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_ASCII.get(character, "?") for character in text), error.end


def _tolerate_ascii(stream: TextIO) -> None:
    codecs.register_error("distfit.ascii", _in_ascii)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="distfit.ascii")
