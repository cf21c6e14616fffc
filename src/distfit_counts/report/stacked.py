"""Estimates, standard errors and intervals below each other, where a terminal is too narrow for them side by side."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table

from distfit_counts.report.numbers import number
from distfit_counts.report.tables import plain_table
from distfit_counts.result import Estimate, Fit


def stacked_parameters(
    fit: Fit, title: str, estimate: Callable[[Estimate], str], interval: Callable[[Estimate], str]
) -> Table:
    """A line for each estimate, with those of its standard error and interval below; then the derived values."""
    table = plain_table()
    table.add_column("parameter", style="bold")
    table.add_column("estimate", justify="right", no_wrap=True)
    for name, e in fit.parameters.items():
        table.add_row(name, estimate(e))
        table.add_row("  std. error", number(e.std_error), style="dim")
        table.add_row(f"  {title}", interval(e), style="dim")
    for name, value in fit.derived.items():
        if name not in ("mean", "variance", "prob_zero"):
            table.add_row(name, number(value), style="dim")
    return table
