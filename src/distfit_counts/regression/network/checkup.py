"""Did the training work? What the network predicts for the rows it is judged by, against what was observed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.natural import NaturalFamily
from distfit_counts.regression.network.feed import Batch
from distfit_counts.regression.network.net import Net, predictors, with_offset
from distfit_counts.regression.network.saturated import saturated_log_prob
from distfit_counts.regression.row_model import CountModel, RowModel

_GROUPS = 10


@dataclass(frozen=True)
class Spread:
    """A predicted parameter over the rows: extremes, median, and the ends of the middle 98 %."""

    minimum: float
    low: float
    median: float
    high: float
    maximum: float


@dataclass(frozen=True)
class Tenth:
    """Rows of neighbouring predicted means: how many, and both means."""

    rows: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Checkup:
    """``held_out``: whether the ``n`` rows were kept from training.

    ``log_score``: weighted mean of log p(y); ``gain``: by how much it exceeds that of the fit without covariates,
    ``gain_error`` its standard error. ``means``: predicted and observed, of each level for a categorical response.
    NaN: not defined.
    """

    held_out: bool
    n: int
    parameters: Mapping[str, Spread]
    means: Mapping[str, tuple[float, float]]
    tenths: tuple[Tenth, ...]
    r_squared: float
    correlation: float
    mean_square_error: float
    log_score: float
    gain: float
    gain_error: float
    deviance: float

    def to_json(self) -> dict[str, Any]:
        """Undefined numbers are null."""
        record = asdict(self)
        for name, value in record.items():
            if isinstance(value, float) and not math.isfinite(value):
                record[name] = None
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Checkup:
        numbers = {name: math.nan for name, value in record.items() if value is None}
        return cls(
            **dict(record)
            | numbers
            | {
                "parameters": {name: Spread(**item) for name, item in record["parameters"].items()},
                "means": {name: (pair[0], pair[1]) for name, pair in record["means"].items()},
                "tenths": tuple(Tenth(**item) for item in record["tenths"]),
            }
        )


def checkup(model: RowModel, net: Net, batch: Batch, first: Array, held_out: bool) -> Checkup:
    """``first`` [H]: the predictors of the fit without covariates."""
    with torch.no_grad():
        eta = predictors(net, model, batch)
        own = model.log_prob(eta.unbind(0), batch.y).numpy()
        constant = torch.from_numpy(first)[:, None].expand_as(eta)
        before = model.log_prob(with_offset(model, constant, batch).unbind(0), batch.y).numpy()
        best = saturated_log_prob(model, eta, batch.y)
    weights, y = batch.weights.numpy(), batch.y.numpy()
    predicted, observed, names = means(model, eta.numpy(), y)
    gain, gain_error = _gain(own - before, weights)
    share = weights / weights.sum()
    return Checkup(
        held_out=held_out,
        n=len(y),
        parameters={name: _spread(values) for name, values in shown(model, eta.numpy()).items()},
        means={
            name: (float(share @ p), float(share @ o)) for name, p, o in zip(names, predicted, observed, strict=True)
        },
        tenths=_tenths(predicted[0], observed[0], weights) if len(predicted) == 1 else (),
        r_squared=r_squared(predicted, observed, share),
        correlation=correlation(predicted, observed, share),
        mean_square_error=float((share * (predicted - observed) ** 2).sum()),
        log_score=float(share @ own),
        gain=gain,
        gain_error=gain_error,
        deviance=math.nan if best is None else 2.0 * float(weights @ (best.numpy() - own)),
    )


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


def _gain(difference: Array, weights: Array) -> tuple[float, float]:
    """Weighted mean of the rows' differences, and its standard error: Diebold and Mariano (1995) without their lags."""
    share = weights / weights.sum()
    mean = float(share @ difference)
    return mean, float(np.sqrt((share**2) @ (difference - mean) ** 2))


def _spread(values: Array) -> Spread:
    return Spread(*(float(q) for q in np.quantile(values, [0.0, 0.01, 0.5, 0.99, 1.0])))


def _tenths(predicted: Array, observed: Array, weights: Array) -> tuple[Tenth, ...]:
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), _GROUPS) if weights[part].sum() > 0]
    return tuple(
        Tenth(len(part), *(float(np.average(own[part], weights=weights[part])) for own in (predicted, observed)))
        for part in parts
    )
