"""Did the training work? What the network predicts for the rows it is judged by, against what was observed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.regression.network.feed import Batch
from distfit_counts.regression.network.net import with_offset
from distfit_counts.regression.network.saturated import saturated_log_prob
from distfit_counts.regression.network.scored import Scored
from distfit_counts.regression.observed_means import Tenth, correlation, means, r_squared, shown, tenths_by_mean


@dataclass(frozen=True)
class Spread:
    """A predicted parameter over the rows: extremes, median, and the ends of the middle 98 %."""

    minimum: float
    low: float
    median: float
    high: float
    maximum: float


@dataclass(frozen=True)
class Checkup:
    """``held_out``: whether the ``n`` rows were kept from training.

    ``log_score``: weighted mean of log p(y); ``gain``: by how much it exceeds that of the fit without covariates,
    ``gain_error`` its standard error. ``climb``: by how much the NLL of these rows rose from the best epoch to the
    last, ``climb_error`` its standard error; 0 where the last is the best. ``means``: predicted and observed, of each
    level but the first for a categorical response; ``tenths``: of every level. NaN: not defined.
    """

    held_out: bool
    n: int
    parameters: Mapping[str, Spread]
    means: Mapping[str, tuple[float, float]]
    tenths: Mapping[str, tuple[Tenth, ...]]
    r_squared: float
    correlation: float
    mean_square_error: float
    log_score: float
    gain: float
    gain_error: float
    climb: float
    climb_error: float
    deviance: float

    def to_json(self) -> dict[str, Any]:
        """Undefined numbers are null."""
        record = asdict(self)
        for name, value in record.items():
            if isinstance(value, float) and not math.isfinite(value):
                record[name] = None
        return record


def checkup(scored: Scored, eta: Tensor, batch: Batch, held_out: bool, climb: tuple[float, float]) -> Checkup:
    """``eta`` [H, N]: the network's predictors of ``batch``."""
    model = scored.own
    with torch.no_grad():
        own = model.log_prob(eta.unbind(0), batch.y).numpy()
        constant = torch.from_numpy(scored.first)[:, None].expand_as(eta)
        before = scored.constant.log_prob(with_offset(model, constant, batch).unbind(0), batch.y).numpy()
        best = saturated_log_prob(model, eta, batch.y)
    weights, y = batch.weights.numpy(), batch.y.numpy()
    predicted, observed, names = means(model, eta.numpy(), y)
    gain, gain_error = weighted_mean(own - before, weights)
    share = weights / weights.sum()
    pairs = list(zip(names, predicted, observed, strict=True))
    return Checkup(
        held_out=held_out,
        n=len(y),
        parameters={name: _spread(values) for name, values in shown(model, eta.numpy()).items()},
        means={name: (float(share @ p), float(share @ o)) for name, p, o in pairs},
        tenths=tenths_by_mean(model, eta.numpy(), y, weights),
        r_squared=r_squared(predicted, observed, share),
        correlation=correlation(predicted, observed, share),
        mean_square_error=float((share * (predicted - observed) ** 2).sum()),
        log_score=float(share @ own),
        gain=gain,
        gain_error=gain_error,
        climb=climb[0],
        climb_error=climb[1],
        deviance=math.nan if best is None else 2.0 * float(weights @ (best.numpy() - own)),
    )


def weighted_mean(difference: Array, weights: Array) -> tuple[float, float]:
    """Weighted mean of the rows' differences, and its standard error: Diebold and Mariano (1995) without their lags."""
    share = weights / weights.sum()
    mean = float(share @ difference)
    return mean, float(np.sqrt((share**2) @ (difference - mean) ** 2))


def _spread(values: Array) -> Spread:
    return Spread(*(float(q) for q in np.quantile(values, [0.0, 0.01, 0.5, 0.99, 1.0])))
