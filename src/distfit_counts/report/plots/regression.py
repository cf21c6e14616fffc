"""A regression's counts and residuals: hanging rootogram over all rows, and randomised quantile residuals.

Of a response that is no count, its fitted mean takes the rootogram's place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.regression.model import Model
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.observed_means import means, tenths
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.result import Regression
from distfit_counts.report.agreement import frequencies
from distfit_counts.report.numbers import count
from distfit_counts.report.plots.fitted_mean import mean_panel
from distfit_counts.report.plots.quantiles import NOTE, quantile_rows, residual_panel, sentence
from distfit_counts.report.plots.render import render
from distfit_counts.report.plots.rootogram import inside, notes, rootogram_panel
from distfit_counts.report.plots.theme import dressed, small_title
from distfit_counts.report.plots.words import agreement, gap

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from distfit_counts.report.plots.theme import Layers


def plot_regression(fit: Regression, frame: pd.DataFrame, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all. ``frame``: the rows it was fitted to."""
    import altair as alt

    first, title, told = (
        _mean(fit, fit.residuals, frame) if isinstance(fit.residuals, NaturalResiduals) else _counts(fit, fit.residuals)
    )
    chart = alt.vconcat(first, *residual_part(fit.family, fit.residuals), spacing=28).resolve_scale(
        color="independent", strokeDash="independent", shape="independent"
    )
    render(dressed(chart, title, [f"{fit.formula}, {count(fit.n_rows)} rows", *told]), path)


def _counts(fit: Regression, seen: Residuals) -> tuple[Layers, str, list[str]]:
    bars, n = frequencies(seen), round(fit.n)
    found = agreement(bars, n)
    follows = "follows" if found.follows else "does not follow"
    title = f"{fit.family} with covariates {follows} the counts; furthest off {gap(found.worst_root)}"
    return rootogram_panel(fit.response, n, bars), title, [inside(bars, found) + ".", *notes("hanging")]


def _mean(
    fit: Regression, seen: NaturalResiduals, frame: pd.DataFrame
) -> tuple[Layers | alt.VConcatChart, str, list[str]]:
    predicted, observed, names = means(seen.model, seen.eta, seen.y)
    groups = {
        name: tenths(own, response, seen.weights)
        for name, own, response in zip(names, predicted, observed, strict=True)
    }
    panel = mean_panel(Model.of(fit), frame, fit.response, fit.weights, groups)
    return panel.chart, f"{fit.family}: the fitted mean", [panel.told]


def residual_part(family: str, seen: Residuals | NaturalResiduals) -> list[Layers]:
    """The panel of quantile residuals, or none where there is no residual: a normal response without a variance."""
    residuals = np.sort(seen.quantile)
    if not np.isfinite(residuals).any():
        return []
    rows = quantile_rows(residuals)
    return [residual_panel(rows).properties(title=small_title(sentence(family, residuals, rows), [NOTE]))]
