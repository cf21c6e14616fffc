"""A regression's counts and residuals: hanging rootogram over all rows, and randomised quantile residuals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.regression.result import Regression
from distfit_counts.report.numbers import count
from distfit_counts.report.plots.quantiles import NOTE, quantile_rows, residual_panel, sentence
from distfit_counts.report.plots.render import render
from distfit_counts.report.plots.rootogram import inside, notes, rootogram_panel
from distfit_counts.report.plots.theme import dressed, small_title
from distfit_counts.report.plots.words import agreement, gap
from distfit_counts.report.regression import frequencies


def plot_regression(fit: Regression, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all. Raises DistfitError for a response without counts."""
    import altair as alt

    if fit.residuals is None:
        raise DistfitError(f"no picture of a {fit.family} response", "leave out --plot")
    bars, n = frequencies(fit.residuals), round(fit.n)
    seen = agreement(bars, n)
    residuals = np.sort(fit.residuals.quantile)
    rows = quantile_rows(residuals)
    panel = residual_panel(rows).properties(title=small_title(sentence(fit.family, residuals, rows), [NOTE]))
    chart = alt.vconcat(rootogram_panel(fit.response, n, bars), panel, spacing=28)
    follows = "follows" if seen.follows else "does not follow"
    title = f"{fit.family} with covariates {follows} the counts; furthest off {gap(seen.worst_root)}"
    render(
        dressed(
            chart, title, [f"{fit.formula}, {count(fit.n_rows)} rows", inside(bars, seen) + ".", *notes("hanging")]
        ),
        path,
    )
