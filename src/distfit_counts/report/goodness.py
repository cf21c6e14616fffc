"""Goodness of fit, tests and correlations for people."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from distfit_counts.inference.verdicts.p_values import p_text
from distfit_counts.report.narrow import Fitting
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.screen import Line
from distfit_counts.report.tables import plain_table
from distfit_counts.result import Fit

# Narrower terminals get the tables without their explaining columns.
_WIDE = 96


def tests_table(fit: Fit, width: int) -> RenderableType:
    """Every test on one line: goodness of fit, then the simpler families; their null distributions below them where
    there is no room beside.
    """
    table = Fitting(_tests(fit, width))
    return table if width >= _WIDE else Group(table, *_nulls(fit))


def _nulls(fit: Fit) -> list[Line]:
    titles: dict[str, list[str]] = {}
    for test in (*fit.goodness.tests, *fit.tests):
        titles.setdefault(test.null, []).append(test.title)
    return [Line(f" {', '.join(own)}: {null}", style="dim") for null, own in titles.items()]


def _tests(fit: Fit, width: int) -> Table:
    table = plain_table()
    table.add_column("test", style="bold", overflow="fold")
    for name in ("statistic", "df", "p-value"):
        table.add_column(name, justify="right", no_wrap=True)
    wide = width >= _WIDE
    if wide:
        table.add_column("its null distribution", style="dim", overflow="fold")
    bins = f" ({len(fit.goodness.bins)} bins)" if len(fit.goodness.bins) > 1 else ""
    for test in (*fit.goodness.tests, *fit.tests):
        title = f"{test.title}{bins}" if test.code == "chi_square" else test.title
        freedom = f"{test.df:.0f}" if test.df >= 1 else ""
        null = [test.null] if wide else []
        table.add_row(title, number(test.statistic, 4), freedom, p_text(test.p_value), *null)
    return table


def bins_line(fit: Fit) -> Line:
    """Which counts were pooled for X2 and G2: "0 to 12 each, 13-14, >=15"."""
    bins = fit.goodness.bins
    single = next((i for i, row in enumerate(bins) if row.high != row.low), len(bins))
    named = [f"{row.low} to {row.high}" if row.high is not None else f"≥{row.low}" for row in bins[single:]]
    if single > 2:
        named.insert(0, f"{bins[0].low} to {bins[single - 1].low} each")
    else:
        named = [str(row.low) for row in bins[:single]] + named
    shown = [*named[:8], f"... {len(named) - 9} more ...", named[-1]] if len(named) > 10 else named
    return Line(f" bins of X² and G²: {', '.join(shown)}", style="dim")


def correlation_table(fit: Fit) -> RenderableType:
    """The correlation matrix of the estimates, lower triangle."""
    names = list(fit.correlation)
    table = plain_table()
    table.add_column("correlation", style="bold")
    for name in names:
        table.add_column(name, justify="right")
    for i, name in enumerate(names):
        table.add_row(name, *(fixed(fit.correlation[name][other], 3) for other in names[: i + 1]))
    return table


def bins_table(fit: Fit) -> RenderableType:
    """The pooled bins behind Pearson's statistic."""
    table = plain_table()
    for name in ("bin", "observed", "expected", "Pearson"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in fit.goodness.bins:
        label = f"{row.low}" if row.high == row.low else f"{row.low}–{row.high}"
        label = f"≥{row.low}" if row.high is None else label
        table.add_row(label, count(row.observed), number(row.expected), fixed(row.pearson, 2))
    return table
