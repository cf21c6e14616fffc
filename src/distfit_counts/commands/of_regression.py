"""What ``show``, ``check`` and ``plot`` do with a saved regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    import pandas as pd

    from distfit_counts.data.frames import Kind
    from distfit_counts.regression.saved import SavedRegression
    from distfit_counts.report.progress import Watch


def show_regression(model: Path, format: str, output: Path | None, verbose: bool) -> None:
    """As ``distfit regress`` printed it."""
    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.regression.result import Regression
    from distfit_counts.report.write_network import write_network
    from distfit_counts.report.write_regression import write_regression

    saved = load_whole(model)
    if isinstance(saved.fit, Regression):
        write_regression(saved.fit, format, output, verbose)
    else:
        write_network(saved.fit, saved.title, format, output, verbose)


def check_regression(
    model: Path,
    sources: Sequence[str],
    weights: str | None,
    format: str,
    output: Path | None,
    plot: Path | None,
    quiet: bool,
) -> None:
    """All ``sources`` are one data set, as for ``distfit predict``."""
    from distfit_counts.regression.check import check, needed
    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.report.progress import Watch
    from distfit_counts.report.regression_check import write_check

    saved = load_whole(model)
    with Watch(quiet) as watch:
        frame = read_rows(sources, needed(saved, weights), watch)
        found = check(saved, frame, ", ".join(sources), weights)
    if plot is not None:
        _draw(saved, frame, found.source, weights, plot)
    write_check(found, format, output)


def plot_saved(model: Path, source: str | None, weights: str | None, output: Path, quiet: bool) -> None:
    """Counts and residuals of the rows of ``source``; without one, how a network was trained."""
    from distfit_counts.regression.check import needed
    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.regression.network.model import NetworkModel
    from distfit_counts.report.plots.network import plot_network
    from distfit_counts.report.progress import Watch

    saved = load_whole(model)
    if source is not None:
        with Watch(quiet) as watch:
            frame = read_rows([source], needed(saved, weights), watch)
        _draw(saved, frame, source, weights, output)
    elif isinstance(saved.model, NetworkModel):
        plot_network(saved.model, saved.title, None, saved.response, output)
    else:
        raise DistfitError(f"{model} is a regression, which keeps no rows to draw", "name a SOURCE that has some")


def _draw(saved: SavedRegression, frame: pd.DataFrame, source: str, weights: str | None, path: Path) -> None:
    from distfit_counts.regression.check import seen_by
    from distfit_counts.report.plots.regression import plot_regression

    seen, _ = seen_by(saved, frame, weights)
    plot_regression(seen, saved.kind, saved.response, f"fitted to {saved.title}; here on {source}", path)


def read_rows(sources: Sequence[str], kinds: Mapping[str, Kind], watch: Watch) -> pd.DataFrame:
    """The columns ``kinds`` of all rows."""
    from distfit_counts.data.frames import read_frame

    def progress(done: int, total: int | None) -> None:
        watch.show("reading", done, total, f"{done / 1e6:,.0f} MB")

    return read_frame(sources, kinds, progress)
