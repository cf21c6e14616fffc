"""How a regression and its responses agree, for people: moments, residuals, counts line by line."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from distfit_counts.regression.agreement import Agreement, Moments
from distfit_counts.report.frequencies import frequency_table
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.screen import Line
from distfit_counts.report.tables import plain_table


def agreement_parts(seen: Agreement, formula: str | None, width: int) -> list[RenderableType]:
    """For linear predictors and networks alike. ``formula``: the variance as a function of the parameters; ``width`` of
    the terminal.
    """
    mean, spread = (fixed(value, 3) for value in seen.quantile)
    quantile = f"quantile residuals: mean {mean}, standard deviation {spread} (0 and 1 if the model is true)"
    if seen.moments is None:
        return [Padding(Line(quantile, style="dim"), (0, 0, 1, 1))]
    lines = [pearson(seen.moments), quantile, *([formula] if formula else [])]
    return [
        moments_table(seen.moments, "observed", "fitted"),
        # The table below begins with a blank line.
        Padding(Group(*(Line(line, style="dim") for line in lines)), (0, 0, 0, 1)),
        frequency_table(seen.frequencies, width),
    ]


def moments_table(seen: Moments, observed: str, expected: str) -> Table:
    """Mean, variance and zeros; the columns' headings."""
    table = plain_table()
    for name in ("", observed, expected):
        table.add_column(name, justify="right" if name else "left")
    table.add_row("mean", *map(number, seen.mean))
    table.add_row("variance", *map(number, seen.variance))
    table.add_row("P(Y = 0)", *(number(zeros / seen.n) for zeros in seen.zeros))
    return table


def pearson(seen: Moments) -> str:
    """Pearson's statistic over its degrees of freedom, and what these are."""
    certain = f"{count(seen.settled)} row{'s' * (seen.settled != 1)}"
    settled = f"; {certain} that the infinite coefficients settle left out" if seen.settled else ""
    if not seen.df > 0:
        return f"Pearson χ²/df –: no degrees of freedom are left (df {seen.df:g}{settled})"
    if math.isnan(seen.chi_square):
        return "Pearson χ²/df –: the model has rows without a variance"
    return f"Pearson χ²/df {number(seen.dispersion, 4)} ({number(seen.chi_square)} on {seen.df:,.10g} df{settled})"
