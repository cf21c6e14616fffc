"""Mixture components that are equal are numbered by their means: which number each has."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family

Kind = TypeVar("Kind", np.float64, np.int64)


def relabelled(family: Family, values: Array) -> npt.NDArray[np.int64]:
    """For the ``values`` [C, P'] of C columns, the places [C, P'] from which the sorted ones come: ``canonical``."""
    names = family.names
    order = np.tile(np.arange(len(names)), (len(values), 1))
    # Only numbered parameters belong to components that could be in another order.
    if not any("[" in name for name in names):
        return order
    place = {name: i for i, name in enumerate(names)}
    for row, line in enumerate(values.tolist()):
        labels = family.canonical(dict(zip(names, line, strict=True)))
        order[row] = [place[labels[name]] for name in names]
    return order


def taken(values: npt.NDArray[Kind], order: npt.NDArray[np.int64]) -> npt.NDArray[Kind]:
    """``values`` [C, P', ...] in the places that ``relabelled`` found."""
    return values[np.arange(len(values))[:, None], order]
