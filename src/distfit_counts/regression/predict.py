"""A fitted regression on new rows: means, probabilities, quantiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from distfit_counts.errors import DataError, DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.design import Ints
from distfit_counts.regression.estimates import normal_point
from distfit_counts.regression.means import mean_of
from distfit_counts.regression.natural import Categorical, NaturalFamily, Normal
from distfit_counts.regression.row_model import CountModel, RowModel

if TYPE_CHECKING:
    import pandas as pd

# Rows times counts that are evaluated together.
_PIECE = 1 << 20
# The largest count that a quantile is looked for at: a tail so heavy has none that means anything.
_LARGEST = 1 << 20


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
            return found + [f"pmf_{k}" for k in self.pmf] + [f"quantile_{q:g}" for q in self.quantiles]
        if self.pmf or (self.quantiles and not isinstance(model.rows, Normal)):
            options = "--pmf" if isinstance(model.rows, Normal) else "--pmf and --quantiles"
            raise DistfitError(f"a {model.rows.spec} response has no counts", f"leave out {options}")
        if isinstance(model.rows, Categorical):
            if self.interval:
                raise DistfitError("a categorical response has no mean", "leave out --interval")
            return ["row", *(f"prob_{level}" for level in model.rows.levels)]
        ends = ["mean_lower", "mean_upper"] if self.interval else []
        return ["row", "mean", *ends, *(f"quantile_{q:g}" for q in self.quantiles)]

    def whole(self, model: Model) -> set[str]:
        """The columns of a prediction that hold whole numbers."""
        counts = self.quantiles if isinstance(model.rows, CountModel) else ()
        return {"row", *(f"quantile_{q:g}" for q in counts)}


def predict(model: Model, blocks: Iterator[pd.DataFrame], wanted: Wanted) -> Iterator[dict[str, Array]]:
    """The columns of ``wanted.names`` for block after block, rows in their order; NaN in rows with a missing value.

    Raises DataError for a value that a term cannot bear, with its row.
    """
    names, found_any = wanted.names(model), False
    for block in blocks:
        found_any |= len(block) > 0
        whole = block.notna().all(axis=1).to_numpy() if block.shape[1] else np.ones(len(block), dtype=bool)
        first = int(block.index[0]) if len(block) else 0
        found = {name: np.full(len(block), np.nan) for name in names}
        found["row"] = np.arange(first + 1, first + len(block) + 1).astype(np.float64)
        if whole.any():
            for name, values in _predicted(model, block[whole], block.index[whole].to_numpy(), wanted).items():
                found[name][whole] = values
        yield found
    if not found_any:
        raise DataError("the source has no data rows", "check the program or the filter that wrote it")


def _predicted(model: Model, frame: pd.DataFrame, rows: Ints, wanted: Wanted) -> dict[str, Array]:
    etas, matrices = model.predictors(frame.reset_index(drop=True), rows)
    mean = mean_of(model.rows, etas)
    if isinstance(model.rows, Categorical):
        shares = [1.0 - np.atleast_2d(mean).sum(axis=0), *np.atleast_2d(mean)]
        return {f"prob_{level}": share for level, share in zip(model.rows.levels, shares, strict=True)}
    found = {"mean": mean}
    if wanted.interval and model.level is not None:
        reach = normal_point(0.5 + 0.5 * model.level) * model.mean_error(etas, matrices)
        if isinstance(model.rows, NaturalFamily):
            show = model.rows.link.show
            found |= {"mean_lower": show(etas[0] - reach), "mean_upper": show(etas[0] + reach)}
        else:
            found |= {"mean_lower": mean * np.exp(-reach), "mean_upper": mean * np.exp(reach)}
    if isinstance(model.rows, Normal):
        return found | {f"quantile_{q:g}": mean + model.rows.variance**0.5 * normal_point(q) for q in wanted.quantiles}
    if not isinstance(model.rows, CountModel):
        return found
    for name, k in [("prob_zero", 0), *((f"pmf_{k}", k) for k in wanted.pmf)]:
        found[name] = _pmf(model.rows, etas, k)
    if wanted.quantiles:
        searched = _quantiles(model.rows, etas, mean, wanted.quantiles)
        found |= {f"quantile_{q:g}": searched[:, i] for i, q in enumerate(wanted.quantiles)}
    return found


def _pmf(model: CountModel, etas: Sequence[Array], k: int) -> Array:
    with torch.no_grad():
        tensors = [torch.from_numpy(eta) for eta in etas]
        counts = torch.full_like(tensors[0], float(max(k, model.family.lowest)))
        found: Array = model.log_prob(tensors, counts).exp().numpy()
    return found if k >= model.family.lowest else np.zeros_like(found)


def _quantiles(model: CountModel, etas: Sequence[Array], mean: Array, asked: Sequence[float]) -> Array:
    """The smallest counts with P(Y <= count) >= q, [N, Q], by adding up the pmf: like rows together."""
    found = np.full((len(mean), len(asked)), np.nan)
    order, begin = np.argsort(mean, kind="stable"), 0
    while begin < len(order):
        top = 64 + int(4 * min(mean[order[begin]], _LARGEST))
        end = begin + int(np.searchsorted(mean[order[begin:]], max(0.25 * top, 16.0), side="right"))
        rows = order[begin : max(min(end, begin + max(_PIECE // top, 1)), begin + 1)]
        found[rows] = _searched(model, [eta[rows] for eta in etas], asked, top)
        begin += len(rows)
    return found


def _searched(model: CountModel, etas: Sequence[Array], asked: Sequence[float], top: int) -> Array:
    """Counts up to ``top`` first, then on, as long as a row needs it."""
    n, q = len(etas[0]), np.asarray(asked)
    found = np.full((n, len(asked)), np.nan)
    below, first = np.zeros(n), 0
    while first < _LARGEST:
        k = torch.arange(first, first + top, dtype=torch.float64)[:, None].expand(-1, n)
        safe = k.clamp(min=float(model.family.lowest))
        with torch.no_grad():
            log_prob = model.log_prob([torch.from_numpy(eta)[None].expand(top, -1) for eta in etas], safe)
        pmf = torch.where(k < model.family.lowest, 0.0, log_prob.exp()).numpy()
        cdf = below + np.cumsum(pmf, axis=0)
        for i, level in enumerate(q):
            there = cdf >= level * (1.0 - 1e-13)
            new = np.isnan(found[:, i]) & there.any(axis=0)
            found[new, i] = first + there[:, new].argmax(axis=0)
        if not np.isnan(found).any():
            break
        below, first = cdf[-1], first + top
    return found
