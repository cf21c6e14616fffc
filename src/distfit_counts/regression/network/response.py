"""The response of a stream as the numbers that its model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.data.source import RowError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.checked import Ints, numbers
from distfit_counts.regression.natural import Bernoulli, Categorical, NaturalPoisson
from distfit_counts.regression.responses import text_of
from distfit_counts.regression.row_model import CountModel, RowModel

if TYPE_CHECKING:
    import pandas as pd


def coded(model: RowModel, frame: pd.DataFrame, rows: Ints, name: str) -> Array:
    """The column ``name`` as the model takes it; levels as their codes. Raises DataError, naming the row."""
    if isinstance(model, Bernoulli | Categorical):
        code = {level: float(i) for i, level in enumerate(model.levels)}
        by_value = {value: code.get(text_of(value), np.nan) for value in frame[name].unique()}
        y = frame[name].map(by_value).to_numpy(dtype=np.float64)
        _refuse(frame, rows, name, np.isnan(y), "is no level of the response", f"they are {', '.join(model.levels)}")
        return y
    y = numbers(frame, rows, name)
    if isinstance(model, CountModel | NaturalPoisson):
        _refuse(frame, rows, name, (y < 0.0) | (y != np.floor(y)), "is no count", "counts are 0, 1, 2, ...")
        lowest = model.family.lowest if isinstance(model, CountModel) else 0
        _refuse(frame, rows, name, y < lowest, "cannot be under this family", f"its counts begin at {lowest}")
    return y


def _refuse(frame: pd.DataFrame, rows: Ints, name: str, wrong: np.ndarray, what: str, hint: str) -> None:
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise RowError(int(rows[place]), f"{frame[name].iloc[place]} {what}", hint, name)
