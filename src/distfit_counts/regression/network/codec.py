"""Models and arrays as plain JSON."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.families.spec import parse
from distfit_counts.regression.natural import BERNOULLI, Categorical, Gaussian, NaturalFamily, NaturalPoisson
from distfit_counts.regression.row_model import CountModel, RowModel


def model_record(model: RowModel) -> dict[str, Any]:
    """What ``model_of`` reads back."""
    if isinstance(model, CountModel):
        links = {head: link.name for head, link in model.links.items() if link.name != "softmax"}
        return {"family": model.family.spec, "links": links}
    assert isinstance(model, NaturalFamily)
    levels = {"levels": list(model.levels)} if isinstance(model, Categorical) else {}
    return {"natural": model.spec, **levels}


def model_of(record: dict[str, Any]) -> RowModel:
    """Raises DistfitError for a family that does not exist."""
    if "family" in record:
        return CountModel.of(parse(record["family"]), record["links"])
    name = record["natural"]
    if name == Categorical.spec:
        return Categorical(tuple(record["levels"]))
    known: dict[str, NaturalFamily] = {own.spec: own for own in (Gaussian(), BERNOULLI, NaturalPoisson())}
    if name not in known:
        raise DistfitError(f"unknown family {name!r}", f"known: {', '.join(known)}")
    return known[name]


def packed(array: Array) -> dict[str, Any]:
    """Every bit of float64, in half the room that digits take."""
    return {"shape": list(array.shape), "float64": base64.b64encode(array.astype("<f8").tobytes()).decode()}


def unpacked(record: dict[str, Any]) -> Array:
    raw = np.frombuffer(base64.b64decode(record["float64"], validate=True), dtype="<f8")
    found: Array = raw.reshape(record["shape"]).astype(np.float64)
    return found
