"""The summary of quantile residuals for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from distfit_counts.report.narrow import Fitting
from distfit_counts.report.numbers import count, fixed
from distfit_counts.report.screen import Line
from distfit_counts.report.tables import plain_table

if TYPE_CHECKING:
    from distfit_counts.inference.new_data.residuals import Residuals


def residual_summary(residuals: Residuals) -> list[RenderableType]:
    """Mean, standard deviation and share beyond +-1.96, beside what a true model gives."""
    note = f"{count(residuals.n)}, randomised with seed {residuals.seed}; standard normal if the model is right"
    return [Fitting(_table(residuals)), Padding(Line(note, style="dim"), (0, 0, 0, 1))]


def _table(residuals: Residuals) -> Table:
    table = plain_table()
    table.add_column("quantile residuals")
    for name in ("new data", "expected", "95 % band"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = (
        ("mean", residuals.mean, "0"),
        ("standard deviation", residuals.deviation, "1"),
        ("share of |r| > 1.96", residuals.beyond, "0.05"),
    )
    for name, moment, expected in rows:
        outside = moment.value == moment.value and not moment.lower <= moment.value <= moment.upper
        mark = " !" if outside else "  "
        band = f"{fixed(moment.lower, 4)} … {fixed(moment.upper, 4)}{mark}"
        table.add_row(name, fixed(moment.value, 4), expected, band)
    return table
