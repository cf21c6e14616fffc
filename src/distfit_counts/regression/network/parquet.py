"""Parquet files larger than memory as a source: record batch by record batch, columns by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.errors import DataError
from distfit_counts.regression.checked import Ints, frequencies
from distfit_counts.regression.design import Terms, design, matrix_of, offset_of, required
from distfit_counts.regression.formula import Formula
from distfit_counts.regression.network.block import BLOCK_ROWS, Block
from distfit_counts.regression.network.response import coded
from distfit_counts.regression.network.row_groups import RowGroup, frames, row_groups
from distfit_counts.regression.network.survey import survey
from distfit_counts.regression.row_model import RowModel
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ParquetRows:
    """``terms``: coded by the levels and the spread of all files together, not of their first rows."""

    groups: tuple[RowGroup, ...]
    model: RowModel
    response: str
    needed: tuple[str, ...]
    terms: tuple[Terms, ...]
    offset: str | None
    exposure: str | None
    weights: str | None
    n_missing: int
    remarks: tuple[Verdict, ...] = ()
    in_memory = False

    @classmethod
    def of(
        cls,
        paths: Sequence[Path],
        formula: Formula,
        model: RowModel,
        offset: str | None = None,
        exposure: str | None = None,
        weights: str | None = None,
    ) -> ParquetRows:
        """Goes through the columns once, for their levels. Raises DataError."""
        groups = row_groups(paths)
        needed = required(formula, model.heads, offset, exposure, weights)
        for name in needed:
            for group in groups:
                if name not in group.columns:
                    listed = ", ".join(group.columns[:20])
                    raise DataError(f'no column "{name}" in {group.path}', f"the columns are: {listed}")
        known = survey(groups, needed)
        sample, rows = known.sample, known.sample.index.to_numpy()
        sample = sample.assign(**{formula.response: coded(model, sample, rows, formula.response)})
        made = design(formula, sample, model.roles)
        terms = {own.terms.text: own.terms for own in made.predictors}
        return cls(
            groups,
            model,
            formula.response,
            tuple(needed),
            tuple(terms.values()),
            offset,
            exposure,
            weights,
            known.n_missing,
            made.remarks,
        )

    @property
    def n_rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for own in self.terms for name in own.names))

    def blocks(self, order: np.random.Generator | None = None) -> Iterator[Block]:
        """Row group by row group; ``order`` shuffles those."""
        turns = range(len(self.groups)) if order is None else order.permutation(len(self.groups))
        for turn in turns:
            for frame, rows in frames(self.groups[turn], self.needed, BLOCK_ROWS):
                complete = frame.notna().all(axis=1).to_numpy()
                if not complete.all():
                    frame, rows = frame.loc[complete], rows[complete]
                if len(frame):
                    yield self._block(frame, rows)

    def _block(self, frame: pd.DataFrame, rows: Ints) -> Block:
        y = coded(self.model, frame, rows, self.response)
        weights = frequencies(frame, rows, self.weights)
        offset = offset_of(frame, rows, self.offset, self.exposure)
        block = Block(inputs(self.terms, frame, rows), y, weights, offset, rows)
        return block if self.weights is None else block[weights > 0.0]


def inputs(terms: Sequence[Terms], frame: pd.DataFrame, rows: Ints) -> np.ndarray:
    """The columns [n, p] of all ``terms``, each once, in the order of their names."""
    if len(terms) == 1:
        return matrix_of(terms[0], frame, rows)
    columns: dict[str, np.ndarray] = {}
    for own in terms:
        matrix = matrix_of(own, frame, rows)
        columns |= {name: matrix[:, j] for j, name in enumerate(own.names)}
    return np.stack(list(columns.values()), axis=1)
