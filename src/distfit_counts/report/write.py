"""Where a report goes: stdout, or a file that appears whole."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from distfit_counts.output import whole_file
from distfit_counts.report.as_csv import header, rows
from distfit_counts.report.as_json import dumps, fit_record
from distfit_counts.report.terminal import print_fit, print_overview
from distfit_counts.result import Fit

# A file or a pipe has no width of its own.
_WIDTH = 120


def write_fits(fits: Sequence[Fit], format: str, output: Path | None, verbose: bool = False) -> None:
    """Write ``fits`` as ``table``, ``json`` or ``csv`` to ``output`` or stdout."""
    if format == "table" and output is None:
        _print(fits, _stdout_console(), verbose)
        return
    texts = _as_table(fits, verbose) if format == "table" else _as_lines(fits, format)
    if output is None:
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
    buffer = io.StringIO()
    _print(fits, Console(file=buffer, width=_WIDTH, no_color=True), verbose)
    yield buffer.getvalue()


def _print(fits: Sequence[Fit], console: Console, verbose: bool) -> None:
    if len(fits) > 1:
        print_overview(console, fits)
    if len(fits) == 1 or verbose:
        for fit in fits:
            print_fit(console, fit, verbose)


def _stdout_console() -> Console:
    # rich takes 80 columns where it cannot ask; a pipe into less or a file is read on wider paper.
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)
