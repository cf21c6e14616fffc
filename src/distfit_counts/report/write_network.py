"""A trained network as a table, JSON, CSV or Parquet, to stdout or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distfit_counts import __version__
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.report.as_json import dumps, verdict_record
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.network import print_network
from distfit_counts.report.one_table import write_columns

SCHEMA = "distfit.network_regression/1"


def write_network(fit: NetworkFit, title: str, format: str, output: Path | None, verbose: bool = False) -> None:
    """``format``: table, json (one line, without the weights), csv or parquet (a line for every epoch)."""
    if format == "table":
        emit_table(lambda console: print_network(console, fit, title, verbose), output)
    elif format == "json":
        emit_lines([dumps(network_record(fit, title)) + "\n"], output)
    else:
        write_columns(_epochs(fit), format, output)


def network_record(fit: NetworkFit, title: str) -> dict[str, Any]:
    """What ``distfit regress --hidden --format json`` prints."""
    record = fit.to_json()
    for name in ("schema", "model", "terms", "standard", "weights", "verdicts"):
        del record[name]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "regression": title,
        "family": fit.model.spec,
        "heads": list(fit.model.heads),
        "n_weights": fit.n_parameters,
        "stopped_early": fit.stopped_early,
        **record,
        "verdicts": [verdict_record(verdict) for verdict in fit.verdicts],
    }


def _epochs(fit: NetworkFit) -> dict[str, list[Any]]:
    held_out: list[float | None] = [*fit.history.held_out] or [None] * (fit.epochs + 1)
    return {
        "epoch": list(range(fit.epochs + 1)),
        "nll_training": [None, *fit.history.train],
        "nll_held_out": held_out,
    }
