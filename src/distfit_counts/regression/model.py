"""A fitted regression as what predicts: the family, and every parameter's terms with their coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from distfit_counts.data.covariates import TRUTH
from distfit_counts.data.frames import Kind
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.formula.matrix import source_column
from distfit_counts.formula.terms import variables
from distfit_counts.records import Damaged, Finite, NotNegative, decoded, within_place
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.design import Terms, matrix_of, offset_of
from distfit_counts.regression.directions import FAR, moved, signs
from distfit_counts.regression.means import mean_tensor
from distfit_counts.regression.natural import Bernoulli, Categorical, NaturalFamily, Normal
from distfit_counts.regression.responses import restored
from distfit_counts.regression.result import Regression
from distfit_counts.regression.row_model import RowModel
from distfit_counts.regression.terms_state import saved_terms, terms_record
from distfit_counts.result import Level

if TYPE_CHECKING:
    import pandas as pd


_NO_SLOPE = 1e-100
# What a step along a direction of recession adds to the predictors of levels, which their softmax can bear.
_APART = 1e9


@dataclass(frozen=True, eq=False)
class Model:
    """``terms`` and ``coefficients`` of every head, with the directions in which they run on without bound and those of
    which nothing is known (``FittedPredictor``); ``covariance`` [P, P] of all coefficients, over all other directions.
    """

    rows: RowModel
    terms: tuple[Terms, ...]
    coefficients: tuple[Array, ...]
    unbounded: tuple[Array, ...]
    unidentified: tuple[Array, ...]
    covariance: Array
    level: float | None
    offset: str | None
    exposure: str | None

    @classmethod
    def of(cls, fit: Regression) -> Model:
        """What was reached."""
        links = {own.head: own.link for own in fit.predictors}
        return cls(
            rows=restored(fit.reduced, links, fit.levels, fit.variance),
            terms=tuple(own.terms for own in fit.predictors),
            coefficients=tuple(own.beta for own in fit.predictors),
            unbounded=tuple(own.unbounded for own in fit.predictors),
            unidentified=tuple(own.unidentified for own in fit.predictors),
            covariance=fit.spread,
            level=fit.level,
            offset=fit.offset,
            exposure=fit.exposure,
        )

    def kinds(self) -> dict[str, Kind]:
        """The columns that it needs, each with what it must hold."""
        return column_kinds(self.terms, self.offset, self.exposure)

    def predictors(self, frame: pd.DataFrame, rows: Ints) -> tuple[list[Array], list[Array]]:
        """eta [H] of [N] and the matrices [H] of [N, p], for a frame without missing values.

        ``rows`` [N]: their numbers in the source, from 0, for messages. eta is ``FAR`` where it runs to infinity, and
        NaN where nothing is known of it.
        """
        added = offset_of(frame, rows, self.offset, self.exposure)
        known: dict[str, Array] = {}
        etas, matrices = [], []
        for i, (head, terms) in enumerate(zip(self.rows.heads, self.terms, strict=True)):
            if terms.text not in known:
                known[terms.text] = matrix_of(terms, frame, rows)
            matrix = known[terms.text]
            eta = matrix @ self.coefficients[i]
            if isinstance(self.rows, Categorical):
                # Levels that run off together keep their proportions.
                eta += _APART * (matrix @ self.unbounded[i][:, :1]).sum(axis=1)
            else:
                # Unknown where directions disagree, as beyond the data.
                ends = signs(matrix, self.unbounded[i])
                eta = np.where(ends == 0.0, eta, FAR * ends)
            eta[moved(matrix, self.unidentified[i])] = np.nan
            etas.append(eta + added if added is not None and self.rows.roles[head] is Role.LOCATION else eta)
            matrices.append(matrix)
        return etas, matrices

    def mean_error(self, etas: Sequence[Array], matrices: Sequence[Array]) -> Array:
        """Standard error of log(mean) of every row, of the predictor for a natural family, by the delta method."""
        leaves = [torch.from_numpy(eta).requires_grad_(True) for eta in etas]
        # Of a natural family with one predictor, the predictor itself.
        log_mean = leaves[0] if isinstance(self.rows, NaturalFamily) else torch.log(mean_tensor(self.rows, leaves)[0])
        slopes = torch.autograd.grad(log_mean.sum(), leaves, allow_unused=True, materialize_grads=True)
        jacobian = np.concatenate([s.numpy()[:, None] * m for s, m in zip(slopes, matrices, strict=True)], axis=1)
        squares = ((jacobian @ self.covariance) * jacobian).sum(axis=1)
        for i, matrix in enumerate(matrices):
            lost = moved(matrix, np.concatenate([self.unbounded[i], self.unidentified[i]], axis=1))
            # A probability that is 0 for certain adds nothing.
            squares[lost & ~(np.abs(slopes[i].numpy()) < _NO_SLOPE)] = np.nan
        result: Array = np.sqrt(squares)
        return result

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "family": self.rows.spec,
            "levels": list(self.rows.levels) if isinstance(self.rows, Bernoulli | Categorical) else None,
            "variance": _known(self.rows.variance) if isinstance(self.rows, Normal) else None,
            "predictors": [
                {
                    "head": head,
                    "link": self.rows.links[head].name,
                    "terms": terms_record(terms),
                    "coefficients": self.coefficients[i].tolist(),
                    "unbounded": self.unbounded[i].T.tolist(),
                    "unidentified": self.unidentified[i].T.tolist(),
                }
                for i, (head, terms) in enumerate(zip(self.rows.heads, self.terms, strict=True))
            ],
            "covariance": [[_known(x) for x in row] for row in self.covariance.tolist()],
            "level": self.level,
            "offset": self.offset,
            "exposure": self.exposure,
        }

    @classmethod
    def from_record(cls, record: Any) -> Model:
        """Raises Damaged where the record is; DistfitError where it names what does not exist."""
        own = decoded(_Record, record)
        size = sum(len(each.coefficients) for each in own.predictors)
        if len(own.covariance) != size or any(len(row) != size for row in own.covariance):
            raise Damaged(f"has not {size} rows of {size} numbers", ".covariance")
        links = {each.head: each.link for each in own.predictors}
        rows = restored(own.family, links, own.levels, own.variance)
        if rows.heads != tuple(each.head for each in own.predictors):
            raise Damaged("are not those of its family", ".predictors")
        places = [(each, f".predictors[{i}]") for i, each in enumerate(own.predictors)]
        return cls(
            rows,
            terms=tuple(within_place(_terms, each, place) for each, place in places),
            coefficients=tuple(np.array(each.coefficients) for each in own.predictors),
            unbounded=tuple(within_place(_directions("unbounded"), each, place) for each, place in places),
            unidentified=tuple(within_place(_directions("unidentified"), each, place) for each, place in places),
            covariance=np.array(own.covariance, dtype=np.float64),
            level=own.level,
            offset=own.offset,
            exposure=own.exposure,
        )


@dataclass(frozen=True)
class _Predictor:
    """As ``Model.record`` writes it; directions in rows."""

    head: str
    link: str
    terms: Any
    coefficients: tuple[Finite, ...]
    unbounded: tuple[tuple[Finite, ...], ...]
    unidentified: tuple[tuple[Finite, ...], ...]


@dataclass(frozen=True)
class _Record:
    family: str
    levels: tuple[str, ...] | None
    variance: NotNegative | None
    predictors: tuple[_Predictor, ...]
    covariance: tuple[tuple[float, ...], ...]
    level: Level | None
    offset: str | None
    exposure: str | None


def _terms(own: _Predictor) -> Terms:
    terms = within_place(saved_terms, own.terms, ".terms")
    if len(terms.names) != len(own.coefficients):
        raise Damaged(f"{len(own.coefficients)} in place of {len(terms.names)}", ".coefficients")
    return terms


def _directions(name: str) -> Callable[[_Predictor], Array]:
    """[p, m]"""

    def read(own: _Predictor) -> Array:
        rows, size = getattr(own, name), len(own.coefficients)
        if any(len(row) != size for row in rows):
            raise Damaged(f"has rows of other than {size} numbers", f".{name}")
        return np.array(rows, dtype=np.float64).reshape(-1, size).T

    return read


def _known(value: float) -> float | None:
    return None if value != value else value


def column_kinds(listed: Sequence[Terms], offset: str | None, exposure: str | None) -> dict[str, Kind]:
    """The columns that terms, offset and exposure need, each with what it must hold."""
    found: dict[str, Kind] = {}
    for terms in listed:
        levels = text_columns(terms)
        found |= {name: levels.get(name, "number") for name in variables(terms.text)}
    return found | {name: "number" for name in (offset, exposure) if name is not None}


def has_levels(terms: Terms) -> bool:
    """Whether any column is coded by its levels, words or numbers."""
    return bool(terms.spec.levels)


def text_columns(terms: Terms) -> dict[str, Kind]:
    """The columns whose levels are words; levels that are numbers are read as numbers."""
    return {
        name: "truth" if set(levels) <= set(TRUTH) else "level"
        for factor, levels in terms.spec.levels.items()
        if (name := source_column(factor)) is not None and any(isinstance(level, str) for level in levels)
    }
