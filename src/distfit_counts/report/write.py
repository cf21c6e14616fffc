"""Fits as a table, JSON Lines, CSV or Parquet, to stdout or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from distfit_counts.inference.fitted.numbers import runs
from distfit_counts.report.as_csv import csv_lines
from distfit_counts.report.as_json import dumps, fit_record
from distfit_counts.report.as_parquet import write_parquet
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.overview import print_overview
from distfit_counts.report.progress import Report, reported
from distfit_counts.report.result_table import adjusted, p_values, portions
from distfit_counts.report.terminal import print_fit
from distfit_counts.result import Fit


def write_fits(
    fits: Sequence[Fit], format: str, output: Path | None, verbose: bool = False, report: Report | None = None
) -> None:
    """Write ``fits`` as ``table``, ``json``, ``csv`` or ``parquet`` to ``output`` or stdout."""
    if format == "json":
        emit_lines(_json(fits, report), output)
    elif format == "csv":
        emit_lines(csv_lines(portions(runs(fits), report)), output)
    elif format == "parquet" and output is not None:
        found = runs(fits)
        # As they are where there is one run: the labels of groups are had without the groups.
        places = found[0].places if len(found) == 1 else [place for numbers in found for place in numbers.places]
        write_parquet(portions(found, report), places, output)
    else:
        emit_table(lambda console: _print(fits, console, verbose, report), output)


def _json(fits: Sequence[Fit], report: Report | None) -> Iterator[str]:
    """Line by line: the fits of 20,000 columns are never all in memory."""
    many = adjusted(p_values(runs(fits))) if len(fits) > 1 else None
    for i, fit in enumerate(reported(fits, report)):
        own = None if many is None else {code: float(p[i]) for code, p in many.items()}
        yield dumps(fit_record(fit, own)) + "\n"


def _print(fits: Sequence[Fit], console: Console, verbose: bool, report: Report | None) -> None:
    if len(fits) > 1:
        print_overview(console, list(reported(fits, report)))
    if len(fits) == 1 or verbose:
        for fit in fits:
            print_fit(console, fit, verbose)
