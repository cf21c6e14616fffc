"""The distributions that a response can have: count families, and the natural exponential families beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.data.frames import Kind
from distfit_counts.errors import DataError, FamilyError
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.nesting import built_of
from distfit_counts.families.spec import parse
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.regression.link import LOG, choices
from distfit_counts.regression.natural import GAUSSIAN, Bernoulli, Categorical, Normal
from distfit_counts.regression.row_model import CountModel, RowModel
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


def roles_before_data(spec: str, links: Mapping[str, str]) -> Mapping[str, Role]:
    """Predictors that can be named before the response is read, each with its role: of a categorical one, the levels
    are not yet known.
    """
    return {"response": Role.LOCATION} if spec in NATURAL else CountModel.of(parse(spec, beside=NATURAL), links).roles


def check_offsets(spec: str, links: Mapping[str, str], offset: str | None, exposure: str | None) -> None:
    """Refuse an ``exposure`` where the predictor is not the logarithm of what it multiplies, and an ``offset`` where
    there are several predictors that it could be meant for. Raises FamilyError.
    """
    if offset is not None and spec == "categorical":
        problem = "categorical has a predictor for each level, and an offset could be meant for any of them"
        raise FamilyError(problem, "leave it out, or name it among the terms")
    if exposure is None:
        return
    if spec in NATURAL:
        hint = "leave it out" if spec == "categorical" else "leave it out, or add it as an offset"
        raise FamilyError(f"{spec} has no rate that an exposure could multiply", hint)
    model = CountModel.of(parse(spec, beside=NATURAL), links)
    for head, link in model.links.items():
        if model.roles[head] is Role.LOCATION and link is not LOG:
            problem = f"an exposure multiplies a mean with the log link, and {head} of {spec} has the {link.name} link"
            can = any(own is LOG for p in model.family.parameters if head in p.names for own in choices(p.constraint))
            other = "leave out --link" if can else "choose a family with a mean, such as nb or zt(nb)"
            raise FamilyError(problem, f"{other}; or name the exposure among the terms")


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
    several = any(isinstance(own, ZeroInflated | Mixture) for own in built_of(parse(spec)))
    return RESTARTS if several else 1


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
