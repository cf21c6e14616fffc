"""A regression's counts and residuals: hanging rootogram over all rows, and randomised quantile residuals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.regression.residuals import Residuals
from distfit_counts.report.numbers import count
from distfit_counts.report.plots.quantiles import NOTE, quantile_rows, residual_panel, sentence
from distfit_counts.report.plots.render import render
from distfit_counts.report.plots.rootogram import inside, notes, rootogram_panel
from distfit_counts.report.plots.theme import dressed, small_title
from distfit_counts.report.plots.words import agreement, gap


def plot_regression(seen: Residuals | None, family: str, response: str, told: str, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all; ``told``: what it was fitted to.

    Raises DistfitError for a response without counts.
    """
    import altair as alt

    if seen is None:
        raise DistfitError(f"no picture of a {family} response", "leave out --plot")
    bars, n = seen.agreement.frequencies, round(seen.moments.n)
    fits = agreement(bars, n)
    residuals = np.sort(seen.quantile)
    rows = quantile_rows(residuals)
    panel = residual_panel(rows).properties(title=small_title(sentence(family, residuals, rows), [NOTE]))
    chart = alt.vconcat(rootogram_panel(response, n, bars), panel, spacing=28)
    follows = "follows" if fits.follows else "does not follow"
    title = f"{family} with covariates {follows} the counts; furthest off {gap(fits.worst_root)}"
    below = [f"{told}, {count(len(seen.y))} rows", inside(bars, fits) + ".", *notes("hanging")]
    render(dressed(chart, title, below), path)
