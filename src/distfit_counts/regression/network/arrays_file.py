"""Arrays and a JSON record in one file, whole or not at all: NumPy's .npz, never pickle, with a digest of both."""

from __future__ import annotations

import hashlib
import io
import json
import math
import stat
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DistfitError
from distfit_counts.output import whole_file

Arrays = dict[str, npt.NDArray[Any]]
_RECORD, _DIGEST = "record", "digest"
# What weights, moments and the record are made of.
_KINDS = (np.float64, np.float32, np.uint8)
# What NumPy and zipfile raise for bytes that are none of theirs, or no longer.
_BROKEN = (
    EOFError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
    RuntimeError,
    OverflowError,
    NotImplementedError,
    BadZipFile,
    struct.error,
    zlib.error,
)


def write(path: Path, record: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    known = dict(record) | {_DIGEST: _digest(record, arrays)}
    text = np.frombuffer(json.dumps(known).encode(), dtype=np.uint8)
    made = io.BytesIO()
    # As np.savez does it, which has no allow_pickle before NumPy 2.1.
    with ZipFile(made, "w", ZIP_STORED) as archive:
        for name, array in {_RECORD: text, **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    with whole_file(path) as file:
        file.write(made.getbuffer())


def read(path: Path, schema: str) -> tuple[dict[str, Any], Arrays]:
    """Raises DistfitError for anything but such a file, to the last bit, whose record has this ``schema``."""
    try:
        # A device or a pipe may never end.
        regular = stat.S_ISREG(path.stat().st_mode)
        record, arrays = _read(path) if regular else ({}, {})
    except OSError as error:
        raise DistfitError(f"cannot read {path}: {error.strerror or error}", "name a checkpoint") from None
    except _BROKEN:
        # NumPy's own words would have the reader unpickle the file.
        raise DistfitError(f"{path} is no checkpoint", "name another file, or remove it to begin anew") from None
    found = record.get("schema") if isinstance(record, dict) else None
    if found != schema:
        hint = f"this distfit reads {schema}: name another file, or remove it to begin anew"
        raise DistfitError(f"{path} is no checkpoint (schema {found!r})", hint)
    if record.pop(_DIGEST, None) != _digest(record, arrays):
        raise DistfitError(f"{path} is damaged: its digest is not that of its contents", "remove it to begin anew")
    return record, arrays


def _digest(record: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 of the record, and of the name, type, shape and bytes of every array."""
    told = {name: [a.dtype.str, a.shape, hashlib.sha256(a.tobytes()).hexdigest()] for name, a in arrays.items()}
    return hashlib.sha256(json.dumps([record, told], sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> tuple[Any, Arrays]:
    with ZipFile(path) as file:
        arrays = {}
        for info in file.infolist():
            name = info.filename.removesuffix(".npy")
            if name in arrays:
                raise ValueError(f"{name} stands there twice")
            with file.open(info) as member:
                arrays[name] = _array(member, info)
    return json.loads(arrays.pop(_RECORD).tobytes()), arrays


def _array(member: Any, info: ZipInfo) -> npt.NDArray[Any]:
    """Not ``np.load``: that takes the memory that a header asks for before it sees whether so much follows."""
    if info.compress_type != ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError("it is compressed, which no checkpoint is")
    held: BinaryIO = io.BytesIO(member.read())
    if np.lib.format.read_magic(held) != (1, 0):
        raise ValueError("another version of the format")
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(held)
    rest = held.read()
    if kind not in _KINDS or len(rest) != math.prod(shape) * kind.itemsize:
        raise ValueError("not as many numbers as its shape has")
    found: npt.NDArray[Any] = np.frombuffer(rest, dtype=kind).reshape(shape, order="F" if by_columns else "C").copy()
    return found
