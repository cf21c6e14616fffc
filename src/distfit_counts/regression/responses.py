"""The distributions that a response can have: count families, and the natural exponential families beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.data.frames import Kind
from distfit_counts.errors import DataError, FamilyError
from distfit_counts.families.constraint import Array
from distfit_counts.families.spec import parse
from distfit_counts.regression.natural import GAUSSIAN, Bernoulli, Categorical, Normal
from distfit_counts.regression.row_model import CountModel, RowModel, bare
from distfit_counts.settings import NATURAL, RESTARTS

if TYPE_CHECKING:
    import pandas as pd


def response_kind(spec: str) -> Kind:
    """What the response column must hold. Raises FamilyError for a family that does not exist."""
    if spec in NATURAL:
        # A label is any value, words or numbers.
        return "number" if spec == "gaussian" else None
    parse(spec, beside=NATURAL)
    return "count"


def heads_before_data(spec: str, links: Mapping[str, str]) -> tuple[str, ...]:
    """Predictors that can be named before the response is read: of a categorical one, its levels are not yet known."""
    return ("response",) if spec in NATURAL else CountModel.of(parse(spec, beside=NATURAL), links).heads


def row_model(spec: str, links: Mapping[str, str], column: pd.Series) -> tuple[RowModel, Array]:
    """The model of a response and its values as numbers [N]: levels are numbered from 0; NaN where missing.

    Raises DataError for a response that the family cannot have, FamilyError for links that it does not have.
    """
    if spec not in NATURAL:
        return CountModel.of(parse(spec, beside=NATURAL), links), column.to_numpy(dtype=np.float64)
    if links:
        raise FamilyError(f"{spec} has its canonical link only", "leave out --link")
    if spec == "gaussian":
        return GAUSSIAN, column.to_numpy(dtype=np.float64)
    levels = sorted(column.dropna().unique(), key=_order)
    if spec == "bernoulli" and len(levels) != 2:
        raise DataError(
            f'column "{column.name}" has {len(levels)} level{"s" * (len(levels) != 1)}',
            "bernoulli has two; for more, categorical",
        )
    if len(levels) < 2:
        raise DataError(f'column "{column.name}" has a single level', "nothing depends on anything there")
    if len(levels) > 1_000:
        raise DataError(f'column "{column.name}" has {len(levels):,} levels', "categorical responses have few")
    codes = column.map({level: float(code) for code, level in enumerate(levels)}).to_numpy(dtype=np.float64)
    names = tuple(text_of(level) for level in levels)
    return (Bernoulli(names) if spec == "bernoulli" else Categorical(names)), codes


def default_restarts(spec: str) -> int:
    """Starts that are enough: zero inflation and mixtures have several maxima, the others one and few hiding places."""
    if spec in NATURAL:
        return 1
    heads = {bare(head) for head in CountModel.of(parse(spec)).heads}
    return RESTARTS if heads & {"pi", "weight"} else 1


def restored(spec: str, links: Mapping[str, str], levels: Sequence[str] | None, variance: float | None) -> RowModel:
    """The model of a saved regression. Raises ValueError for levels and variances that its response cannot have."""
    if spec == "gaussian":
        known = math.nan if variance is None else float(variance)
        if known < 0.0:
            raise ValueError(f"a variance of {known:g}")
        return Normal(known)
    if spec in NATURAL:
        names = tuple(levels or ())
        if len(names) < 2 or (spec == "bernoulli" and len(names) > 2):
            raise ValueError(f"a {spec} response has no {len(names)} levels")
        return (Bernoulli if spec == "bernoulli" else Categorical)(names)
    return CountModel.of(parse(spec), links)


def _order(level: Any) -> tuple[bool, Any]:
    return isinstance(level, str), level


def text_of(level: Any) -> str:
    """What a level is called."""
    return f"{level:g}" if isinstance(level, float) else str(level)
