"""What a matrix file gives to the counting: its shape, the names along its axes, and blocks of entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.whole import NotNumbers, whole_numbers

Ints = npt.NDArray[np.int64]
Axis = Literal["rows", "columns"]

# In place of a value that is not known (NaN); every count is 0 or more.
MISSING = -1
# Entries of a block: a few arrays of 8 MB.
BLOCK = 1 << 20
# Rows times columns at most: every position has a number in int64.
MOST_POSITIONS = 2**62


@dataclass(frozen=True)
class Entries:
    """Some entries of a matrix: 0-based ``rows`` and ``columns``, and ``values`` >= 0, or MISSING. int64 all."""

    rows: Ints
    columns: Ints
    values: Ints

    def along(self, axis: Axis) -> Ints:
        return self.rows if axis == "rows" else self.columns

    def __getitem__(self, which: Any) -> Entries:
        return Entries(self.rows[which], self.columns[which], self.values[which])

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def joined(cls, parts: Sequence[Entries]) -> Entries:
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


class Matrix(Protocol):
    """One open matrix. ``variables``: the axis along which they lie unless the user says otherwise."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def variables(self) -> Axis: ...

    def names(self, axis: Axis) -> list[str] | None:
        """What the rows or columns are called; None: they have no names."""
        ...

    def labels(self, axis: Axis, name: str) -> Any:
        """An Arrow array with one label for each row or column. Raises DataError where there is none."""
        ...

    def entries(self) -> Iterator[Entries]:
        """What is stored, each position once; every other one is zero. May raise repeats.OutOfOrder on the way."""
        ...

    def entries_in_memory(self) -> Iterator[Entries]:
        """The same from the beginning, when ``entries`` has raised OutOfOrder."""
        ...


def stored_counts(values: Any) -> Ints:
    """A NumPy array of numbers as int64, MISSING for NaN. Raises BadRow or NotNumbers."""
    import pyarrow as pa

    kind = values.dtype.kind
    if kind == "b":  # present or absent
        return np.asarray(values, dtype=np.int64)
    if kind not in "iuf":
        raise NotNumbers(str(values.dtype), "save a matrix of whole numbers")
    plain = np.dtype(np.float64) if kind == "f" and values.dtype.itemsize != 4 else values.dtype.newbyteorder("=")
    values = np.ascontiguousarray(values, dtype=plain)
    array = pa.Array.from_buffers(pa.from_numpy_dtype(plain), len(values), [None, pa.py_buffer(values)])
    found = whole_numbers(array)
    numbers: Ints = as_numpy(found)
    return np.where(is_null(found), MISSING, numbers) if found.null_count else numbers
