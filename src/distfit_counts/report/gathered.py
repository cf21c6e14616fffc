"""Rows of a table, each a mapping, as columns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from distfit_counts.inference.fitted.numbers import Place

# Rows of a portion: few, for to make them takes longer than to write them.
_PORTION = 256


def gathered(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, list[Any]]]:
    """The columns of some rows at a time; they are called as in the first row."""
    left = iter(rows)
    names: list[str] = []
    while some := list(itertools.islice(left, _PORTION)):
        names = names or list(some[0])
        yield {name: [row.get(name) for row in some] for name in names}


def row_of(place: Place, own: Mapping[str, Any]) -> dict[str, Any]:
    """Source, column and groups of ``place``, then what is its ``own``: None where that is no finite number.

    A grouping column that is called like another column of the table NAME becomes group.NAME.
    """
    where = {"source": place.source, "column": place.column}
    taken = {*where, *own}
    groups = {f"group.{name}" if name in taken else name: value for name, value in place.group.items()}
    return {**where, **groups, **{name: _known(value) for name, value in own.items()}}


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
