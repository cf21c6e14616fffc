"""A regression as a table, JSON, CSV or Parquet, to stdout or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distfit_counts.regression.result import Regression
from distfit_counts.report.as_json import dumps
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.one_table import write_columns
from distfit_counts.report.regression import print_regression
from distfit_counts.report.regression_record import regression_record


def write_regression(fit: Regression, format: str, output: Path | None, verbose: bool = False) -> None:
    """``format``: table, json (one line), csv or parquet (a line for every coefficient)."""
    if format == "table":
        emit_table(lambda console: print_regression(console, fit, verbose), output)
    elif format == "json":
        emit_lines([dumps(regression_record(fit)) + "\n"], output)
    else:
        write_columns(_columns(fit), format, output)


def _columns(fit: Regression) -> dict[str, list[Any]]:
    found = [(own.head, c) for own in fit.predictors for c in own.coefficients]
    numbers = ("estimate", "std_error", "z", "p_value", "lower", "upper")
    return {
        "parameter": [head for head, _ in found],
        "term": [c.name for _, c in found],
        **{name: [_defined(getattr(c, name)) for _, c in found] for name in numbers},
        "note": [c.note for _, c in found],
        "converged": [fit.converged] * len(found),
        "status": [fit.status] * len(found),
        "verdicts": [" ".join(dict.fromkeys(verdict.code for verdict in fit.verdicts))] * len(found),
    }


def _defined(value: float) -> float | None:
    """Infinite numbers are told, undefined ones are missing."""
    return None if value != value else value
