"""A fitted regression as what predicts: the family, and every parameter's terms with their coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from distfit_counts.data.covariates import TRUTH
from distfit_counts.data.frames import Kind
from distfit_counts.families.constraint import Array
from distfit_counts.formula.matrix import source_column
from distfit_counts.formula.terms import variables
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.design import Terms, matrix_of, offset_of
from distfit_counts.regression.directions import moved
from distfit_counts.regression.means import mean_tensor
from distfit_counts.regression.natural import Bernoulli, Categorical, NaturalFamily, Normal
from distfit_counts.regression.responses import restored
from distfit_counts.regression.result import Regression
from distfit_counts.regression.row_model import LOCATIONS, RowModel, bare
from distfit_counts.regression.terms_state import terms_of, terms_record

if TYPE_CHECKING:
    import pandas as pd


# What is added to a predictor that runs to infinity: exp of it is as good as 0 or infinite, and can be divided by.
FAR = 600.0
_NO_SLOPE = 1e-100


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
            # Added: the reference of a categorical response may run on, and the others keep their proportions.
            eta[moved(matrix, self.unbounded[i])] += FAR * np.sign(eta[moved(matrix, self.unbounded[i])])
            eta[moved(matrix, self.unidentified[i])] = np.nan
            etas.append(eta + added if added is not None and bare(head) in LOCATIONS else eta)
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
    def from_record(cls, record: dict[str, Any]) -> Model:
        """KeyError and the like where the record is damaged; DistfitError where it names what does not exist."""
        listed = record["predictors"]
        links = {own["head"]: own["link"] for own in listed}
        rows = restored(record["family"], links, record["levels"], record["variance"])
        if rows.heads != tuple(own["head"] for own in listed):
            raise ValueError("its predictors are not those of its family")
        terms = tuple(terms_of(own["terms"]) for own in listed)
        coefficients = tuple(np.array(own["coefficients"], dtype=np.float64) for own in listed)
        unbounded, unidentified = (
            tuple(np.array(own[name], dtype=np.float64).reshape(-1, len(own["coefficients"])).T for own in listed)
            for name in ("unbounded", "unidentified")
        )
        size = sum(map(len, coefficients))
        covariance = np.array([[np.nan if x is None else x for x in row] for row in record["covariance"]], dtype=float)
        if any(len(t.names) != len(b) for t, b in zip(terms, coefficients, strict=True)) or covariance.size != size**2:
            raise ValueError("coefficients and terms do not agree")
        return cls(
            rows,
            terms,
            coefficients,
            unbounded,
            unidentified,
            covariance.reshape(size, size),
            record["level"],
            record["offset"],
            record["exposure"],
        )


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
