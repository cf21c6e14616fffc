"""Saved regressions: versioned JSON, never pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.output import whole_file
from distfit_counts.regression.model import Model
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.reading import regression_of
from distfit_counts.regression.result import Regression
from distfit_counts.regression.saved import SavedRegression
from distfit_counts.report.as_json import dumps
from distfit_counts.report.regression_record import regression_record
from distfit_counts.saved import read

SCHEMA = "distfit.regression_model/1"
_HINT = "it is written by distfit regress --save"


def save(path: Path, fit: Regression) -> None:
    """Write ``fit`` and what predicts from it, whole or not at all."""
    _write(path, {"schema": SCHEMA, "model": Model.of(fit).record(), "regression": regression_record(fit)})


def save_network(path: Path, model: NetworkModel, formula: str, source: str) -> None:
    """Write a network, whole or not at all."""
    _write(path, {"schema": SCHEMA, "model": model.record(), "formula": formula, "source": source})


def _write(path: Path, record: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write(dumps(record).encode() + b"\n")


def load(path: Path) -> Model | NetworkModel:
    """What predicts. Raises DistfitError for anything else."""
    record = _checked(path)
    with _told(path):
        return _model_of(record)


def load_whole(path: Path) -> SavedRegression:
    """What predicts, and what was found. Raises DistfitError for anything else."""
    record = _checked(path)
    with _told(path):
        return _whole_of(record)


def _checked(path: Path) -> Mapping[str, Any]:
    record = read(path, _HINT)
    schema = record.get("schema")
    if schema != SCHEMA:
        raise DistfitError(f"{path} is not a saved regression (schema {schema!r})", _HINT)
    return record


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A record that is not what it should be becomes a DistfitError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DistfitError(f"{path} is damaged: {error!r}", "save the model again") from error


def _model_of(record: Mapping[str, Any]) -> Model | NetworkModel:
    own = record["model"]
    return NetworkModel.from_record(own) if "network" in own else Model.from_record(own)


def _whole_of(record: Mapping[str, Any]) -> SavedRegression:
    model = _model_of(record)
    if isinstance(model, NetworkModel):
        return SavedRegression(model, model.fit, record["formula"], record["source"])
    fit = regression_of(record["regression"], model)
    return SavedRegression(model, fit, fit.formula, fit.source)
