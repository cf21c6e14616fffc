"""Entries of a sparse matrix that name one position several times: their values are added.

To find them in a stream, one needs to know when a position cannot come again. Programs write row after row, or
column after column; within one of these lines in any order. So only the line that is being read is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from distfit_counts.data.matrix.entries import BLOCK, MISSING, Axis, Entries
from distfit_counts.data.whole import LARGEST
from distfit_counts.errors import DataError


class OutOfOrder(Exception):
    """The entries come neither row after row nor column after column: all of them must be kept."""


def merged(blocks: Iterable[Entries], shape: tuple[int, int], name: str) -> Iterator[Entries]:
    """The entries, each position once, while they are read. Raises OutOfOrder when that cannot be done."""
    orders: list[Axis] = ["rows", "columns"]
    kept: list[Entries] = []
    for block in blocks:
        if not len(block):
            continue
        block = Entries.joined([*kept, block])
        orders = [axis for axis in orders if bool((np.diff(block.along(axis)) >= 0).all())]
        if not orders:
            raise OutOfOrder
        unfinished = np.zeros(len(block), dtype=np.bool_)
        for axis in orders:
            line = block.along(axis)
            unfinished |= line == line[-1]
        kept = [block[unfinished]]
        yield added(block[~unfinished], shape, name)
    if kept:
        yield added(kept[0], shape, name)


def merged_in_memory(blocks: Iterable[Entries], shape: tuple[int, int], name: str) -> Iterator[Entries]:
    """The same for entries in any order, all of which are held: 24 bytes each, and as much again to sort them."""
    everything = added(Entries.joined(list(blocks)), shape, name)
    for start in range(0, len(everything), BLOCK):
        yield everything[start : start + BLOCK]


def added(entries: Entries, shape: tuple[int, int], name: str) -> Entries:
    """Values of equal positions added; with a missing one among them, the sum is missing."""
    positions = entries.rows * shape[1] + entries.columns
    ordered = positions if bool((np.diff(positions) > 0).all()) else np.sort(positions)
    if not (ordered[1:] == ordered[:-1]).any():
        return entries
    order = np.argsort(positions, kind="stable")
    ordered, values = positions[order], entries.values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sums = np.add.reduceat(values, starts)
    # In float64 too: int64 may have wrapped around.
    too_large = (sums > LARGEST) | (np.add.reduceat(values.astype(np.float64), starts) > LARGEST)
    if too_large.any():
        row, column = divmod(int(ordered[starts[too_large.argmax()]]), shape[1])
        place = f"{name}, row {row + 1}, column {column + 1}"
        hint = "counts this large are not exact in floating point; divide them by a common unit"
        raise DataError(f"{place}: its entries add up to more than 2**53 = {LARGEST}", hint)
    missing = np.minimum.reduceat(values, starts) == MISSING
    return Entries(*np.divmod(ordered[starts], shape[1]), np.where(missing, MISSING, sums))
