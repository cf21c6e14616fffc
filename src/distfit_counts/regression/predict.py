"""A fitted regression on new rows: means, probabilities, quantiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from distfit_counts.data.frames import Part
from distfit_counts.data.source import RowError
from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.estimates import normal_point
from distfit_counts.regression.means import mean_of, shares_of
from distfit_counts.regression.natural import Bernoulli, Categorical, NaturalFamily, Normal
from distfit_counts.regression.quantiles import quantiles
from distfit_counts.regression.row_model import CountModel, RowModel

if TYPE_CHECKING:
    import pandas as pd

# A mean or a probability beyond is 0 or infinite: what ``FAR`` makes of it.
_NOTHING = 1e-200
# Two values of a predictor of which nothing is known.
_ANYWHERE = (-2.0, 3.0)


class Model(Protocol):
    """What predicts: a linear one or a network. ``level``: of the intervals of its means, None where it has none."""

    @property
    def rows(self) -> RowModel: ...

    @property
    def level(self) -> float | None: ...

    def predictors(self, frame: pd.DataFrame, rows: Ints) -> tuple[list[Array], list[Array]]: ...

    def mean_error(self, etas: Sequence[Array], matrices: Sequence[Array]) -> Array: ...


@dataclass(frozen=True)
class Wanted:
    """What is predicted beside the mean and P(Y = 0). ``pmf``: counts; ``quantiles``: of the predicted distribution;
    ``interval``: of the mean, at the model's level.
    """

    pmf: Sequence[int] = ()
    quantiles: Sequence[float] = ()
    interval: bool = False

    def names(self, model: Model) -> list[str]:
        """The columns of a prediction. Raises DistfitError for what the model's response does not have."""
        if self.interval and model.level is None:
            problem = "--interval is of the mean, and the weights of a network have no standard errors"
            raise DistfitError(problem, "leave it out; --quantiles 0.025,0.975 say where single responses lie")
        if isinstance(model.rows, CountModel):
            found = ["row", "mean"] + (["mean_lower", "mean_upper"] if self.interval else []) + ["prob_zero"]
            return found + [f"pmf_{k}" for k in self.pmf] + [f"quantile_{q}" for q in self.quantiles]
        if self.pmf:
            raise DistfitError(f"a {model.rows.spec} response has no counts", "leave out --pmf")
        if isinstance(model.rows, Categorical):
            if self.interval or self.quantiles:
                hint = "leave out --interval and --quantiles"
                raise DistfitError("a categorical response has neither a mean nor quantiles", hint)
            return ["row", *(f"prob_{level}" for level in model.rows.levels)]
        found = ["row", "mean"] + (["mean_lower", "mean_upper"] if self.interval else [])
        return found + [f"quantile_{q}" for q in self.quantiles]

    def whole(self, model: Model) -> set[str]:
        """Those that hold whole numbers."""
        quantiles = () if isinstance(model.rows, Normal) else self.quantiles
        return {"row", *(f"quantile_{q}" for q in quantiles)}


def predict(model: Model, blocks: Iterator[pd.DataFrame], wanted: Wanted) -> Iterator[dict[str, Array]]:
    """The columns of ``wanted.names`` for block after block, rows in their order; NaN in rows with a missing value.

    Raises RowError for a value that a term cannot bear.
    """
    names = wanted.names(model)
    for block in blocks:
        whole = block.notna().all(axis=1).to_numpy() if block.shape[1] else np.ones(len(block), dtype=bool)
        first = int(block.index[0]) if len(block) else 0
        found = {name: np.full(len(block), np.nan) for name in names}
        found["row"] = np.arange(first + 1, first + len(block) + 1).astype(np.float64)
        if whole.any():
            for name, values in _predicted(model, block[whole], block.index[whole].to_numpy(), wanted).items():
                found[name][whole] = values
        yield found


def predict_parts(
    model: Model, parts: Iterable[Part], wanted: Wanted, several: bool
) -> Iterator[dict[str, Array | str]]:
    """The same for the parts of files, with the name of each file first where there are ``several``.

    Raises DataError for a value that a term cannot bear, with its file, row and line.
    """
    for part in parts:
        try:
            (found,) = predict(model, iter([part.frame]), wanted)
        except RowError as bad:
            raise part.error(bad) from None
        yield ({"source": part.batch.source} if several else {}) | found


