"""Saved regressions: versioned JSON, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.output import whole_file
from distfit_counts.regression.model import Model
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.result import Regression
from distfit_counts.report.as_json import dumps
from distfit_counts.report.regression_record import regression_record

SCHEMA = "distfit.regression_model/1"
_HINT = "it is written by distfit regress --save"


def save(path: Path, fit: Regression) -> None:
    """Write ``fit`` and what predicts from it, whole or not at all."""
    _write(path, {"schema": SCHEMA, "model": Model.of(fit).record(), "regression": regression_record(fit)})


def save_network(path: Path, model: NetworkModel) -> None:
    """Write a network, whole or not at all."""
    _write(path, {"schema": SCHEMA, "model": model.record()})


def _write(path: Path, record: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write(dumps(record).encode() + b"\n")


def load(path: Path) -> Model | NetworkModel:
    """What predicts. Raises DistfitError for anything else."""
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise DistfitError(f"cannot read {path}: {error.strerror}", _HINT) from error
    except ValueError as error:
        raise DistfitError(f"{path} is not JSON: {error}", _HINT) from error
    schema = record.get("schema") if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise DistfitError(f"{path} is not a saved regression (schema {schema!r})", _HINT)
    try:
        own = record["model"]
        return NetworkModel.from_record(own) if "network" in own else Model.from_record(own)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DistfitError(f"{path} is damaged: {error!r}", "save the model again") from error
    except DistfitError as error:
        # A formula, a family or a setting that cannot be: only the file says where they came from.
        raise DistfitError(f"{path}: {error.problem}", "save the model again") from error
