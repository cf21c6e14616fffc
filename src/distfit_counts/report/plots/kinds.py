"""The kinds of pictures of one fit, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from distfit_counts.report.plots.pit import pit_chart
from distfit_counts.report.plots.pmf import pmf_chart
from distfit_counts.report.plots.quantiles import quantile_chart
from distfit_counts.report.plots.restarts import restarts_chart
from distfit_counts.report.plots.rootogram import rootogram_chart
from distfit_counts.report.plots.surface import surface_chart
from distfit_counts.report.plots.trace import trace_chart
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt


def data_chart(fit: Fit, kind: str, style: str = "hanging", told: str = "") -> alt.TopLevelMixin:
    """``kind``: pmf, rootogram, qq or pit, of the fit on its histogram. ``told``: see ``pmf_chart``."""
    charts: dict[str, Callable[[Fit, str], alt.TopLevelMixin]] = {
        "pmf": pmf_chart,
        "rootogram": partial(rootogram_chart, style=style),
        "qq": quantile_chart,
        "pit": pit_chart,
    }
    return charts[kind](fit, told)


def search_chart(fit: Fit, kind: str, names: tuple[str, str] | None = None) -> alt.TopLevelMixin:
    """``kind``: trace, restarts or surface (over the parameters ``names``), of how the fit was found."""
    charts: dict[str, Callable[[Fit], alt.TopLevelMixin]] = {
        "trace": trace_chart,
        "restarts": restarts_chart,
        "surface": partial(surface_chart, names=names),
    }
    return charts[kind](fit)