def _predicted(model: Model, frame: pd.DataFrame, rows: Ints, wanted: Wanted) -> dict[str, Array]:
    etas, matrices = model.predictors(frame.reset_index(drop=True), rows)
    if not any(np.isnan(eta).any() for eta in etas):
        return _found(model, etas, matrices, wanted)
    # What is the same wherever an unknown predictor may be is known: a count that is 0 for certain, or the zeros of a
    # hurdle.
    first, second = (
        _found(model, [np.where(np.isnan(eta), at, eta) for eta in etas], matrices, wanted) for at in _ANYWHERE
    )
    return {
        name: np.where(np.isclose(values, second[name], rtol=1e-9, atol=0.0), values, np.nan)
        for name, values in first.items()
    }


def _found(model: Model, etas: Sequence[Array], matrices: Sequence[Array], wanted: Wanted) -> dict[str, Array]:
    mean = mean_of(model.rows, etas)
    if isinstance(model.rows, Categorical):
        shares = shares_of(model.rows, etas)
        return {f"prob_{level}": share for level, share in zip(model.rows.levels, shares, strict=True)}
    found = {"mean": mean}
    if wanted.interval and model.level is not None:
        reach = normal_point(0.5 + 0.5 * model.level) * model.mean_error(etas, matrices)
        found |= _interval(model.rows, etas, mean, reach)
    named = {f"quantile_{q}": q for q in wanted.quantiles}
    if isinstance(model.rows, Normal):
        return found | {name: mean + model.rows.variance**0.5 * normal_point(q) for name, q in named.items()}
    if isinstance(model.rows, Bernoulli):
        # The smaller of 0 and 1 with P(Y <= it) >= q.
        return _settled(found) | {name: (1.0 - mean < q).astype(np.float64) for name, q in named.items()}
    assert isinstance(model.rows, CountModel)
    zero = _pmf(model.rows, etas, 0)
    # Of a row that is 0 for certain nothing else need be known.
    found["mean"] = np.where(np.isnan(mean) & (zero == 1.0), 0.0, mean)
    found["prob_zero"] = zero
    for k in wanted.pmf:
        own = _pmf(model.rows, etas, k)
        found[f"pmf_{k}"] = np.where(np.isnan(own) & (zero == 1.0), 0.0, own)
    if named:
        searched = _quantiles(model.rows, etas, zero, wanted.quantiles)
        found |= {name: searched[:, i] for i, name in enumerate(named)}
    return _settled(found)


def _interval(rows: RowModel, etas: Sequence[Array], mean: Array, reach: Array) -> dict[str, Array]:
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(rows, NaturalFamily):
            return {"mean_lower": rows.link.show(etas[0] - reach), "mean_upper": rows.link.show(etas[0] + reach)}
        return {"mean_lower": mean * np.exp(-reach), "mean_upper": mean * np.exp(reach)}


def _settled(found: dict[str, Array]) -> dict[str, Array]:
    """Zeros and infinities as such."""
    return {
        name: np.where(np.abs(values) < _NOTHING, 0.0, np.where(values > 1.0 / _NOTHING, np.inf, values))
        for name, values in found.items()
    }


def _quantiles(model: CountModel, etas: Sequence[Array], zero: Array, asked: Sequence[float]) -> Array:
    """[N, Q]; 0 as far as P(Y = 0) reaches, without looking further."""
    found = np.where(zero[:, None] >= np.asarray(asked), 0.0, np.nan)
    rows = np.flatnonzero(np.isnan(found).any(axis=1))
    searched = quantiles(model, [eta[rows] for eta in etas], asked)
    found[rows] = np.where(np.isnan(found[rows]), searched, found[rows])
    return found


def _pmf(model: CountModel, etas: Sequence[Array], k: int) -> Array:
    with torch.no_grad():
        tensors = [torch.from_numpy(eta) for eta in etas]
        counts = torch.full_like(tensors[0], float(max(k, model.family.lowest)))
        found: Array = model.log_prob(tensors, counts).exp().numpy()
    return found if k >= model.family.lowest else np.zeros_like(found)
