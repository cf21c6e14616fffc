"""What ``show``, ``check`` and ``plot`` do with a saved regression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distfit_counts.commands.outputs import deliver
from distfit_counts.commands.rows import placed_in, read_rows
from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    from distfit_counts.regression.check import NewRows
    from distfit_counts.regression.saved import SavedRegression
    from distfit_counts.report.progress import Watch
    from distfit_counts.result import Verdict


def show_regression(model: Path, format: str, output: Path | None, verbose: bool) -> None:
    """As ``distfit regress`` printed it."""
    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.regression.network.model import NetworkModel
    from distfit_counts.regression.result import Regression
    from distfit_counts.report.write_network import write_network
    from distfit_counts.report.write_regression import write_regression

    saved = load_whole(model)
    if isinstance(saved.fit, Regression):
        write_regression(saved.fit, format, output, verbose)
    elif isinstance(saved.model, NetworkModel):
        write_network(saved.model, format, output, verbose)


def check_regression(
    model: Path,
    sources: Sequence[str],
    weights: str | None,
    format: str,
    output: Path | None,
    plot: Path | None,
    quiet: bool,
) -> tuple[Verdict, ...]:
    """All ``sources`` are one data set, as for ``distfit predict``; returns what was found of them."""
    from distfit_counts.regression.check import check
    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.report.progress import Watch
    from distfit_counts.report.regression_check import write_check

    saved = load_whole(model)
    with Watch(quiet) as watch:
        rows = _rows(saved, sources, weights, watch)
        found = check(saved, rows, ", ".join(sources))
    deliver(
        output,
        format,
        lambda path, as_format: write_check(found, as_format, path),
        *([] if plot is None else [lambda: _draw(saved, rows, found.source, plot)]),
    )
    return found.verdicts


def plot_saved(model: Path, source: str | None, weights: str | None, output: Path, quiet: bool) -> None:
    """Responses and residuals of the rows of ``source``; without one, how a network was trained."""
    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.regression.network.model import NetworkModel
    from distfit_counts.report.plots.network import plot_network
    from distfit_counts.report.progress import Watch

    saved = load_whole(model)
    if source is not None:
        with Watch(quiet) as watch:
            rows = _rows(saved, [source], weights, watch)
        _draw(saved, rows, source, output)
    elif isinstance(saved.model, NetworkModel):
        plot_network(saved.model, None, output)
    else:
        raise DistfitError(f"{model} is a regression, which keeps no rows to draw", "name a SOURCE that has some")


def _rows(saved: SavedRegression, sources: Sequence[str], weights: str | None, watch: Watch) -> NewRows:
    from distfit_counts.regression.check import NewRows, needed

    kinds = needed(saved, weights)
    with placed_in(sources, list(kinds)):
        return NewRows.of(saved, read_rows(sources, kinds, watch), weights)


def _draw(saved: SavedRegression, rows: NewRows, source: str, path: Path) -> None:
    from distfit_counts.report.plots.regression import Drawn, plot_rows

    drawn = Drawn(saved.model, rows.seen, rows.frame, saved.kind, saved.response, rows.weights)
    plot_rows(drawn, f"fitted to {saved.formula}, {saved.source}; here on {source}", path)
