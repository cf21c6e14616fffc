"""Data and a formula -> what a regression is fitted to: the response and a matrix for every predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.errors import DataError
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.formula.functions import Rows
from distfit_counts.formula.matrix import Coding
from distfit_counts.formula.syntax import quoted
from distfit_counts.formula.terms import read_terms, variables
from distfit_counts.regression.checked import Ints, absences, check_finite, check_levels, frequencies, numbers, refused
from distfit_counts.regression.formula import Formula
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Terms:
    """The columns that a formula's right-hand side makes: their ``names``, and which belong to which term.

    ``spec``: how new data are coded, with the levels and the states of poly() and its like.
    """

    text: str
    spec: Coding

    @property
    def names(self) -> tuple[str, ...]:
        return self.spec.names

    @property
    def by_term(self) -> Mapping[str, tuple[int, ...]]:
        return self.spec.by_term


@dataclass(frozen=True, eq=False)
class Predictor:
    """One parameter's linear predictor: eta = ``matrix`` [N, p] beta + ``offset`` [N]."""

    head: str
    terms: Terms
    matrix: Array
    offset: Array | None = None


@dataclass(frozen=True, eq=False)
class Design:
    """``y`` [N] and the weight of each row; ``rows``: their numbers in the source. ``n_missing`` rows were left out.

    ``frame``: the values of the rows, from which the matrices were made; ``remarks``: what is to be said of them.
    """

    y: Array
    weights: Array
    predictors: tuple[Predictor, ...]
    rows: Ints
    n_missing: int
    frame: pd.DataFrame
    remarks: tuple[Verdict, ...] = ()

    @property
    def n(self) -> float:
        return float(self.weights.sum())


def design(
    formula: Formula,
    frame: pd.DataFrame,
    roles: Mapping[str, Role],
    offset: str | None = None,
    exposure: str | None = None,
    weights: str | None = None,
    extra: Sequence[str | None] = (),
) -> Design:
    """The design of ``formula`` on ``frame``; rows in which a value that is needed is missing are left out.

    ``offset`` is added to the predictor of every location, the logarithm of ``exposure`` > 0 too. ``extra``: columns
    that must not be missing either. Raises DataError for columns that do not exist and values that a term cannot bear.
    """
    needed = required(formula, tuple(roles), offset, exposure, weights, *extra)
    for name in needed:
        if name not in frame.columns:
            listed = ", ".join(map(str, frame.columns[:20]))
            raise DataError(f'no column "{name}" in the data', f"the columns are: {listed}")
    complete = frame[needed].notna().all(axis=1).to_numpy()
    kept = _whole(frame[needed] if complete.all() else frame.loc[complete, needed])
    if not len(kept):
        raise DataError("no row without a missing value", f"check the columns {', '.join(needed)}")
    rows = np.flatnonzero(complete).astype(np.int64)
    added = offset_of(kept, rows, offset, exposure)
    remarks = (*absences(frame[needed]), *check_levels(kept, formula, rows))
    cache: dict[str, tuple[Terms, Array]] = {}
    predictors = []
    for head, role in roles.items():
        text = formula.terms[head]
        if text not in cache:
            cache[text] = _columns(text, kept, rows)
        terms, matrix = cache[text]
        if not matrix.shape[1]:
            raise DataError(f"the terms {text!r} of {head} make no column", "write 1 for an intercept alone")
        predictors.append(Predictor(head, terms, matrix, added if role is Role.LOCATION else None))
    y = kept[formula.response]
    return Design(
        y=np.array(y, dtype=np.float64),
        weights=frequencies(kept, rows, weights),
        predictors=tuple(predictors),
        rows=rows,
        n_missing=len(frame) - len(kept),
        frame=kept,
        remarks=remarks,
    )


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole floats as integers: a level that a file's missing values have made 1.0 is called 1 again."""
    for name in frame.columns:
        column = frame[name]
        if column.dtype == np.float64 and _is_whole(column.iloc[:100]) and _is_whole(column):
            frame = frame.assign(**{str(name): column.astype(np.int64)})
    return frame


def _is_whole(column: pd.Series) -> bool:
    return bool(np.abs(column).max() < 2.0**53 and (column == np.floor(column)).all())


def required(formula: Formula, heads: Sequence[str], *others: str | None) -> list[str]:
    """The columns that are needed, the response first; ``others``: beside those of the formula."""
    names = [formula.response]
    for text in dict.fromkeys(formula.terms[head] for head in heads):
        names += variables(text)
    return list(dict.fromkeys([*names, *(name for name in others if name is not None)]))


def matrix_of(terms: Terms, frame: pd.DataFrame, rows: Ints) -> Array:
    """The columns of ``terms`` for new data, coded as when they were made. Raises DataError for unseen levels."""
    return _made(terms.spec, Rows(frame, rows, dict(terms.spec.states)))


def _columns(text: str, frame: pd.DataFrame, rows: Ints) -> tuple[Terms, Array]:
    seen = Rows(frame, rows, {}, fitting=True)
    coding = Coding.of(read_terms(text), seen)
    _check_names(text, coding.names)
    return Terms(text, coding), _made(coding, seen)


def _check_names(text: str, names: Sequence[str]) -> None:
    """Refuse two coefficients of one name: nobody could tell them apart, JSON keeps one of them."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            problem = f"the terms {quoted(text)} make two columns called {quoted(name)}"
            raise DataError(problem, "rename the column of the data that is called so")
        seen.add(name)


def _made(coding: Coding, rows: Rows) -> Array:
    matrix = coding.matrix(rows)
    check_finite(matrix, coding.names, rows.rows)
    return matrix


def offset_of(frame: pd.DataFrame, rows: Ints, offset: str | None, exposure: str | None) -> Array | None:
    """What is added to the predictors of means [N], None where there is nothing. Raises DataError for no numbers."""
    added = None if offset is None else numbers(frame, rows, offset)
    if exposure is None:
        return added
    exposed = numbers(frame, rows, exposure)
    if (exposed <= 0).any():
        raise refused(rows, exposed <= 0, exposure, exposed, "exposures are above 0; leave rows without exposure out")
    logged = np.log(exposed)
    return logged if added is None else added + logged
