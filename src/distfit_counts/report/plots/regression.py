"""A regression's counts and residuals: hanging rootogram over all rows, and randomised quantile residuals.

Of a response that is no count, its fitted mean takes the rootogram's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.regression.model import Model
from distfit_counts.regression.natural import Normal
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.observed_means import tenths_by_mean
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.result import Regression
from distfit_counts.report.numbers import count
from distfit_counts.report.plots.fitted_mean import fitted_name, mean_panel
from distfit_counts.report.plots.quantiles import NOT_RANDOMISED, NOTE, quantile_rows, residual_panel, sentence
from distfit_counts.report.plots.render import render
from distfit_counts.report.plots.rootogram import inside, notes, rootogram_panel
from distfit_counts.report.plots.theme import dressed, small_title
from distfit_counts.report.plots.words import agreement, gap

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from distfit_counts.report.plots.theme import Layers


@dataclass(frozen=True, eq=False)
class Drawn:
    """``seen``: the rows of ``frame`` beside what ``model`` says of them; ``weights``: their column."""

    model: Model | NetworkModel
    seen: Residuals | NaturalResiduals
    frame: pd.DataFrame
    family: str
    response: str
    weights: str | None


def plot_regression(fit: Regression, frame: pd.DataFrame, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all. ``frame``: the rows it was fitted to."""
    assert fit.residuals is not None
    drawn = Drawn(Model.of(fit), fit.residuals, frame, fit.family, fit.response, fit.weights)
    plot_rows(drawn, fit.formula, path)


def plot_rows(drawn: Drawn, about: str, path: Path) -> None:
    """Write the picture, as ``path`` ends, whole or not at all; ``about``: which model, on which rows."""
    import altair as alt

    seen = drawn.seen
    first, title, told = _mean(drawn, seen) if isinstance(seen, NaturalResiduals) else _counts(drawn, seen)
    chart = alt.vconcat(first, *residual_part(drawn.family, seen), spacing=28).resolve_scale(
        color="independent", strokeDash="independent", shape="independent"
    )
    render(dressed(chart, title, [f"{about}, {count(len(seen.y))} rows", *told]), path)


def _counts(drawn: Drawn, seen: Residuals) -> tuple[Layers, str, list[str]]:
    bars, n = seen.agreement.frequencies, round(seen.moments.n)
    found = agreement(bars, n)
    follows = "follows" if found.follows else "does not follow"
    title = f"{drawn.family} with covariates {follows} the counts; furthest off {gap(found.worst_root)}"
    return rootogram_panel(drawn.response, n, bars), title, [inside(bars, found) + ".", *notes("hanging")]


def _mean(drawn: Drawn, seen: NaturalResiduals) -> tuple[Layers | alt.VConcatChart, str, list[str]]:
    groups = tenths_by_mean(seen.model, seen.eta, seen.y, seen.weights)
    panel = mean_panel(drawn.model, drawn.frame, drawn.response, drawn.weights, groups)
    return panel.chart, f"{drawn.family}: the {fitted_name(seen.model)}", [panel.told]


def residual_part(family: str, seen: Residuals | NaturalResiduals) -> list[Layers]:
    """The panel of quantile residuals, or none where there is no residual: a normal response without a variance."""
    residuals = np.sort(seen.quantile)
    if not np.isfinite(residuals).any():
        return []
    rows = quantile_rows(residuals)
    # A normal response leaves nothing to draw at random.
    note = NOT_RANDOMISED if isinstance(seen, NaturalResiduals) and isinstance(seen.model, Normal) else NOTE
    return [residual_panel(rows).properties(title=small_title(sentence(family, residuals, rows), [note]))]
