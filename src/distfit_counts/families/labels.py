"""Mixture components that are equal are numbered by their means: which number each has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family

Kind = TypeVar("Kind", np.float64, np.int64)


def relabelled(family: Family, values: Array) -> npt.NDArray[np.int64]:
    """For ``values`` [..., P'], the places [..., P'] from which the sorted ones come: ``canonical``."""
    names, lines = family.names, math.prod(values.shape[:-1])
    order = np.tile(np.arange(len(names)), (lines, 1))
    # Only numbered parameters belong to components that could be in another order.
    if not any("[" in name for name in names):
        return order.reshape(values.shape)
    place = {name: i for i, name in enumerate(names)}
    flat = values.reshape(order.shape)
    for rows in _alike(family, flat):
        labels = family.canonical(dict(zip(names, flat[rows[0]].tolist(), strict=True)))
        order[rows] = [place[labels[name]] for name in names]
    return order.reshape(values.shape)


def _alike(family: Family, values: Array) -> Iterator[npt.NDArray[np.int64]]:
    """Columns whose components' means are in the same order: of many starts, ``canonical`` is asked for a few."""
    parts = family.parts(dict(zip(family.names, values.T, strict=True)))
    if any("[" in name for _, _, own in parts for name in own):
        # A component has components of its own, which its mean does not order.
        yield from np.arange(len(values))[:, None]
        return
    with np.errstate(all="ignore"):
        means = np.stack([np.broadcast_to(part.mean(own), len(values)) for _, part, own in parts], axis=1)
    weights = np.stack([weight for weight, _, _ in parts], axis=1)
    keys = np.lexsort((-weights, ordered_by(means)), axis=1) @ (len(parts) ** np.arange(len(parts)))
    for key in np.unique(keys):
        yield np.flatnonzero(keys == key)


def ordered_by(means: Array) -> npt.NDArray[np.float32]:
    """What components are numbered by, before their weights: means that differ by rounding alone are equal."""
    with np.errstate(over="ignore"):
        return np.nan_to_num(means, nan=np.inf).astype(np.float32)


def taken(values: npt.NDArray[Kind], order: npt.NDArray[np.signedinteger[Any]]) -> npt.NDArray[Kind]:
    """``values`` [C, P', ...] in the places that ``relabelled`` found."""
    found: npt.NDArray[Kind] = values[np.arange(len(values))[:, None], order]
    return found
