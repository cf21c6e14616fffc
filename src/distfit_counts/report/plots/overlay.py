"""Several families on one column: their pmfs over the observed bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.report.numbers import count, fixed
from distfit_counts.report.plots.bars import bars_of, count_axis, count_title, masses
from distfit_counts.report.plots.pmf import line_rows, lines, observed_bars
from distfit_counts.report.plots.theme import HEIGHT, WIDTH, Series, dressed
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

# More lines cannot be followed.
_MOST = 6
# Two models whose BICs differ by less are not told apart by them (Raftery 1995).
_TIE = 2.0


def overlay_chart(fits: Sequence[Fit]) -> alt.TopLevelMixin:
    """The best six of ``fits`` to one column, by BIC."""
    import altair as alt

    ranked = sorted(fits, key=lambda fit: fit.bic)
    shown = ranked[:_MOST]
    best = shown[0]
    bars = bars_of(best.histogram, Pmf.of(*best.model))
    series = Series([_name(fit, best) for fit in shown], "observed")
    rows = [row for fit in shown for row in line_rows(_name(fit, best), bars, masses(bars, Pmf.of(*fit.model)))]
    x = count_axis(bars, count_title(best.column), WIDTH)
    layers = alt.layer(observed_bars(bars, best.n, x), lines(rows, x, series)).properties(width=WIDTH, height=HEIGHT)
    hidden = f"; the best {len(shown)} of {len(ranked)} are shown" if len(ranked) > len(shown) else ""
    notes = [f"Column {best.column}: {count(best.n)} counts{hidden}. ΔBIC: above the lowest."]
    return dressed(alt.vconcat(series.key(), layers, spacing=10), _sentence(ranked), notes)


def _name(fit: Fit, best: Fit) -> str:
    return f"{fit.family} (ΔBIC {fixed(fit.bic - best.bic, 1)})"


def _sentence(ranked: Sequence[Fit]) -> str:
    best = ranked[0]
    ties = [fit.family for fit in ranked[1:] if fit.bic - best.bic < _TIE]
    if ties:
        return f"{best.family} has the lowest BIC, {best.bic:,.1f}; {' and '.join(ties)} within {_TIE:g} of it"
    if len(ranked) == 1:
        return f"{best.family} alone, BIC {best.bic:,.1f}"
    gap = fixed(ranked[1].bic - best.bic, 1)
    return f"{best.family} has the lowest BIC, {best.bic:,.1f}; the next, {ranked[1].family}, is {gap} above"
