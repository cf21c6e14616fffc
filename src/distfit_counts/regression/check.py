"""A saved regression on new rows, without refitting: its log score, its calibration, what was observed of the zeros.

Nothing was estimated from the new rows, so Pearson's chi-square has as many degrees of freedom as there are rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from distfit_counts.data.frames import Kind
from distfit_counts.errors import DataError, DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.bands import binomial_band
from distfit_counts.inference.new_data.residuals import Residuals as Summary
from distfit_counts.inference.new_data.residuals import summary
from distfit_counts.inference.verdicts.new_data import FAR, PASS, errors, zeros_verdict
from distfit_counts.regression.agreement import Moments
from distfit_counts.regression.design import numbers
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.saved import SavedRegression
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    import pandas as pd

_BINS = 10


@dataclass(frozen=True, eq=False)
class RegressionCheck:
    """What ``saved`` says of the rows of ``source``.

    ``log_score``: mean -log p, infinite where the model cannot produce a count; ``outside`` says how many of them there
    are. ``residuals`` sums up the randomised quantile residuals, ``pit`` is the histogram of their uniform draws: ten
    heights of sum 1, ``pit_band`` where 95 % of each lie if the model is true.
    """

    source: str
    saved: SavedRegression
    n_missing: int
    seen: Residuals = field(repr=False)
    log_score: float
    outside: int
    residuals: Summary
    pit: tuple[float, ...]
    pit_band: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What was found, or that nothing was."""
        return tuple(_verdicts(self)) or (PASS,)


def needed(saved: SavedRegression, weights: str | None) -> dict[str, Kind]:
    """The columns that a check reads. Raises DistfitError for a response that has no counts."""
    if not isinstance(saved.model.rows, CountModel):
        raise DistfitError(
            f"a {saved.model.rows.spec} response has no counts to check", "distfit predict says its mean"
        )
    found: dict[str, Kind] = saved.model.kinds() | {saved.response: "count"}
    return found if weights is None else found | {weights: "number"}


def seen_by(saved: SavedRegression, frame: pd.DataFrame, weights: str | None = None) -> tuple[Residuals, int]:
    """The rows of ``frame`` beside what the model says of each, and how many were left out for a missing value."""
    model = saved.model.rows
    assert isinstance(model, CountModel)
    whole = frame.notna().all(axis=1).to_numpy()
    rows = np.flatnonzero(whole).astype(np.int64)
    if not len(rows):
        raise DataError("no row without a missing value", f"check the columns {', '.join(map(str, frame.columns))}")
    kept = frame[whole].reset_index(drop=True)
    etas, _ = saved.model.predictors(kept, rows)
    eta, y = dict(zip(model.heads, etas, strict=True)), kept[saved.response].to_numpy(dtype=np.float64)
    weight = np.ones(len(y)) if weights is None else numbers(kept, rows, weights)
    if (weight < 0).any() or not weight.any():
        raise DataError(f'column "{weights}" holds no weights', "they are at least 0, and not all 0")
    seen = Residuals(model, eta, y, weight, Moments.of(model, eta, y, weight), saved.seed)
    return seen, len(frame) - len(kept)


def check(saved: SavedRegression, frame: pd.DataFrame, source: str, weights: str | None = None) -> RegressionCheck:
    """``saved`` on the rows of ``frame``. Raises DataError."""
    seen, n_missing = seen_by(saved, frame, weights)
    log_p = _log_prob(seen)
    z = seen.quantile
    counted, _ = np.histogram(torch.special.ndtr(torch.from_numpy(z)).numpy(), _BINS, (0.0, 1.0))
    low, high = binomial_band(len(z), np.full(_BINS, 1.0 / _BINS))
    return RegressionCheck(
        source=source,
        saved=saved,
        n_missing=n_missing,
        seen=seen,
        log_score=float(-(seen.weights[seen.weights > 0] @ log_p[seen.weights > 0]) / seen.moments.n),
        outside=int(np.isneginf(log_p).sum()),
        residuals=summary(z, saved.seed),
        pit=tuple((counted / len(z)).tolist()),
        pit_band=(tuple((low / len(z)).tolist()), tuple((high / len(z)).tolist())),
    )


def _log_prob(seen: Residuals) -> Array:
    """log P(Y = y) of every row."""
    lowest = seen.model.family.lowest
    with torch.no_grad():
        etas = [torch.from_numpy(seen.eta[head]) for head in seen.model.heads]
        # What the family lacks is not asked for: its logarithm may be NaN there.
        found = seen.model.log_prob(etas, torch.from_numpy(np.maximum(seen.y, lowest))).numpy()
    return np.where(seen.y >= lowest, found, -np.inf)


def _verdicts(found: RegressionCheck) -> Iterator[Verdict]:
    moments, residuals = found.seen.moments, found.residuals
    if abs(found.log_score - found.saved.log_score) < 1e-12 * abs(found.log_score):
        yield Verdict("check.same_data", "These are the rows that the model was fitted to: its scores flatter it.")
    if found.outside:
        yield Verdict(
            "check.outside_support",
            f"The model cannot produce {found.outside:,} of {len(found.seen.y):,} counts: the log score is infinite. "
            "Leave those rows out, or fit a family that has them.",
        )
    error = residuals.n**-0.5
    if abs(residuals.mean.value) > FAR * error:
        higher = "higher" if residuals.mean.value > 0 else "lower"
        yield Verdict(
            "check.drift",
            f"The counts are {higher} than predicted: their quantile residuals have the mean "
            f"{residuals.mean.value:.3g}, {errors(residuals.mean.value, error)} 0.",
        )
    away = residuals.deviation.value - 1.0
    if abs(away) > FAR * error / 2.0**0.5:
        more = "more" if away > 0 else "less"
        yield Verdict(
            "check.spread",
            f"The counts scatter {more} than predicted: their quantile residuals have the standard deviation "
            f"{residuals.deviation.value:.3g}, {errors(away, error / 2.0**0.5)} 1.",
        )
    if found.seen.model.family.lowest == 0:
        yield from zeros_verdict(moments.n, *(zeros / moments.n for zeros in moments.zeros))
