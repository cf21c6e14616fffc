"""Observed against expected counts as a table with a rootogram."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.rootogram import bars
from distfit_counts.report.tables import plain_table

# Fewer characters show nothing.
_NARROWEST = 16


def frequency_table(rows: Sequence[Frequency], width: int) -> Table:
    """One line per bin, with a rootogram where the terminal is wide enough."""
    table = plain_table()
    for name in ("count", "observed", "expected", "Pearson"):
        table.add_column(name, justify="right", no_wrap=True)
    labels = [_label(row) for row in rows]
    # Counts near a billion have labels of twenty characters.
    room = width - 48 - max(max(map(len, labels)) - 11, 0)
    drawn = room >= _NARROWEST
    if drawn:
        table.add_column("√observed, ┃ √expected", no_wrap=True)
    for row, label, line in zip(rows, labels, bars(rows, min(max(room, 1), 50)), strict=True):
        cells = [label, count(row.observed), number(row.expected), _residual(row.pearson)]
        table.add_row(*cells, *([line] if drawn else []))
    return table


def _label(row: Frequency) -> str:
    if row.high is None:
        return f"≥{row.low}"
    return str(row.low) if row.high == row.low else f"{row.low}–{row.high}"


def _residual(value: float) -> str:
    if value != value:
        return "–"
    return fixed(value, 2) if abs(value) < 1e4 else number(value, 3) if abs(value) >= 1e7 else f"{value:.0f}"
