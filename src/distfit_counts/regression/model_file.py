"""Saved regressions: versioned JSON, never pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.output import whole_file
from distfit_counts.regression.model import Model
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.reading import agreement_of, regression_of
from distfit_counts.regression.result import Regression
from distfit_counts.regression.saved import SavedRegression
from distfit_counts.report.as_json import dumps
from distfit_counts.report.regression_record import regression_record
from distfit_counts.report.residuals_record import residuals_record
from distfit_counts.saved import read

SCHEMA = "distfit.regression_model/1"
_HINT = "it is written by distfit regress --save"


def save(path: Path, fit: Regression) -> None:
    """Write ``fit`` and what predicts from it, whole or not at all."""
    _write(path, {"model": Model.of(fit).record(), "regression": regression_record(fit)})


def save_network(path: Path, model: NetworkModel) -> None:
    """Write a network, whole or not at all."""
    seen = model.fit.agreement
    _write(path, {"model": model.record(), "residuals": None if seen is None else residuals_record(seen)})


def _write(path: Path, record: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write(dumps({"schema": SCHEMA, **record}).encode() + b"\n")


def load_whole(path: Path) -> SavedRegression:
    """What predicts, and what was found. Raises DistfitError for anything else."""
    with _told(path) as record:
        model = _model_of(record)
        if isinstance(model, Model):
            found = regression_of(record["regression"], model)
            return SavedRegression(model, found, found.formula, found.source)
        fit = replace(model.fit, kept=agreement_of(record["residuals"]))
        return SavedRegression(replace(model, fit=fit), fit, model.formula, model.source)


@contextmanager
def _told(path: Path) -> Iterator[Mapping[str, Any]]:
    """The record in ``path``; where it turns out to be none, a DistfitError."""
    record = read(path, _HINT)
    schema = record.get("schema")
    if schema != SCHEMA:
        raise DistfitError(f"{path} is not a saved regression (schema {schema!r})", _HINT)
    try:
        yield record
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DistfitError(f"{path} is damaged: {error!r}", "save the model again") from error
    except DistfitError as error:
        # A formula, a family or a setting that cannot be: only the file says where they came from.
        raise DistfitError(f"{path}: {error.problem}", "save the model again") from error


def _model_of(record: Mapping[str, Any]) -> Model | NetworkModel:
    own = record["model"]
    return NetworkModel.from_record(own) if "network" in own else Model.from_record(own)
