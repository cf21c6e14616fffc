"""A regression as a table, JSON or CSV, to stdout or a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from distfit_counts.regression.result import Regression
from distfit_counts.report.as_csv import csv_line
from distfit_counts.report.as_json import dumps, finite
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.regression import print_regression
from distfit_counts.report.regression_record import regression_record


def write_regression(fit: Regression, format: str, output: Path | None, verbose: bool = False) -> None:
    """``format``: table, json (one line) or csv (a line for every coefficient)."""
    if format == "table":
        emit_table(lambda console: print_regression(console, fit, verbose), output)
    elif format == "json":
        emit_lines([dumps(regression_record(fit)) + "\n"], output)
    else:
        emit_lines(_csv(fit), output)


def _csv(fit: Regression) -> Iterator[str]:
    yield csv_line(["parameter", "term", "estimate", "std_error", "z", "p_value", "lower", "upper", "note"])
    for own in fit.predictors:
        for c in own.coefficients:
            numbers = (c.estimate, c.std_error, c.z, c.p_value, c.lower, c.upper)
            yield csv_line([own.head, c.name, *("" if finite(x) is None else x for x in numbers), c.note])
