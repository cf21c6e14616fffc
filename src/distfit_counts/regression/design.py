"""Data and a formula -> what a regression is fitted to: the response and a matrix for every predictor."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.data.source import RowError
from distfit_counts.errors import DataError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.checked import (
    Ints,
    check_degrees,
    check_finite,
    check_levels,
    numbers,
    refused,
)
from distfit_counts.regression.expressions import functions
from distfit_counts.regression.formula import Formula, read, variables
from distfit_counts.regression.row_model import LOCATIONS, bare

if TYPE_CHECKING:
    import pandas as pd


# Rows from which on memory is what counts.
_LONG = 50_000


@dataclass(frozen=True, eq=False)
class Terms:
    """The columns that a formula's right-hand side makes: their ``names``, and which belong to which term.

    ``spec``: formulaic's own, with the levels and the states of poly() and its like, for new data.
    """

    text: str
    names: tuple[str, ...]
    by_term: Mapping[str, tuple[int, ...]]
    spec: Any


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

    ``frame``: the values of the rows, from which the matrices were made.
    """

    y: Array
    weights: Array
    predictors: tuple[Predictor, ...]
    rows: Ints
    n_missing: int
    frame: pd.DataFrame

    @property
    def n(self) -> float:
        return float(self.weights.sum())


def design(
    formula: Formula,
    frame: pd.DataFrame,
    heads: Sequence[str],
    offset: str | None = None,
    exposure: str | None = None,
    weights: str | None = None,
    extra: Sequence[str | None] = (),
) -> Design:
    """The design of ``formula`` on ``frame``; rows in which a value that is needed is missing are left out.

    ``offset`` is added to the predictor of every mean, the logarithm of ``exposure`` > 0 too. ``extra``: columns that
    must not be missing either. Raises DataError for columns that do not exist and values that a term cannot bear.
    """
    needed = required(formula, heads, offset, exposure, weights, *extra)
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
    check_levels(kept, formula, rows)
    check_degrees(kept, formula)
    cache: dict[str, tuple[Terms, Array]] = {}
    predictors = []
    for head in heads:
        text = formula.terms[head]
        if text not in cache:
            cache[text] = _columns(text, kept, rows)
        terms, matrix = cache[text]
        if not matrix.shape[1]:
            raise DataError(f"the terms {text!r} of {head} make no column", "write 1 for an intercept alone")
        predictors.append(Predictor(head, terms, matrix, added if bare(head) in LOCATIONS else None))
    weight = np.ones(len(kept)) if weights is None else numbers(kept, rows, weights)
    if (weight < 0).any():
        raise refused(rows, weight < 0, weights or "", weight, "weights are at least 0")
    y = kept[formula.response]
    return Design(
        y=np.array(y, dtype=np.float64),
        weights=weight,
        predictors=tuple(predictors),
        rows=rows,
        n_missing=len(frame) - len(kept),
        frame=kept,
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
    for factor, (_, state) in terms.spec.encoder_state.items():
        name, levels = column_of(str(factor)), state.get("categories")
        if levels is None or name not in frame.columns:
            continue
        unseen = ~frame[name].isin(levels)
        if unseen.any():
            place = int(np.flatnonzero(unseen)[0])
            problem = f"the level {str(frame[name].iloc[place])!r} was not in the data of the fit"
            hint = f"its levels are {', '.join(map(str, levels))}; leave such rows out"
            raise RowError(int(rows[place]), problem, hint, name)
    try:
        return _made(terms.spec, terms.text, frame, rows)[1]
    except RowError:
        raise
    except DataError as error:
        place = _first_refused(terms, frame, rows)
        values = ", ".join(f"{name} = {frame[name].iloc[place]}" for name in variables(terms.text))
        problem = f"{values}: {error.problem}"
        raise RowError(int(rows[place]), problem, _hint_of(error, terms.text)) from None


def _first_refused(terms: Terms, frame: pd.DataFrame, rows: Ints) -> int:
    """The row that a term cannot bear, by halves: what is wrong with one does not depend on the others."""
    first, last = 0, len(frame)
    while last - first > 1:
        middle = (first + last) // 2
        try:
            _made(terms.spec, terms.text, frame.iloc[first:middle], rows[first:middle])
            first = middle
        except DataError:
            last = middle
    return first


def _hint_of(error: DataError, text: str) -> str:
    if "bounds" not in error.hint:
        return error.hint
    return f"it lies outside of the data of the fit, where {text} says nothing; leave such rows out"


def column_of(factor: str) -> str:
    """The column of a categorical factor: itself, or the first argument of C()."""
    inner = re.match(r"C\(\s*(.+?)\s*[,)]", factor)
    return inner[1].strip("`") if inner else factor


def _columns(text: str, frame: pd.DataFrame, rows: Ints) -> tuple[Terms, Array]:
    terms = read(text)
    plain = len(frame) > _LONG and all(_is_column(term, frame) for term in terms)
    # Numbers as they are need no coding: formulaic names the columns, and they are copied once.
    made, matrix = _made(terms, text, frame.head(1) if plain else frame, rows)
    spec = made.model_spec
    if plain:
        matrix = np.empty((len(frame), len(spec.column_names)), order="F")
        for term, (j,) in spec.term_indices.items():
            matrix[:, j] = 1.0 if str(term) == "1" else frame[str(term.factors[0])]
        check_finite(matrix, spec.column_names, rows)
    _check_names(text, spec.column_names)
    by_term = {str(term): tuple(places) for term, places in spec.term_indices.items()}
    return Terms(text, tuple(spec.column_names), by_term, spec), matrix


def _check_names(text: str, names: Sequence[str]) -> None:
    """Refuse two coefficients of one name: nobody could tell them apart, JSON keeps one of them."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        problem = f"the terms {text!r} make two columns called {twice[0]!r}"
        raise DataError(problem, "rename the column of the data that is called so")


def _is_column(term: Any, frame: pd.DataFrame) -> bool:
    """Whether a term of formulaic's is the intercept or a column of numbers."""
    names = [str(factor) for factor in term.factors]
    return names == ["1"] or (len(names) == 1 and names[0] in frame.columns and frame[names[0]].dtype.kind in "if")


def _made(spec: Any, text: str, frame: pd.DataFrame, rows: Ints) -> tuple[Any, Array]:
    from formulaic.errors import DataMismatchWarning, FormulaicError

    try:
        with warnings.catch_warnings():
            # A level that was not seen, in a term that says nothing of its column.
            warnings.simplefilter("error", DataMismatchWarning)
            # log(0) is told with its row, below.
            warnings.simplefilter("ignore", RuntimeWarning)
            made = spec.get_model_matrix(frame, context=functions(), na_action="ignore", output="numpy")
    except (FormulaicError, ValueError, TypeError, KeyError, NameError, ArithmeticError, DataMismatchWarning) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"the terms {text!r} cannot be computed", said[:300]) from None
    # Columns one after the other: what is summed over rows then reads memory in order.
    matrix = np.asfortranarray(made, dtype=np.float64)
    check_finite(matrix, made.model_spec.column_names, rows)
    return made, matrix


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
