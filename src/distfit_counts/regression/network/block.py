"""Rows to train on, a block at a time, from wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.design import Design, Terms
from distfit_counts.result import Verdict

# Rows of a block: large enough that the work per block is not Python's, small enough to stay near the processor.
BLOCK_ROWS = 2**16


@dataclass(frozen=True, eq=False)
class Block:
    """``x`` [n, p] on its own scale, ``y``, ``weights`` > 0 and ``offset`` [n]; ``rows``: their numbers in the source.

    A source has offsets in all its blocks or in none.
    """

    x: Array
    y: Array
    weights: Array
    offset: Array | None
    rows: Ints

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | slice) -> Block:
        offset = None if self.offset is None else self.offset[chosen]
        return Block(self.x[chosen], self.y[chosen], self.weights[chosen], offset, self.rows[chosen])

    @classmethod
    def join(cls, parts: list[Block]) -> Block:
        if len(parts) == 1:
            return parts[0]
        offset = None if parts[0].offset is None else np.concatenate([np.asarray(part.offset) for part in parts])
        x, y, weights, rows = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y", "weights", "rows")
        )
        return cls(x, y, weights, offset, rows)


class Source(Protocol):
    """What can be gone through again and again. ``n_rows``: how many rows there are at most; ``n_missing``: how many
    of them lack a value; ``in_memory``: whether all of them may be held at once; ``remarks``: about the values.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def terms(self) -> tuple[Terms, ...]: ...

    @property
    def n_rows(self) -> int: ...

    @property
    def n_missing(self) -> int: ...

    @property
    def in_memory(self) -> bool: ...

    @property
    def remarks(self) -> tuple[Verdict, ...]: ...

    def blocks(self, order: np.random.Generator | None = None) -> Iterator[Block]:
        """All rows once. ``order`` shuffles what can be shuffled without reading ahead."""
        ...


@dataclass(frozen=True, eq=False)
class Arrays:
    """Rows in memory: ``x`` [N, p], whose columns have ``names``; ``y``, ``weights`` and ``offset`` [N]."""

    x: Array
    y: Array
    weights: Array
    offset: Array | None
    names: tuple[str, ...]
    terms: tuple[Terms, ...] = ()
    n_missing: int = 0
    remarks: tuple[Verdict, ...] = ()
    in_memory = True

    @classmethod
    def of(cls, data: Design) -> Arrays:
        """The columns of all predictors together: every parameter sees them all."""
        columns: dict[str, Array] = {}
        terms: dict[str, Terms] = {}
        for own in data.predictors:
            terms[own.terms.text] = own.terms
            columns |= {name: own.matrix[:, j] for j, name in enumerate(own.terms.names)}
        offset = next((own.offset for own in data.predictors if own.offset is not None), None)
        y = np.asarray(data.y, dtype=np.float64)
        x = np.stack(list(columns.values()), axis=1)
        named = tuple(columns), tuple(terms.values())
        return cls(x, y, data.weights, offset, *named, data.n_missing, data.remarks)

    @property
    def n_rows(self) -> int:
        return len(self.y)

    def blocks(self, order: np.random.Generator | None = None) -> Iterator[Block]:
        """In their order: rows in memory are shuffled after they were standardised."""
        whole = Block(self.x, self.y, self.weights, self.offset, np.arange(len(self.y)))
        for first in range(0, len(self.y), BLOCK_ROWS):
            block = whole[slice(first, first + BLOCK_ROWS)]
            yield block[block.weights > 0.0]
