"""Arrays and a JSON record in one file, whole or not at all: NumPy's .npz, never pickle."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DistfitError
from distfit_counts.output import whole_file

_RECORD = "record"
# What NumPy and zipfile raise for bytes that are none of theirs, or no longer.
_BROKEN = (
    EOFError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
    RuntimeError,
    OverflowError,
    BadZipFile,
    struct.error,
    zlib.error,
)


def write(path: Path, record: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    text = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    made = io.BytesIO()
    np.savez(made, allow_pickle=False, **{_RECORD: text}, **arrays)
    with whole_file(path) as file:
        file.write(made.getbuffer())


def read(path: Path, schema: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Raises DistfitError for anything but such a file whose record has this ``schema``."""
    try:
        # Opened here: NumPy leaves a file open that turns out to be none of its own.
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        record = json.loads(arrays.pop(_RECORD).tobytes())
    except OSError as error:
        raise DistfitError(f"cannot read {path}: {error.strerror or error}", "name a checkpoint") from None
    except _BROKEN:
        # NumPy's own words would have the reader unpickle the file.
        raise DistfitError(f"{path} is no checkpoint", "name another file, or remove it to begin anew") from None
    found = record.get("schema") if isinstance(record, dict) else None
    if found != schema:
        hint = f"this distfit reads {schema}: name another file, or remove it to begin anew"
        raise DistfitError(f"{path} is no checkpoint (schema {found!r})", hint)
    return record, arrays
