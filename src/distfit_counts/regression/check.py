"""A saved regression on new rows, without refitting: its log score, its calibration, what was observed of the zeros.

Nothing was estimated from the new rows, so Pearson's chi-square has as many degrees of freedom as there are rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from distfit_counts.data.frames import Kind
from distfit_counts.errors import DataError
from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.bands import binomial_band
from distfit_counts.inference.new_data.residuals import Residuals as Summary
from distfit_counts.inference.new_data.residuals import summary
from distfit_counts.regression.checked import frequencies
from distfit_counts.regression.natural import NaturalFamily
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.network.response import coded
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.responses import response_kind
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.saved import SavedRegression
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    import pandas as pd

_BINS = 10


@dataclass(frozen=True, eq=False)
class NewRows:
    """``seen``: what the model says of each row, beside its response; ``frame``: the rows themselves.

    ``n_missing`` were left out for a missing value, ``n_unknown`` as the model knows nothing of them.
    """

    seen: Residuals | NaturalResiduals
    frame: pd.DataFrame
    weights: str | None
    n_missing: int
    n_unknown: int

    @classmethod
    def of(cls, saved: SavedRegression, frame: pd.DataFrame, weights: str | None = None) -> NewRows:
        """Raises DataError for a row that the model cannot take."""
        model = saved.model.rows
        whole = np.flatnonzero(frame.notna().all(axis=1).to_numpy()).astype(np.int64)
        if not len(whole):
            raise DataError("no row without a missing value", f"check the columns {', '.join(map(str, frame.columns))}")
        kept = frame.iloc[whole].reset_index(drop=True)
        eta = np.stack(saved.model.predictors(kept, whole)[0])
        known = np.flatnonzero(~np.isnan(eta).any(axis=0))
        y = kept[saved.response].to_numpy(dtype=np.float64) if isinstance(model, CountModel) else None
        y = coded(model, kept, whole, saved.response) if y is None else y
        weight = frequencies(kept, whole, weights)
        if not weight[known].any():
            raise DataError(f'column "{weights}": all weights are 0', "check the --weights column")
        eta, y, weight = eta[:, known], y[known], weight[known]
        seen: Residuals | NaturalResiduals
        if isinstance(model, CountModel):
            seen = Residuals.at(model, dict(zip(model.heads, eta, strict=True)), y, weight, saved.seed)
        else:
            assert isinstance(model, NaturalFamily)
            seen = NaturalResiduals(model, eta, y, weight, saved.seed)
        return cls(seen, kept.iloc[known], weights, len(frame) - len(whole), len(whole) - len(known))

    def log_prob(self) -> Array:
        """log p(y) of every row."""
        seen = self.seen
        lowest = seen.model.family.lowest if isinstance(seen, Residuals) else -np.inf
        eta = list(seen.eta.values()) if isinstance(seen, Residuals) else list(seen.eta)
        with torch.no_grad():
            # What the family lacks is not asked for: its logarithm may be NaN there.
            y = torch.from_numpy(np.maximum(seen.y, lowest))
            found = seen.model.log_prob([torch.from_numpy(own) for own in eta], y).numpy()
        return np.where(seen.y >= lowest, found, -np.inf)


@dataclass(frozen=True, eq=False)
class RegressionCheck:
    """What ``saved`` says of the rows of ``source``.

    ``log_score``: mean -log p, infinite where the model cannot produce a response; ``outside`` says how many of them
    there are. ``residuals`` sums up the quantile residuals, ``pit`` is the histogram of the uniform draws behind them:
    ten heights of sum 1, ``pit_band`` where 95 % of each lie if the model is true.
    """

    source: str
    saved: SavedRegression
    rows: NewRows = field(repr=False)
    log_score: float
    outside: int
    residuals: Summary
    pit: tuple[float, ...]
    pit_band: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What was found, or that nothing was."""
        from distfit_counts.regression.check_verdicts import check_verdicts

        return check_verdicts(self)


def needed(saved: SavedRegression, weights: str | None) -> dict[str, Kind]:
    """The columns that a check reads, each with what it must hold."""
    spec = saved.model.rows.spec
    found: dict[str, Kind] = saved.model.kinds() | {saved.response: response_kind(spec)}
    return found if weights is None else found | {weights: "number"}


def check(saved: SavedRegression, rows: NewRows, source: str) -> RegressionCheck:
    """``saved`` on ``rows``."""
    z, log_p, weights = rows.seen.quantile, rows.log_prob(), rows.seen.weights
    counted, _ = np.histogram(torch.special.ndtr(torch.from_numpy(z)).numpy(), _BINS, (0.0, 1.0))
    low, high = binomial_band(len(z), np.full(_BINS, 1.0 / _BINS))
    used = weights > 0.0
    return RegressionCheck(
        source=source,
        saved=saved,
        rows=rows,
        log_score=float(-(weights[used] @ log_p[used]) / weights.sum()),
        outside=int(np.isneginf(log_p[used]).sum()),
        residuals=summary(z, saved.seed),
        pit=tuple((counted / len(z)).tolist()),
        pit_band=(tuple((low / len(z)).tolist()), tuple((high / len(z)).tolist())),
    )
