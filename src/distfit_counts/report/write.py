"""Fits as a table, JSON Lines or CSV, to stdout or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from distfit_counts.report.as_csv import header, rows
from distfit_counts.report.as_json import dumps, fit_record
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.overview import print_overview
from distfit_counts.report.terminal import print_fit
from distfit_counts.result import Fit


def write_fits(fits: Sequence[Fit], format: str, output: Path | None, verbose: bool = False) -> None:
    """Write ``fits`` as ``table``, ``json`` or ``csv`` to ``output`` or stdout."""
    if format == "table":
        emit_table(lambda console: _print(fits, console, verbose), output)
    else:
        emit_lines(_as_lines(fits, format), output)


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


def _print(fits: Sequence[Fit], console: Console, verbose: bool) -> None:
    if len(fits) > 1:
        print_overview(console, fits)
    if len(fits) == 1 or verbose:
        for fit in fits:
            print_fit(console, fit, verbose)
