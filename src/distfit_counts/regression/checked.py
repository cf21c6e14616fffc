"""Values that a regression cannot bear, each named with its row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.source import RowError
from distfit_counts.errors import DataError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.formula import Formula

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int64]
# More levels than these are labels of rows.
_MOST_LEVELS = 2_000
# Of so many levels, all but a few being numbers, the words are slips.
_MANY_LEVELS, _FEW_WORDS = 20, 0.1
# Squares of what lies beyond are no float64.
_LARGEST = 1e150


def check_levels(frame: pd.DataFrame, formula: Formula, rows: Ints) -> None:
    """Refuse a column of words that are no levels: each would be a column of the matrix."""
    import pandas as pd

    meant = {found for text in formula.terms.values() for found in re.findall(r"C\(\s*`?([^,()`]+?)`?\s*[,)]", text)}
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        levels = pd.Series(frame[name].unique())
        words = pd.to_numeric(levels.astype(str), errors="coerce").isna()
        if name not in meant and len(levels) >= _MANY_LEVELS and words.mean() < _FEW_WORDS:
            level = levels[words.to_numpy()].iloc[0]
            place = int(np.flatnonzero(frame[name] == level)[0])
            hint = f"nearly all others are: recode it, or write C({name}) if all of them are levels"
            raise RowError(int(rows[place]), f"{str(level)!r} is not a number", hint, str(name))
        if len(levels) > _MOST_LEVELS:
            hint = "a label of rows is no covariate: leave it out, or group it"
            raise DataError(f'column "{name}" has {len(levels):,} levels', hint)


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


def refused(rows: Ints, wrong: Any, name: str, values: Array, hint: str) -> RowError:
    place = int(np.flatnonzero(wrong)[0])
    return RowError(int(rows[place]), f"{values[place]:g}{too_large(values[place])}", hint, name)
