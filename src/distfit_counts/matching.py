"""Which fit of a saved model is meant for which column of new data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from distfit_counts.data.column import Column
from distfit_counts.data.group_words import group_words, label_text
from distfit_counts.errors import DataError
from distfit_counts.result import Fit

_SHOWN = 5


def match(fits: Sequence[Fit], columns: Sequence[Column]) -> tuple[list[tuple[Fit, Column]], list[Column]]:
    """Pairs of a fit and a column, in the order of ``columns``, and the columns without a fit.

    A model of one fit is meant for every column. Of several, the fit of the same column and group, and, where files
    were fitted apart, of the same file name. Raises DataError where no column has a fit, or where one has several.
    """
    if len(fits) == 1:
        return [(fits[0], column) for column in columns], []
    known: dict[tuple[str, frozenset[tuple[str, str]]], list[Fit]] = {}
    for fit in fits:
        known.setdefault((fit.column, _key(fit.group)), []).append(fit)
    pairs, left = [], []
    for column in columns:
        same = known.get((column.column, _key(column.group)), [])
        if same:
            pairs.append((_only(same, column), column))
        else:
            left.append(column)
    if not pairs:
        raise DataError(f"the model has no fit for {columns[0].label}", _remedy(fits, columns[0]))
    return pairs, left


def _key(group: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    # As text: a clinic 3 is an integer in Parquet and may be a word in CSV.
    return frozenset((name, label_text(value)) for name, value in group.items())


def _only(fits: list[Fit], column: Column) -> Fit:
    if len(fits) == 1:
        return fits[0]
    name = os.path.basename(column.source)
    same = [fit for fit in fits if os.path.basename(fit.source) == name]
    exact = [fit for fit in same if fit.source == column.source]
    if len(exact) == 1 or len(same) == 1:
        return (exact or same)[0]
    sources = _listed([fit.source for fit in fits])
    raise DataError(
        f"the model has {len(fits)} fits for {column.label}: of {sources}", "save a model of the one that is meant"
    )


def _remedy(fits: Sequence[Fit], column: Column) -> str:
    names = list(dict.fromkeys(name for fit in fits for name in fit.group))
    if set(names) != set(column.group):
        by = " ".join(f"--by {name}" for name in names)
        return f"its fits are by {', '.join(names)}: give {by}" if names else "its fits have no groups: leave out --by"
    if names:
        groups = [", ".join(group_words(fit.group)) for fit in fits]
        return f"its fits: column {fits[0].column}; {_listed(groups)}"
    return f"its columns: {_listed([fit.column for fit in fits])}"


def _listed(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return "; ".join(distinct[:_SHOWN]) + more
