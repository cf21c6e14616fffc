"""A trained network as a table, JSON, CSV or Parquet, to stdout or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distfit_counts import __version__
from distfit_counts.regression.formula import response_of
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.report.as_json import dumps, verdict_record
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.network import print_network
from distfit_counts.report.one_table import write_columns
from distfit_counts.report.residuals_record import residuals_record

SCHEMA = "distfit.network_regression/1"


def write_network(model: NetworkModel, format: str, output: Path | None, verbose: bool = False) -> None:
    """``format``: table, json (one line, without the weights), csv or parquet (a line for every epoch)."""
    if format == "table":
        emit_table(lambda console: print_network(console, model, verbose), output)
    elif format == "json":
        emit_lines([dumps(network_record(model)) + "\n"], output)
    else:
        write_columns(_epochs(model.fit), format, output)


def network_record(model: NetworkModel) -> dict[str, Any]:
    """What ``distfit regress --hidden --format json`` prints: what a linear regression has too is called as there."""
    fit = model.fit
    own = fit.to_json()
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": model.source,
        "formula": model.formula,
        "family": fit.model.spec,
        "response": response_of(model.formula),
        "offset": model.offset,
        "exposure": model.exposure,
        "weights": model.weights,
        "data": {"n": fit.n, "rows": fit.n_rows, "n_missing": fit.n_missing, "n_held_out": fit.n_held_out},
        "predictors": {head: {"link": link.name} for head, link in fit.model.links.items()},
        "terms": [own.text for own in fit.terms],
        "columns": list(fit.names),
        "variance": fit.variance,
        "levels": own["model"]["levels"],
        "n_parameters": fit.n_parameters,
        "seed": fit.settings.seed,
        "settings": {name: value for name, value in own["settings"].items() if name != "seed"},
        "epochs": fit.epochs,
        "best_epoch": fit.best_epoch,
        "stopped_early": fit.stopped_early,
        "history": own["history"],
        "checkup": own["checkup"],
        "residuals": None if fit.agreement is None else residuals_record(fit.agreement),
        "verdicts": [verdict_record(verdict) for verdict in fit.verdicts],
    }


def _epochs(fit: NetworkFit) -> dict[str, list[Any]]:
    held_out: list[float | None] = [*fit.history.held_out] or [None] * (fit.epochs + 1)
    return {
        "epoch": list(range(fit.epochs + 1)),
        "nll_training": [None, *fit.history.train],
        "nll_held_out": held_out,
    }
