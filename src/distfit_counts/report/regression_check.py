"""A check of a regression as a table, JSON, CSV or Parquet, to stdout or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from distfit_counts import __version__
from distfit_counts.regression.agreement import Agreement, Moments
from distfit_counts.regression.check import RegressionCheck
from distfit_counts.report.agreement import moments_table, pearson
from distfit_counts.report.as_json import dumps, finite, verdict_record
from distfit_counts.report.check import pit_histogram
from distfit_counts.report.check_record import moments_record, pit_record
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.frequencies import frequency_table
from distfit_counts.report.narrow import whole
from distfit_counts.report.numbers import count, number
from distfit_counts.report.one_table import write_columns
from distfit_counts.report.residuals import residual_summary
from distfit_counts.report.residuals_record import residuals_record
from distfit_counts.report.screen import Data, Line
from distfit_counts.report.tables import plain_table
from distfit_counts.report.terminal import verdict_line

SCHEMA = "distfit.regression_check/1"


def write_check(found: RegressionCheck, format: str, output: Path | None) -> None:
    """``format``: table, json (one line), csv or parquet (one line of numbers)."""
    if format == "table":
        emit_table(lambda console: _print(console, found), output)
    elif format == "json":
        emit_lines([dumps(_record(found)) + "\n"], output)
    else:
        write_columns({name: [value] for name, value in _numbers(found).items()}, format, output)


def _print(console: Console, found: RegressionCheck) -> None:
    parts = [
        *_title(found),
        *(verdict_line(verdict) for verdict in found.verdicts),
        _score(found),
        Padding(Line("smaller is better", style="dim"), (0, 0, 0, 1)),
        *_counts(found.rows.seen.agreement, console.width),
        *pit_histogram(found.pit, found.pit_band, console.width),
        *residual_summary(found.residuals),
    ]
    console.print(Group(*map(whole, parts)), crop=False)


def _counts(seen: Agreement, width: int) -> list[RenderableType]:
    if seen.moments is None:
        return []
    return [
        moments_table(seen.moments, "new data", "model"),
        Padding(Line(pearson(seen.moments)), (0, 0, 0, 1)),
        frequency_table(seen.frequencies, width),
    ]


def _title(found: RegressionCheck) -> list[RenderableType]:
    source, rows = "stdin" if found.source == "-" else found.source, found.rows
    n = len(rows.seen.y)
    missing = f", {count(rows.n_missing)} left out for missing values" if rows.n_missing else ""
    unknown = f", {count(rows.n_unknown)} left out as the model knows nothing of them" if rows.n_unknown else ""
    rows_ = f": {count(n)} row{'s' * (n != 1)}{missing}{unknown}"
    own = Data(f"{found.saved.formula}, {found.saved.source}")
    return [
        Line((found.saved.kind, "bold cyan"), " checked on ", Data(source), rows_),
        Line("fitted to ", own, style="dim"),
    ]


def _score(found: RegressionCheck) -> Table:
    table = plain_table()
    for name in ("score", "new data", "in sample"):
        table.add_column(name, justify="left" if name == "score" else "right", no_wrap=True)
    table.add_row("log score, mean of −log p", number(found.log_score), number(found.saved.log_score))
    return table


def _record(found: RegressionCheck) -> dict[str, Any]:
    rows, seen = found.rows, residuals_record(found.rows.seen.agreement)
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": found.source,
        "model": {"family": found.saved.kind, "formula": found.saved.formula, "source": found.saved.source},
        "data": {
            "n": float(rows.seen.weights.sum()),
            "rows": len(rows.seen.y),
            "n_missing": rows.n_missing,
            "n_unknown": rows.n_unknown,
        },
        "outside_support": found.outside,
        "log_score": finite(found.log_score),
        "log_score_in_sample": finite(found.saved.log_score),
        **{name: value for name, value in seen.items() if name not in ("n", "quantile")},
        "pit": pit_record(found.pit, found.pit_band),
        "residuals": moments_record(found.residuals),
        "verdicts": [verdict_record(verdict) for verdict in found.verdicts],
    }


def _numbers(found: RegressionCheck) -> dict[str, Any]:
    residuals = found.residuals
    return {
        "source": found.source,
        "family": found.saved.kind,
        "rows": len(found.rows.seen.y),
        "n_missing": found.rows.n_missing,
        "outside_support": found.outside,
        "log_score": found.log_score,
        "log_score_in_sample": found.saved.log_score,
        **_of_counts(found.rows.seen.agreement.moments),
        "residual_mean": residuals.mean.value,
        "residual_deviation": residuals.deviation.value,
        "residual_share_beyond": residuals.beyond.value,
        "verdicts": " ".join(verdict.code for verdict in found.verdicts),
    }


def _of_counts(moments: Moments | None) -> dict[str, float]:
    if moments is None:
        return {}
    zeros = (moments.zeros[0] / moments.n, moments.zeros[1] / moments.n)
    pairs = {"mean": moments.mean, "variance": moments.variance, "zero_share": zeros}
    expected = {f"{name}_expected": pair[1] for name, pair in pairs.items()}
    return {name: pair[0] for name, pair in pairs.items()} | expected | {"dispersion": moments.dispersion}
