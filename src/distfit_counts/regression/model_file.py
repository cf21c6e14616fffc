"""Saved regressions: versioned JSON, never pickle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.output import whole_file
from distfit_counts.records import part, require_same, within
from distfit_counts.regression.model import Model
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.reading import agreement_of, regression_of
from distfit_counts.regression.result import Regression
from distfit_counts.regression.saved import SavedRegression
from distfit_counts.report.as_json import dumps
from distfit_counts.report.regression_record import regression_record
from distfit_counts.report.residuals_record import residuals_record
from distfit_counts.saved import damage_told, read, sealed, unsealed

SCHEMA = "distfit.regression_model/2"
_HINT = "it is written by distfit regress --save"


def save(path: Path, fit: Regression) -> None:
    """Write ``fit`` and what predicts from it, whole or not at all."""
    _write(path, _regression_record(fit))


def save_network(path: Path, model: NetworkModel) -> None:
    """Write a network, whole or not at all."""
    _write(path, _network_record(model))


def _regression_record(fit: Regression) -> dict[str, Any]:
    return {"schema": SCHEMA, "model": Model.of(fit).record(), "regression": regression_record(fit)}


def _network_record(model: NetworkModel) -> dict[str, Any]:
    seen = model.fit.agreement
    residuals = None if seen is None else residuals_record(seen)
    return {"schema": SCHEMA, "model": model.record(), "residuals": residuals}


def _write(path: Path, record: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write(dumps(sealed(record)).encode() + b"\n")


def load_whole(path: Path) -> SavedRegression:
    """What predicts, and what was found. Raises DistfitError for anything else."""
    record = read(path, _HINT)
    schema = record.get("schema")
    if schema != SCHEMA:
        raise DistfitError(
            f"{path} is not a saved regression (schema {schema!r})", f"this distfit reads {SCHEMA}; {_HINT}"
        )
    with damage_told(path):
        own = part(record, "model")
        saved = _network(record) if isinstance(own, dict) and "network" in own else _regression(record)
        bare, known = unsealed(record)
        if not known:
            # What was changed by hand must hang together: all that can be, is computed again.
            require_same(_unversioned(bare), _unversioned(_again(saved)))
        return saved


def _regression(record: dict[str, Any]) -> SavedRegression:
    model = within(Model.from_record, record, "model")
    found = within(lambda own: regression_of(own, model), record, "regression")
    return SavedRegression(model, found, found.formula, found.source)


def _network(record: dict[str, Any]) -> SavedRegression:
    model = within(NetworkModel.from_record, record, "model")
    fit = replace(model.fit, kept=within(agreement_of, record, "residuals"))
    return SavedRegression(replace(model, fit=fit), fit, model.formula, model.source)


def _again(saved: SavedRegression) -> dict[str, Any]:
    """What would be written of it."""
    if isinstance(saved.model, NetworkModel):
        return _network_record(saved.model)
    assert isinstance(saved.fit, Regression)
    return _regression_record(saved.fit)


def _unversioned(record: Any) -> Any:
    """Without the version of the program that wrote it."""
    own = record.get("regression")
    return record if not isinstance(own, dict) else record | {"regression": own | {"version": None}}
