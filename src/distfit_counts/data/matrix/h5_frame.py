"""The tables ``obs`` and ``var`` of an AnnData file, in every form that a version of AnnData has given them.

From 0.7 on a group with a dataset for each column, and the name of the one with the row names in its attribute
``_index``; before that one compound dataset, whose first field is the row names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from distfit_counts.data.whole import NotNumbers


class Frame:
    """One table. ``uns``: where old versions kept the categories, or None."""

    def __init__(self, element: Any, uns: Any) -> None:
        self._element = element
        self._uns = uns
        fields = element.dtype.names if _is_dataset(element) else None
        if fields is not None:
            self._index, self.columns = fields[0], list(fields[1:])
        else:
            self._index = _text(element.attrs["_index"])
            self.columns = [name for name in element if name not in (self._index, "__categories")]

    def names(self) -> list[str]:
        """The row names."""
        return [str(value) for value in self._array(self._index).to_pylist()]

    def column(self, name: str) -> Any:
        """A column as an Arrow array, null where it has no value. Raises NotNumbers for what is no plain column."""
        return self._array(name)

    def _array(self, name: str) -> Any:
        if _is_dataset(self._element):
            return self._old_column(name)
        found = self._element[name]
        if not _is_dataset(found):
            return _encoded(found)
        values = found[()]
        if "categories" in found.attrs:  # 0.7
            return _categorical(values, self._element[found.attrs["categories"]])
        return _array(found.dtype, values)

    def _old_column(self, name: str) -> Any:
        kind, values = self._element.dtype[name], self._element[name]
        categories = f"{name}_categories"
        if self._uns is not None and categories in self._uns and np.issubdtype(kind, np.integer):
            return _categorical(values, self._uns[categories])
        return _array(kind, values)


def _encoded(group: Any) -> Any:
    """A column that is a group: categorical, nullable-integer, nullable-boolean, nullable-string-array."""
    if "categories" in group:
        return _categorical(group["codes"][()], group["categories"])
    if "values" in group and "mask" in group:
        return _array(group["values"].dtype, group["values"][()], group["mask"][()].astype(bool))
    kind = _text(group.attrs.get("encoding-type", "a group"))
    raise NotNumbers(kind, "choose a column of text or numbers")


def _categorical(codes: Any, categories: Any) -> Any:
    import pyarrow as pa

    labels = _array(categories.dtype, categories[()]) if _is_dataset(categories) else _encoded(categories)
    return labels.take(pa.array(codes.astype(np.int64), mask=codes < 0))


def _array(kind: Any, values: Any, mask: Any = None) -> Any:
    """What h5py read, ``kind`` being its type in the file; null where ``mask``."""
    import h5py
    import pyarrow as pa

    if h5py.check_string_dtype(kind) is not None:
        return pa.array([_text(value) for value in values], pa.string(), mask=mask)
    if np.ndim(values) != 1 or values.dtype.kind not in "biuf":
        raise NotNumbers(str(kind), "choose a column of text or numbers")
    return pa.array(values.astype(values.dtype.newbyteorder("=")), mask=mask)


def _text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _is_dataset(element: Any) -> bool:
    return hasattr(element, "dtype")
