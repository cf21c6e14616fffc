"""What kind of file it is: by its first bytes, then by its name, then by its first character."""

from __future__ import annotations

from collections.abc import Collection

from distfit_counts.data.columnar import ArrowTable, ParquetTable
from distfit_counts.data.delimited import Delimited
from distfit_counts.data.json_lines import JsonLines
from distfit_counts.data.locate import EXTENSIONS, extension
from distfit_counts.data.matrix.entries import Matrix
from distfit_counts.data.matrix.h5ad import HDF5, AnnDataFile
from distfit_counts.data.matrix.market import MatrixMarket
from distfit_counts.data.source import Reader
from distfit_counts.data.stream import ByteStream
from distfit_counts.errors import DataError

_PARQUET, _ARROW_FILE, _ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
# Kinds that people try, and what to do about each.
_FOREIGN = {
    b"PK\x03\x04": ("an Excel or zip file", "save the sheet as CSV, or unzip it first"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save the sheet as CSV"),
    b"SQLite format 3": ("an SQLite database", "export the table: sqlite3 -csv -header FILE 'select ...' > counts.csv"),
    b"\xfd7zXZ": ("an xz-compressed file", "unpack it first: xz -d FILE"),
    b"ORC": ("an ORC file", "save it as Parquet or CSV"),
    b"Obj\x01": ("an Avro file", "save it as Parquet or CSV"),
    b"FEA1": ("a Feather version 1 file", "save it again with a current pyarrow, or as Parquet"),
    b"%PDF": ("a PDF document", "save the table as CSV"),
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def open_matrix(stream: ByteStream, block_size: int, layer: str | None) -> Matrix | None:
    """The matrix that these bytes hold, None for a table."""
    head = stream.peek(14)
    if head.startswith(HDF5):
        return AnnDataFile(stream, layer)
    if head.lower() == b"%%matrixmarket" or extension(stream.name) == ".mtx":
        if layer is not None:
            raise DataError(f"{stream.name}: a Matrix Market file has no layers", "leave out the layer")
        return MatrixMarket(stream, block_size)
    if extension(stream.name) == ".h5ad":
        raise DataError(f"{stream.name}: not an HDF5 file: its first bytes are wrong", "write or download it again")
    return None


def open_reader(stream: ByteStream, known: Collection[str], block_size: int, helped: bool = True) -> Reader:
    """The reader for these bytes; ``helped``: other threads may read ahead and parse.

    Raises DataError for a kind that is not known.
    """
    head = stream.peek(4096)
    kind = EXTENSIONS.get(extension(stream.name), "")
    if head.startswith(_PARQUET):
        return ParquetTable(stream, helped)
    if head.startswith(_ARROW_FILE):
        return ArrowTable(stream, False, helped)
    if head.startswith(_ARROW_STREAM):
        return ArrowTable(stream, True, helped)
    _refuse_foreign(stream.name, head)
    if kind in ("parquet", "arrow"):
        named = {"parquet": "a Parquet", "arrow": "an Arrow"}[kind]
        hint = "give it the extension of what it holds, or write it again"
        raise DataError(f"{stream.name}: not {named} file: its first bytes are wrong", hint)
    if kind == "json" or (kind != "text" and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")):
        return JsonLines(stream, block_size, helped)
    return Delimited(stream, known, block_size, helped)


def _refuse_foreign(name: str, head: bytes) -> None:
    for magic, (what, hint) in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(f"{name}: {what} cannot be read", hint)
    if head.startswith(_UTF16):
        raise DataError(f"{name}: UTF-16 text cannot be read", "convert it: iconv -f UTF-16 -t UTF-8 old.csv > new.csv")
    if b"\x00" in head:
        raise DataError(f"{name}: a binary file of unknown kind", "save the data as CSV or Parquet")
