"""Models and arrays as plain JSON values."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.records import Damaged, Natural, NotNegative, decoded
from distfit_counts.regression.natural import Bernoulli, Categorical, Normal
from distfit_counts.regression.responses import restored
from distfit_counts.regression.row_model import RowModel


def model_record(model: RowModel) -> dict[str, Any]:
    """What ``model_of`` reads back."""
    levels = list(model.levels) if isinstance(model, Bernoulli | Categorical) else None
    variance = model.variance if isinstance(model, Normal) else None
    links = {head: link.name for head, link in model.links.items()}
    return {"family": model.spec, "links": links, "levels": levels, "variance": variance}


@dataclass(frozen=True)
class _Model:
    family: str
    links: Mapping[str, str]
    levels: tuple[str, ...] | None
    variance: NotNegative | None


def model_of(record: Any) -> RowModel:
    """Raises FamilyError for a family or a link that does not exist, ValueError for levels that cannot be."""
    own = decoded(_Model, record)
    return restored(own.family, own.links, own.levels, own.variance)


def packed(array: Array) -> dict[str, Any]:
    """Every bit of float64, in half the room that digits take."""
    return {"shape": list(array.shape), "float64": base64.b64encode(array.astype("<f8").tobytes()).decode()}


@dataclass(frozen=True)
class _Packed:
    shape: tuple[Natural, ...]
    float64: str


def unpacked(record: Any) -> Array:
    """Raises Damaged for anything but finite numbers, as many as the shape has."""
    own = decoded(_Packed, record)
    try:
        raw = np.frombuffer(base64.b64decode(own.float64, validate=True), dtype="<f8")
    except ValueError:
        raise Damaged("is not written as base64 of float64", ".float64") from None
    if len(raw) != math.prod(own.shape):
        raise Damaged(f"holds {len(raw)} numbers in place of {math.prod(own.shape)}", ".float64")
    if not np.isfinite(raw).all():
        raise Damaged("holds a number that is not finite", ".float64")
    found: Array = raw.reshape(own.shape).astype(np.float64)
    return found
