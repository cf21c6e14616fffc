"""Observed against expected counts as a table with a rootogram."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.rootogram import bars
from distfit_counts.report.tables import plain_table


def frequency_table(rows: Sequence[Frequency], width: int) -> Table:
    """One line per bin, with a rootogram where the terminal is wide enough."""
    table = plain_table()
    for name in ("count", "observed", "expected", "Pearson"):
        table.add_column(name, justify="right", no_wrap=True)
    lines = bars(rows, max(min(width - 48, 50), 8))
    if width >= 64:
        table.add_column("√observed, ┃ √expected", no_wrap=True)
    for row, line in zip(rows, lines, strict=True):
        label = str(row.low) if row.high == row.low else f"{row.low}–{row.high}"
        label = f"≥{row.low}" if row.high is None else label
        cells = [label, count(row.observed), number(row.expected), _residual(row.pearson)]
        table.add_row(*cells, *([line] if width >= 64 else []))
    return table


def _residual(value: float) -> str:
    if value != value:
        return "–"
    return fixed(value, 2) if abs(value) < 1e4 else number(value, 3) if abs(value) >= 1e7 else f"{value:.0f}"
