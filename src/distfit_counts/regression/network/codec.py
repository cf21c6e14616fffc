"""Models and arrays as plain JSON values."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.regression.natural import Bernoulli, Categorical, Normal
from distfit_counts.regression.responses import restored
from distfit_counts.regression.row_model import RowModel


def model_record(model: RowModel) -> dict[str, Any]:
    """What ``model_of`` reads back."""
    levels = list(model.levels) if isinstance(model, Bernoulli | Categorical) else None
    variance = model.variance if isinstance(model, Normal) else None
    links = {head: link.name for head, link in model.links.items()}
    return {"family": model.spec, "links": links, "levels": levels, "variance": variance}


def model_of(record: dict[str, Any]) -> RowModel:
    """Raises FamilyError for a family or a link that does not exist, ValueError for levels that cannot be."""
    return restored(record["family"], record["links"], record["levels"], record["variance"])


def packed(array: Array) -> dict[str, Any]:
    """Every bit of float64, in half the room that digits take."""
    return {"shape": list(array.shape), "float64": base64.b64encode(array.astype("<f8").tobytes()).decode()}


def unpacked(record: dict[str, Any]) -> Array:
    raw = np.frombuffer(base64.b64decode(record["float64"], validate=True), dtype="<f8")
    found: Array = raw.reshape(record["shape"]).astype(np.float64)
    return found
