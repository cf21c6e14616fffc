"""Predicted means beside the responses, row by row and in tenths of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.means import shares_of
from distfit_counts.regression.natural import Categorical, NaturalFamily
from distfit_counts.regression.row_model import CountModel, RowModel

_GROUPS = 10


@dataclass(frozen=True)
class Tenth:
    """Rows of neighbouring predicted means: how many, and both means."""

    rows: int
    predicted: float
    observed: float


def shown(model: RowModel, eta: Array) -> dict[str, Array]:
    """Natural values [N] of all parameters, by name, from the predictors [H, N]."""
    if isinstance(model, CountModel):
        return model.natural(list(eta))
    assert isinstance(model, NaturalFamily)
    return dict(zip(model.heads, model.mean(torch.from_numpy(eta)).numpy(), strict=True))


def means(model: RowModel, eta: Array, y: Array) -> tuple[Array, Array, tuple[str, ...]]:
    """Predicted and observed means [K, N] and their names: one, or one for each level but the first."""
    if isinstance(model, CountModel):
        mean = np.broadcast_to(np.asarray(model.family.mean(shown(model, eta)), dtype=np.float64), y.shape)
        return mean[None], y[None], ("mean",)
    assert isinstance(model, NaturalFamily)
    found = model.mean(torch.from_numpy(eta)).numpy()
    return found, model.statistic(torch.from_numpy(y)).numpy(), model.heads if len(found) > 1 else ("mean",)


def r_squared(predicted: Array, observed: Array, share: Array) -> float:
    """1 - sum w (y - predicted)^2 / sum w (y - mean)^2, over all [K, N]; NaN where the response is constant."""
    total = float((share * (observed - (observed @ share)[:, None]) ** 2).sum())
    return 1.0 - float((share * (observed - predicted) ** 2).sum()) / total if total > 0.0 else math.nan


def correlation(predicted: Array, observed: Array, share: Array) -> float:
    """Pearson's, of predicted means and responses, each less its own mean; NaN where one of them is constant."""
    a, b = (values - (values @ share)[:, None] for values in (predicted, observed))
    both = math.sqrt(float((share * a**2).sum()) * float((share * b**2).sum()))
    return float((share * a * b).sum()) / both if both > 0.0 else math.nan


def tenths_by_mean(model: RowModel, eta: Array, y: Array, weights: Array) -> dict[str, tuple[Tenth, ...]]:
    """Those of every mean, by name; of a response with three levels or more, of all of them."""
    predicted, observed, names = means(model, eta, y)
    if isinstance(model, Categorical) and len(names) > 1:
        names = (model.levels[0], *names)
        predicted = shares_of(model, list(eta))
        observed = (y == np.arange(len(names))[:, None]).astype(np.float64)
    return {name: tenths(p, o, weights) for name, p, o in zip(names, predicted, observed, strict=True)}


def tenths(predicted: Array, observed: Array, weights: Array) -> tuple[Tenth, ...]:
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), _GROUPS) if weights[part].sum() > 0]
    return tuple(
        Tenth(len(part), *(float(np.average(own[part], weights=weights[part])) for own in (predicted, observed)))
        for part in parts
    )
