"""Fits as CSV: one line per parameter, everything else repeated, so that any tool can filter and pivot."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from distfit_counts.result import Fit

_FIT = ("n", "n_missing", "log_likelihood", "n_parameters", "aic", "aicc", "bic", "converged", "status", "verdicts")


def header(groups: Sequence[str]) -> str:
    """The first line; ``groups`` are the grouping columns."""
    parameter = ("parameter", "estimate", "std_error", "lower", "upper", "boundary")
    return csv_line(["source", "column", *groups, "family", *parameter, *_FIT])


def rows(fit: Fit, groups: Sequence[str]) -> str:
    """The lines of one fit. An empty field is a number that does not exist; ``inf`` is an infinite one."""
    numbers = [fit.log_likelihood, fit.n_parameters, fit.aic, fit.aicc, fit.bic]
    whole = [fit.n, fit.histogram.n_missing, *(_field(x) for x in numbers), str(fit.converged).lower(), fit.status]
    codes = " ".join(verdict.code for verdict in fit.verdicts)
    place = [fit.source, fit.column, *(fit.group.get(name, "") for name in groups), fit.family]
    lines = []
    for name, e in fit.parameters.items():
        own = [_field(x) for x in (e.estimate, e.std_error, e.lower, e.upper)]
        lines.append(csv_line([*place, name, *own, e.boundary or "", *whole, codes]))
    return "".join(lines)


def _field(value: float) -> object:
    return "" if math.isnan(value) else repr(value)


def csv_line(fields: Sequence[object]) -> str:
    """One line of CSV, with its newline."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(fields)
    return buffer.getvalue()
