"""Between Arrow and NumPy by their buffers: pyarrow's own conversions (``np.asarray``, ``pa.array``, ``pa.scalar``)
import pandas where it is installed, which takes longer than reading a small file."""

from __future__ import annotations

import importlib.abc
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def spare_pandas() -> None:
    """Let pyarrow believe that pandas is not installed, until a conversion to or from pandas is asked for.

    For a list, as for much else, it first looks whether it is one of pandas' types, and imports pandas to know them: a
    third of a second. It looks once and remembers. For a process of our own, not for a library's caller, and before it
    has other threads: what they import meanwhile might not be found.
    """
    import pyarrow as pa

    if "pandas" not in sys.modules:
        without = _WithoutPandas()
        sys.meta_path.insert(0, without)
        pa.array([])
        sys.meta_path.remove(without)


class _WithoutPandas(importlib.abc.MetaPathFinder):
    """Does not find pandas."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def as_numpy(array: Any) -> Any:
    """The values of a whole-number or float Array, copied nothing; what stands in place of a null is undefined."""
    import pyarrow as pa

    if not len(array):
        return np.zeros(0, dtype=np.int64)
    plain = pa.Array.from_buffers(array.type, len(array), [None, array.buffers()[1]], offset=array.offset)
    return np.from_dlpack(plain)


def is_null(array: Any) -> Mask:
    """Which entries of an Array are null."""
    import pyarrow as pa

    flags: Mask = as_numpy(array.is_null().cast(pa.uint8())).astype(np.bool_)
    return flags


def int64_array(values: npt.NDArray[np.int64], missing: Mask | None = None) -> Any:
    """An Arrow int64 Array, null where ``missing``."""
    import pyarrow as pa

    valid = None
    if missing is not None and missing.any():
        valid = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), len(values), [valid, pa.py_buffer(np.ascontiguousarray(values))])
