"""Values that a regression cannot bear, each named with its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.covariates import ABSENCES, has_decimal_comma, is_absent, is_number, remedy
from distfit_counts.data.source import WEIGHTS_HINT, RowError
from distfit_counts.errors import DataError
from distfit_counts.families.constraint import Array
from distfit_counts.formula.matrix import by_levels, source_column
from distfit_counts.formula.syntax import column_text
from distfit_counts.formula.terms import read_terms
from distfit_counts.regression.formula import Formula
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int64]
# Of so many levels, all but a few being numbers, the words are slips.
_MANY_LEVELS, _FEW_WORDS = 20, 0.1
# Words that stand for missing values, as far as a sentence lists them.
_SHOWN = 4
# Squares of what lies beyond are no float64.
_LARGEST = 1e150


def check_levels(frame: pd.DataFrame, formula: Formula, rows: Ints) -> Iterator[Verdict]:
    """What is to be said of columns of words that hold numbers too; ``rows``: the numbers of rows in the source.

    Raises RowError for a column of numbers that one of its values makes one of words, DataError for labels of rows:
    each level would be a column of the matrix.
    """
    import pandas as pd

    meant = {
        name
        for text in formula.terms.values()
        for term in read_terms(text)
        for factor in term.factors
        if by_levels(factor) and (name := source_column(factor)) is not None
    }
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]) or name in meant or name == formula.response:
            continue
        levels = [str(level) for level in frame[name].unique()]
        numbers = [level for level in levels if is_number(level)]
        words = [level for level in levels if not is_number(level) and not is_absent(level)]
        commas = [level for level in words if has_decimal_comma(level)]
        if commas and len(commas) == len(words):
            raise _first(frame, rows, name, commas[0], remedy(commas[0]))
        if not numbers:
            continue
        odd = words or [level for level in levels if is_absent(level)]
        fraction = any("." in level for level in numbers)
        if not odd and (fraction or len(levels) >= _MANY_LEVELS):
            hint = f"convert the column to numbers, or write C({column_text(name)}) if all of them are levels"
            raise DataError(f'column "{name}" holds numbers as text', hint)
        if fraction or (len(levels) >= _MANY_LEVELS and len(odd) < _FEW_WORDS * len(levels)):
            hint = f"nearly all others are: recode it, or write C({column_text(name)}) if all of them are levels"
            raise _first(frame, rows, name, odd[0], hint)
        yield _mixed(frame, rows, name, levels, odd)


def _first(frame: pd.DataFrame, rows: Ints, name: str, level: str, hint: str) -> RowError:
    return RowError(_row(frame, rows, name, level), f"{level!r} is not a number", hint, name)


def _row(frame: pd.DataFrame, rows: Ints, name: str, level: str) -> int:
    return int(rows[int(np.flatnonzero(frame[name].astype(str) == level)[0])])


def _mixed(frame: pd.DataFrame, rows: Ints, name: str, levels: Sequence[str], words: Sequence[str]) -> Verdict:
    if words:
        row = _row(frame, rows, name, words[0]) + 1
        why = f"{len(levels) - len(words)} of them are numbers, and row {row} holds {words[0]!r}"
    else:
        why = "all of them are numbers, as text"
    return Verdict(
        "terms.mixed_levels",
        f"{name} is taken as {len(levels)} levels: {why}. If it is a number, recode the words; C({column_text(name)}) "
        "says that levels are meant.",
    )


def absences(frame: pd.DataFrame) -> Iterator[Verdict]:
    """What stood for missing values in columns of numbers, as their reader noted it."""
    for found in frame.attrs.get(ABSENCES, ()):
        if found.column in frame.columns:
            words = ", ".join(map(repr, found.words[:_SHOWN])) + (", ..." if len(found.words) > _SHOWN else "")
            stand = "stands" if len(found.words) == 1 else "stand"
            rows = "1 row" if found.rows == 1 else f"{found.rows:,} rows"
            yield Verdict(
                "data.missing_words",
                f"{found.column}: {words} in {rows} (first in row {found.first + 1}) {stand} for a missing value "
                "among numbers: such rows are left out.",
            )


def check_finite(matrix: Array, names: Sequence[str], rows: Ints) -> None:
    # NaN fails the comparison: two passes without a mask of all values.
    if not matrix.size or max(matrix.max(), -matrix.min()) <= _LARGEST:
        return
    row, column = np.argwhere(~(np.abs(matrix) <= _LARGEST))[0]
    value = matrix[row, column]
    remedy = "divide the column by a unit" if np.isfinite(value) else "recode the value or leave the row out"
    raise RowError(int(rows[row]), f"the term {names[column]} is {value}{too_large(value)}", remedy)


def too_large(value: float) -> str:
    """What is wrong with a finite number whose square float64 does not have; "" where it is not the size."""
    return f", beyond {_LARGEST:g}" if np.isfinite(value) and abs(value) > _LARGEST else ""


def numbers(frame: pd.DataFrame, rows: Ints, name: str) -> Array:
    """A column as float64; ``rows``: their numbers in the source. Raises DataError, naming the row."""
    import pandas as pd

    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        place = int(np.flatnonzero(pd.to_numeric(column, errors="coerce").isna())[0])
        problem = f"{str(column.iloc[place])!r} is not a number"
        raise RowError(int(rows[place]), problem, "recode it, or leave the row out", name)
    found = column.to_numpy(dtype=np.float64)
    wrong = ~(np.abs(found) <= _LARGEST)
    if wrong.any():
        raise refused(rows, wrong, name, found, "recode it or leave the row out")
    return found


def frequencies(frame: pd.DataFrame, rows: Ints, name: str | None) -> Array:
    """How often each row counts: the column ``name``, or 1. Raises DataError for what is no whole number >= 0.

    As for plain fits: shares would make n, standard errors, AIC and BIC those of a single observation.
    """
    if name is None:
        return np.ones(len(frame))
    found = numbers(frame, rows, name)
    wrong = (found < 0.0) | (found != np.floor(found))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        what = "negative" if found[place] < 0.0 else "not a whole number"
        raise RowError(int(rows[place]), f"{found[place]:g} is {what}", WEIGHTS_HINT, name)
    return found


def refused(rows: Ints, wrong: Any, name: str, values: Array, hint: str) -> RowError:
    place = int(np.flatnonzero(wrong)[0])
    return RowError(int(rows[place]), f"{values[place]:g}{too_large(values[place])}", hint, name)
