"""Pictures of fits, one file per kind: each makes one declarative Vega-Lite specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from distfit_counts.data.histogram import Histogram
from distfit_counts.result import Fit


def plot_fits(fits: Sequence[Fit], path: Path) -> None:
    """One fit: observed and fitted pmf over the hanging rootogram. Several (columns, groups): their pmfs side by side.

    All functions here write .png, .svg, .pdf or .html, as ``path`` ends, whole or not at all, and raise OutputError;
    ``render.check`` asks the same before the work.
    """
    from distfit_counts.report.plots.pages import fit_page
    from distfit_counts.report.plots.pmf import pmf_panels
    from distfit_counts.report.plots.render import render

    render(fit_page(fits[0]) if len(fits) == 1 else pmf_panels(fits), path)


def plot_comparison(fits: Sequence[Fit], path: Path) -> None:
    """Several families on one column: the best six by BIC over the observed bars."""
    from distfit_counts.report.plots.overlay import overlay_chart
    from distfit_counts.report.plots.render import render

    render(overlay_chart(fits), path)


def plot_check(fit: Fit, column: str, histogram: Histogram, path: Path) -> None:
    """A fit on the counts of another ``column``, without refitting: rootogram, PIT, residuals."""
    from distfit_counts.report.plots.pages import check_page
    from distfit_counts.report.plots.render import render

    render(check_page(replace(fit, column=column, histogram=histogram), fit), path)
