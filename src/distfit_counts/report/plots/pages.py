"""Two pictures of one fit on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.report.numbers import count
from distfit_counts.report.plots import pit, quantiles
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

    bars = bars_of(fit.histogram, Pmf.of(*fit.model))
    seen = agreement(bars, fit.n)
    root = rootogram_panel(fit.column, fit.n, bars).properties(title=small_title(inside(bars, seen), notes("hanging")))
    return dressed(alt.vconcat(pmf_panel(fit, bars), root, spacing=28), verdict(fit, seen), [about(fit)])


def check_page(fit: Fit, own: Fit) -> alt.TopLevelMixin:
    """Hanging rootogram, PIT histogram and quantile residuals of a fit whose column and histogram are of new data.

    ``own``: the same with its own data, which the new ones may be.
    """
    import altair as alt

    bars = bars_of(fit.histogram, Pmf.of(*fit.model))
    seen = agreement(bars, fit.n)
    rows, same = pit.pit_rows(fit), own.histogram.same(fit.histogram)
    uniform = pit.pit_panel(rows, _PIT_HEIGHT).properties(
        title=small_title(pit.sentence(fit.family, rows, fit.n, same), [pit.NOTE])
    )
    chart = alt.vconcat(
        rootogram_panel(fit.column, fit.n, bars), uniform, quantiles.quantile_page_panel(fit), spacing=28
    )
    counts = "count" if fit.n == 1 else "counts"
    on = f"the same {count(fit.n)} {counts} that it was fitted to" if same else f"{count(fit.n)} new {counts}"
    known = f"{fit.family} as fitted to column {own.column}, on {on}"
    return dressed(chart, verdict(fit, seen), [known, inside(bars, seen) + ".", *notes("hanging")])
