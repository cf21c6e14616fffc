"""Two pictures of one fit on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distfit_counts.report.numbers import count
from distfit_counts.report.plots import pit
from distfit_counts.report.plots.bars import bars_of
from distfit_counts.report.plots.pmf import pmf_panel, verdict
from distfit_counts.report.plots.rootogram import inside, notes, rootogram_panel
from distfit_counts.report.plots.theme import dressed, small_title
from distfit_counts.report.plots.words import about, agreement
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

_PIT_HEIGHT = 200


def fit_page(fit: Fit) -> alt.TopLevelMixin:
    """Observed and fitted pmf over the hanging rootogram."""
    import altair as alt

    bars = bars_of(fit.histogram, fit.pmf)
    seen = agreement(bars, fit.n)
    root = rootogram_panel(fit, bars).properties(title=small_title(inside(bars, seen), notes("hanging")))
    return dressed(alt.vconcat(pmf_panel(fit, bars), root, spacing=28), verdict(fit, seen), [about(fit)])


def check_page(fit: Fit, fitted_to: str) -> alt.TopLevelMixin:
    """Hanging rootogram over the PIT histogram of a fit whose column and histogram are those of new data.

    ``fitted_to``: the column of the model's own data.
    """
    import altair as alt

    bars = bars_of(fit.histogram, fit.pmf)
    seen = agreement(bars, fit.n)
    rows = pit.pit_rows(fit)
    uniform = pit.pit_panel(rows, _PIT_HEIGHT).properties(title=small_title(pit.sentence(fit.family, rows), [pit.NOTE]))
    chart = alt.vconcat(rootogram_panel(fit, bars), uniform, spacing=28)
    known = f"{fit.family} as fitted to column {fitted_to}, on {count(fit.n)} new counts"
    return dressed(chart, verdict(fit, seen), [known, inside(bars, seen) + ".", *notes("hanging")])
