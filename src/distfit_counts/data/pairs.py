"""Counts of (label, value) where there are millions of pairs: packed into one int64 each, and sorted.

NumPy sorts plain integers with the processor's vector instructions, several times as fast as a hash table is filled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, int64_array, is_null
from distfit_counts.data.counting import Ints

# A key holds label << 32 | value + 1, and value 0 there means missing.
_BITS = 32
_MASK = (1 << _BITS) - 1
_LABELS, _VALUES = 1 << 31, 1 << 31
# Cells of an array for a batch, for each of its rows.
_CELLS_PER_ROW = 4
# Keys that are kept before they are sorted: 128 MB, or 8 MB where there may be few pairs.
_SORT_AT, _SORT_AT_LEAST = 1 << 24, 1 << 20


class Pairs:
    """Counts of pairs; ``keys`` sorted and their ``numbers``, and those that came since.

    ``most``: how many pairs there may be (None: any number). A few times as many keys are sorted at once, so that more
    pairs are noticed soon. ``distinct``: the pairs known so far whose value is not missing.
    """

    def __init__(self, most: int | None = None) -> None:
        self._sort_at = _SORT_AT if most is None else min(max(4 * most, _SORT_AT_LEAST), _SORT_AT)
        self.distinct = 0
        self._keys: Ints = np.zeros(0, dtype=np.int64)
        self._numbers: Ints = np.zeros(0, dtype=np.int64)
        self._new: list[tuple[Ints, Ints | None]] = []
        self._waiting = 0

    def add(self, label: Any, column: Any, weights: Ints | None) -> bool:
        """Count an int64 Arrow array by an Arrow array of labels. False, and nothing is counted, where a label is no
        whole number from 0 on, or one of both is too large.
        """
        import pyarrow as pa

        if not len(column):
            return True
        if not pa.types.is_integer(label.type) or label.null_count:
            return False
        labels, values = as_numpy(label), as_numpy(column)
        if column.null_count:
            values = np.where(is_null(column), -1, values)
        if labels.min() < 0 or labels.max() >= _LABELS or values.max() >= _VALUES - 1:
            return False
        if weights is None and (found := _in_few_cells(labels, values)):
            key, weights = found
        else:
            key = _packed(labels, values)
        self._new.append((key, weights))
        self._waiting += len(key)
        if self._waiting > max(self._sort_at, 2 * len(self._keys)):
            self._sort()
        return True

    def _sort(self) -> None:
        batches = self._batches()
        self._new, self._waiting = [], 0
        parts = [counted(key, weights) for key, weights in batches]
        del batches
        keys = np.concatenate([self._keys, *(key for key, _ in parts)])
        numbers = np.concatenate([self._numbers, *(number for _, number in parts)])
        self._keys, self._numbers = counted(keys, numbers) if len(self._keys) or len(parts) > 1 else (keys, numbers)
        self.distinct = int(np.count_nonzero(self._keys & _MASK))

    def _batches(self) -> list[tuple[Ints, Ints | None]]:
        """What came since: in one piece where it can be sorted without its numbers, which is much faster."""
        if any(weights is not None for _, weights in self._new):
            return self._new
        return [(np.concatenate([key for key, _ in self._new]), None)] if self._new else []

    def columns(self) -> tuple[list[Any], Any, Any]:
        """What was counted, sorted by label and value (missing first): Arrow arrays of the label, the value (null:
        missing) and their numbers.
        """
        self._sort()
        value = (self._keys & _MASK) - 1
        return [int64_array(self._keys >> _BITS)], int64_array(value, value < 0), int64_array(self._numbers)


def _packed(labels: Ints, values: Ints) -> Ints:
    key = labels.astype(np.int64)
    key <<= _BITS
    key += values
    key += 1
    return key


def _in_few_cells(labels: Ints, values: Ints) -> tuple[Ints, Ints] | None:
    """The distinct keys, sorted, and their numbers, where rows come group after group: then those of a batch lie in an
    array that is small enough to count in. None otherwise.
    """
    low, high, width = int(labels.min()), int(labels.max()), int(values.max()) + 2
    if (high - low + 1) * width > _CELLS_PER_ROW * len(labels):
        return None
    cell = (labels - low).astype(np.int64)
    cell *= width
    cell += values
    cell += 1
    counts = np.bincount(cell)
    cells = np.flatnonzero(counts)
    return _packed(cells // width + low, cells % width - 1), counts[cells]


def counted(keys: Ints, numbers: Ints | None) -> tuple[Ints, Ints]:
    """The distinct ``keys``, sorted, and how often each occurs, or the sums of their ``numbers``. ``keys`` may be
    sorted in place: they are many.
    """
    if numbers is None:
        keys.sort()
        starts = _run_starts(keys)
        return keys[starts], np.diff(starts, append=len(keys))
    # Stable: on parts that are sorted already, it only merges.
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = _run_starts(keys)
    return keys[starts], np.add.reduceat(numbers[order], starts)


def _run_starts(ordered: Ints) -> Ints:
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return np.flatnonzero(new).astype(np.int64, copy=False)
