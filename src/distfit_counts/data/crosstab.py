"""Counts of (label, ..., value) in one array, as long as there are few of each: much faster than hashing pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, int64_array, is_null
from distfit_counts.data.counting import Ints, sums

# Cells of the array at most: 8 MB.
_CELLS = 1 << 20


class Crosstab:
    """An array with an axis for each label column and one for the value, whose place 0 means missing."""

    def __init__(self, labels: int) -> None:
        self._axes = [_Axis() for _ in range(labels)]
        self._counts: Ints = np.zeros((0,) * (labels + 1), dtype=np.int64)
        # Rows of weight 0 count nothing, but they show that there is such a group.
        self._weightless: Ints | None = None

    def add(self, labels: Sequence[Any], column: Any, weights: Ints | None) -> bool:
        """Count an int64 Arrow array by Arrow label arrays. False, and nothing is counted, where the array would
        become too large or a label column is of another type than before.
        """
        if not len(column):
            return True
        codes = [axis.codes(label) for axis, label in zip(self._axes, labels, strict=True)]
        places = [code for code in codes if code is not None]
        if len(places) < len(codes):
            return False
        values = as_numpy(column)
        if column.null_count:
            values = np.where(is_null(column), -1, values)
        needed = [*(len(axis.labels) for axis in self._axes), int(values.max()) + 2]
        if not self._grow(needed):
            return False
        key = np.zeros(1, dtype=np.int64)
        for size, place in zip(self._counts.shape[1:], places, strict=True):
            key = (key + place) * size
        # One further on: a missing value, -1, has place 0.
        key += values
        # One further on: a missing value, -1, has place 0.
        key += 1
        self._add(self._counts, sums(key, weights))
        if weights is not None and not weights.all():
            if self._weightless is None:
                self._weightless = np.zeros_like(self._counts)
            self._add(self._weightless, np.bincount(key[weights == 0]))
        return True

    @staticmethod
    def _add(cells: Ints, counted: Ints) -> None:
        cells.reshape(-1)[: len(counted)] += counted

    def _grow(self, needed: Sequence[int]) -> bool:
        """Make room; more than needed along an axis, so that it is rarely done."""
        old = self._counts.shape
        if all(new <= size for new, size in zip(needed, old, strict=True)):
            return True
        for more in (2.0, 1.0):
            shape = [size if new <= size else max(new, int(more * size)) for new, size in zip(needed, old, strict=True)]
            if math.prod(shape) <= _CELLS:
                self._counts = _padded(self._counts, shape)
                self._weightless = self._weightless if self._weightless is None else _padded(self._weightless, shape)
                return True
        return False

    @property
    def cells(self) -> int:
        """Pairs that there is room for."""
        return self._counts.size

    @property
    def distinct(self) -> int:
        """Pairs of labels and a value that is not missing."""
        return int(np.count_nonzero(self._counts[..., 1:]))

    def columns(self) -> tuple[list[Any], Any, Any]:
        """What was counted: Arrow arrays of the labels, of the values (null: missing) and of their numbers."""
        *places, value = np.nonzero(self._counts if self._weightless is None else self._counts + self._weightless)
        numbers = self._counts[(*places, value)]
        labels = [axis.take(place) for axis, place in zip(self._axes, places, strict=True)]
        return labels, int64_array(value - 1, value == 0), int64_array(numbers)


def _padded(array: Ints, shape: Sequence[int]) -> Ints:
    padded = np.zeros(shape, dtype=np.int64)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded


class _Axis:
    """The labels of one column, numbered as they come."""

    def __init__(self) -> None:
        self.labels: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._type: Any = None
        # The number of a label that is itself a small whole number; -1: none yet.
        self._lookup: Ints = np.zeros(0, dtype=np.int64)

    def codes(self, label: Any) -> Ints | None:
        """The number of each entry of an Arrow array; None where they are too many or of another type."""
        import pyarrow as pa

        self._type = self._type or label.type
        if label.type != self._type:
            return None
        if pa.types.is_integer(label.type) and not label.null_count and len(label):
            small = as_numpy(label)
            if small.min() >= 0 and small.max() < _CELLS:
                return self._looked_up(small)
        encoded = label.dictionary_encode(null_encoding="encode")
        if len(self.labels) + len(encoded.dictionary) > _CELLS:
            return None
        numbers = np.array([self._number(name) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
        found: Ints = numbers[as_numpy(encoded.indices)]
        return found

    def _looked_up(self, small: Any) -> Ints:
        """As ``codes``, without hashing."""
        most = int(small.max())
        if most >= len(self._lookup):
            self._lookup = np.append(self._lookup, np.full(2 * most + 1 - len(self._lookup), -1))
        codes: Ints = self._lookup[small]
        if codes.min() < 0:
            for name in np.unique(small[codes < 0]).tolist():
                self._lookup[name] = self._number(name)
            codes = self._lookup[small]
        return codes

    def _number(self, name: Any) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self.labels)
            self.labels.append(name)
        return self._numbers[name]

    def take(self, places: Ints) -> Any:
        import pyarrow as pa

        return pa.array(self.labels, self._type or pa.null()).take(int64_array(places.astype(np.int64)))
