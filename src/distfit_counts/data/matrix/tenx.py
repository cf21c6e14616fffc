"""The names that 10x Genomics' Cell Ranger, STARsolo and others write beside a matrix: features and barcodes.

``PREFIXmatrix.mtx`` goes with ``PREFIXfeatures.tsv`` (or ``genes.tsv``) and ``PREFIXbarcodes.tsv``, each of them
perhaps compressed. The features are its rows, and the variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from distfit_counts.data.locate import COMPRESSED
from distfit_counts.data.matrix.entries import Axis
from distfit_counts.data.stream import Meter, open_bytes
from distfit_counts.errors import DataError

_FEATURES, _BARCODES = ("features", "genes"), ("barcodes",)
_ROWS_FIRST: tuple[Axis, Axis] = ("rows", "columns")
_STEP = 1 << 24


@dataclass(frozen=True)
class Beside:
    """``names`` along the axes that have some; ``features``: the axis of the features."""

    names: dict[Axis, list[str]]
    features: Axis


def companions(path: str) -> dict[str, str]:
    """The files of names beside a matrix: "features" and "barcodes", as far as they exist."""
    folder, file = os.path.split(path)
    match = re.fullmatch(r"(.*)matrix\.mtx(\.\w+)?", file, re.IGNORECASE | re.DOTALL)
    found: dict[str, str] = {}
    for kind, stems in (("features", _FEATURES), ("barcodes", _BARCODES)):
        for name in [f"{match[1]}{stem}.tsv{end}" for stem in stems for end in ("", *COMPRESSED)] if match else []:
            if os.path.isfile(os.path.join(folder, name)):
                found.setdefault(kind, os.path.join(folder, name))
    return found


def without_companions(paths: Sequence[str]) -> list[str]:
    """The files of a data set without the names that lie beside its matrices."""
    names = {name for path in paths for name in companions(path).values()}
    return [path for path in paths if path not in names]


def names_beside(path: str, shape: tuple[int, int]) -> Beside | None:
    """The names beside the matrix at ``path``, None where there are none."""
    files = companions(path)
    if not files:
        return None
    names = {kind: _read(file) for kind, file in files.items()}
    # Rows are features, as 10x has it, unless only the other way round fits.
    for axis in _ROWS_FIRST:
        other = _ROWS_FIRST[axis == "rows"]
        along: dict[Axis, list[str]] = {axis if kind == "features" else other: names[kind] for kind in names}
        if all(len(listed) == shape[_ROWS_FIRST.index(place)] for place, listed in along.items()):
            return Beside(along, features=axis)
    lengths = ", ".join(f"{len(names[kind])} in {file}" for kind, file in files.items())
    problem = f"{path}: a matrix of {shape[0]} x {shape[1]}, which the names beside it do not fit ({lengths})"
    raise DataError(problem, "put the files here that belong together, or rename the matrix")


def _read(path: str) -> list[str]:
    """The second field of each line (the symbol of a gene, after its id), or the only one."""
    parts = []
    with open_bytes(path, path, None, Meter(None, None)) as stream:
        while part := stream.read(_STEP):
            parts.append(part)
    try:
        lines = b"".join(parts).decode("utf-8").rstrip("\r\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start + 1} is not valid UTF-8", "convert it with iconv") from None
    return [(fields[1] if len(fields) > 1 else fields[0]).strip() for fields in (line.split("\t") for line in lines)]
