"""The levels of factors, and their combinations, whose rows all have the same response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.formula.matrix import source_column
from distfit_counts.regression.design import Terms

if TYPE_CHECKING:
    import pandas as pd

Bools = npt.NDArray[np.bool_]
_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Cell:
    """``name``: "level c of ward", or "c, m of ward, sex"; ``rows`` [N]: those in it; ``value``: their response."""

    name: str
    rows: Bools
    value: float


def constant_cells(terms: Terms, frame: pd.DataFrame, y: Array, weights: Array) -> list[Cell]:
    """The cells of ``terms`` in which ``y`` [N] is constant, those within a larger one left out.

    Judged by the rows, not by the columns of a coding: the reference level has none.
    """
    found: list[Cell] = []
    for columns in _factors(terms):
        grouped = frame.groupby(columns, observed=True, sort=True).ngroup().to_numpy()
        counted = weights > 0.0
        lowest, highest = np.full(grouped.max() + 1, np.inf), np.full(grouped.max() + 1, -np.inf)
        np.minimum.at(lowest, grouped[counted], y[counted])
        np.maximum.at(highest, grouped[counted], y[counted])
        for cell in np.flatnonzero(lowest == highest):
            rows = grouped == cell
            if rows[counted].all() or any((rows <= larger.rows).all() for larger in found):
                continue
            levels = ", ".join(str(frame[name].iloc[int(rows.argmax())]) for name in columns)
            found.append(Cell(f"{'level ' * (len(columns) == 1)}{levels} of {', '.join(columns)}", rows, lowest[cell]))
    return found


def _factors(terms: Terms) -> Iterator[list[str]]:
    """The columns of levels in each term, the terms with the fewest first."""
    every = [[source_column(f) for f in term.factors if f in terms.spec.levels] for term in terms.spec.terms]
    named = [[name for name in own if name is not None] for own in every if own and None not in own]
    for columns in sorted({tuple(own) for own in named}, key=lambda own: (len(own), own)):
        yield list(columns)


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """The first few."""
    return separator.join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
