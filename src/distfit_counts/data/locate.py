"""From a SOURCE as typed (path, directory, quoted glob) to the files it is made of."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Sequence
from pathlib import Path

from distfit_counts.errors import DataError

STDIN = "-"
COMPRESSED = (".gz", ".zst", ".bz2")
EXTENSIONS = {
    ".csv": "text", ".tsv": "text", ".tab": "text", ".txt": "text", ".dat": "text", ".psv": "text",
    ".parquet": "parquet", ".pq": "parquet", ".parq": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".arrows": "arrow",
    ".mtx": "matrix", ".h5ad": "matrix",
    ".jsonl": "json", ".ndjson": "json", ".json": "json",
}  # fmt: skip


# Kinds of data that are not read: beside files that are, they would be left out without a word.
_UNREAD = (
    ".xls", ".xlsx", ".ods", ".xz", ".zip", ".7z", ".lz4", ".z", ".orc", ".avro", ".sas7bdat", ".dta", ".sav", ".rds",
    ".rdata", ".sqlite", ".db", ".duckdb",
)  # fmt: skip


def extension(name: str) -> str:
    """The lower-case extension below any compression: ``a.CSV.gz`` -> ``.csv``."""
    stem, ending = os.path.splitext(name.lower())
    return os.path.splitext(stem)[1] if ending in COMPRESSED else ending


def files_of(source: str) -> list[str]:
    """The files of a source in sorted order, ``["-"]`` for stdin. Raises DataError where there are none."""
    if source == STDIN:
        return [source]
    if "\0" in source:
        raise DataError(f"{source!r} is not a file name: it holds a NUL byte", "check the list of names given")
    if os.path.isdir(source):
        return _files_below(source)
    if os.path.exists(source):
        return [source]
    if glob.has_magic(source):
        return _files_matching(source)
    raise _no_such_file(source)


def _files_below(folder: str) -> list[str]:
    found, left_out = [], []
    for place, folders, names in os.walk(folder, onerror=_refused):
        # Names with a leading "." or "_" are bookkeeping of other programs (_SUCCESS, .crc, .ipynb_checkpoints).
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        seen = [os.path.join(place, name) for name in sorted(names) if not name.startswith((".", "_"))]
        found += [path for path in seen if extension(path) in EXTENSIONS]
        left_out += [path for path in seen if path.lower().endswith(_UNREAD)]
    if not found:
        known = " ".join(EXTENSIONS)
        raise DataError(f"{folder}: no data files in this directory", f"looked below it for {known} (also .gz, .zst)")
    if left_out:
        problem = f"{folder}: {left_out[0]} is of a kind that is not read, and would be left out"
        hint = "convert it, move it elsewhere, or name the files that are meant: a quoted glob such as 'folder/*.csv'"
        raise DataError(problem, hint)
    return found


def _refused(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be listed ({error.strerror})", "check the permissions of the directory")


def _files_matching(pattern: str) -> list[str]:
    matches = sorted(glob.glob(pattern, recursive=True))
    found = [path for path in matches if not os.path.isdir(path)]
    if found:
        return found
    # A glob that names only directories (year=*) means what lies in them.
    if matches:
        return [path for folder in matches for path in _files_below(folder)]
    hint = f"working directory: {os.getcwd()}; quote the pattern so that the shell leaves it alone"
    raise DataError(f"{pattern}: no file matches this pattern", hint)


def _no_such_file(source: str) -> DataError:
    folder = Path(source).parent
    if not folder.is_dir():
        return DataError(f"{source}: no such file", f"there is no directory {folder}")
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    near = nearest(Path(source).name, names)
    if near is not None:
        meant = near if str(folder) == "." else str(folder / near)
        return DataError(f"{source}: no such file", f"did you mean {meant}?")
    return DataError(f"{source}: no such file", f"looked in {folder.resolve()}")


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The one of ``names`` that ``name`` may be a slip for. Endings are left out: all that end in .csv are alike. Of
    another ending, only what is nearly the same.
    """
    for same, cutoff in ((True, 0.6), (False, 0.85)):
        stems = {_stem(other): other for other in sorted(names) if (extension(other) == extension(name)) == same}
        if near := difflib.get_close_matches(_stem(name), stems, n=1, cutoff=cutoff):
            return stems[near[0]]
    return None


def _stem(name: str) -> str:
    stem, ending = os.path.splitext(name.lower())
    return os.path.splitext(stem)[0] if ending in COMPRESSED else stem
