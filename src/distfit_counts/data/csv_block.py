"""One block of whole text rows -> Arrow columns, each with the tightest type that fits it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from distfit_counts.data import rows
from distfit_counts.data.dialect import DELIMITER_HINT, DELIMITERS, Dialect
from distfit_counts.data.source import BadRow
from distfit_counts.data.whole import MISSING, all_whole, may_round

ENCODING_HINT = "convert the file first: iconv -f LATIN1 -t UTF-8 old.csv > new.csv"
BOM = b"\xef\xbb\xbf"
# Bytes that one of pyarrow's threads takes at a time, and in how many such pieces a longer block is cut.
_PIECE, _PIECES = 1 << 19, 8


class BlockParser:
    """Parses the blocks of one file in order. Column i is known to pyarrow as "i": header names may repeat.

    Counted columns are tried as int64, then float64 (kept if every value is exactly whole), then as strings, to be
    judged value by value; what one block needed, the next ones start with.
    """

    def __init__(self, dialect: Dialect, counts: list[int], labels: list[int], helped: bool = True) -> None:
        import pyarrow as pa

        self.dialect, self._helped = dialect, helped
        self.types: dict[int, Any] = dict.fromkeys(labels, pa.string()) | dict.fromkeys(counts, pa.int64())
        self._counts = counts

    def parse(self, data: memoryview, stray: bool = False) -> Any:
        """The table of a block; ``stray``: it holds quotes that are only characters. Raises ArrowInvalid for what
        ``explain`` can put in words.
        """
        import pyarrow as pa

        as_text = dict.fromkeys(self.types, pa.string())
        if _holds_hex(data.obj):  # pyarrow would read 0x10 as 16
            return read_table(data, self.dialect, as_text, self._helped, stray)
        while True:
            looser: list[int] = []
            try:
                table = read_table(data, self.dialect, self.types, self._helped, stray)
                floats = [i for i in self._counts if self.types[i] == pa.float64()]
                looser = [i for i in floats if not all_whole(table.column(str(i)))]
                if floats and not looser and may_round(_bytes(data)):
                    return read_table(data, self.dialect, as_text, self._helped, stray)
            except pa.ArrowInvalid as error:
                failed = re.match(r"In CSV column #(\d+):.* conversion error to (int64|double)", str(error))
                if not failed:
                    raise
                looser = self._not_as_typed(data, int(failed[1]), stray)
            if not looser:
                return table
            for i in looser:
                # As text, 1.000 is still the one or the other.
                exact = self.types[i] == pa.int64() and not self.dialect.thousands
                self.types[i] = pa.float64() if exact else pa.string()

    def _not_as_typed(self, data: memoryview, failed: int, stray: bool) -> list[int]:
        """Column ``failed`` and all others that need another type: pyarrow names one, and of a thousand columns each
        would cost another pass."""
        import pyarrow as pa

        if len(self._counts) == 1:
            return [failed]
        inferred = read_table(data, self.dialect, dict.fromkeys(self._counts), self._helped)
        found = {failed}
        for i, kind in zip(self._counts, inferred.schema.types, strict=True):
            is_number = pa.types.is_floating(kind) and self.types[i] == pa.float64()
            if not (is_number or pa.types.is_integer(kind) or pa.types.is_null(kind) or self.types[i] == pa.string()):
                found.add(i)
        return sorted(found)


def read_table(
    data: memoryview, dialect: Dialect, types: dict[int, Any], helped: bool = True, stray: bool = False
) -> Any:
    """Columns ``types`` of a block, of type None as pyarrow infers it; with no types every column."""
    import pyarrow as pa
    import pyarrow.csv as pc

    names = [str(i) for i in range(len(dialect.names))]
    piece = max(_PIECE, len(data) // _PIECES)
    if dialect.single and b"\n\r\n" in _bytes(data):
        # Where pyarrow cuts at such a line, it loses it.
        piece = len(data) + 1
    # One column: an empty line between others is a missing value, not nothing.
    parse = pc.ParseOptions(
        delimiter=dialect.delimiter,
        newlines_in_values=stray or _newlines_in_quotes(data, piece),
        ignore_empty_lines=not dialect.single,
    )
    convert = pc.ConvertOptions(
        include_columns=[str(i) for i in types] or names,
        column_types={str(i): kind for i, kind in types.items() if kind is not None},
        null_values=list(MISSING),
    )

    # pyarrow leaves out a byte order mark; one that does not begin the file is part of a value.
    buffer = pa.py_buffer(BOM + data if data[:3] == BOM else data)

    def read(block_size: int, use_threads: bool) -> Any:
        options = pc.ReadOptions(column_names=names, use_threads=use_threads, block_size=block_size)
        return pc.read_csv(buffer, read_options=options, parse_options=parse, convert_options=convert)

    try:
        return read(piece, helped and len(data) > piece)
    except pa.ArrowInvalid as error:
        # Again in one piece: for rows longer than pyarrow's blocks, and for the row number in its message.
        if "straddling" in str(error) or "CSV parse error" in str(error):
            return read(len(data) + 1, False)
        raise


def explain(data: memoryview, dialect: Dialect, error: Exception, bytes_before: int) -> BadRow:
    """Why pyarrow refused a block, for reasons other than a value in a counted column."""
    ragged = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
    if ragged:
        row, expected, found = (int(group) for group in ragged.groups())
        delimiter = DELIMITERS.get(dialect.delimiter, "delimiter")
        hint = f"every row needs the same number of fields; put quotes around a field that holds a {delimiter}"
        if b'"' in bytes(data):
            hint += ", and look for a quote that is never closed"
        return BadRow(row - 1, f"found {found} field{'s'[: found != 1]}, expected {expected}", hint)
    try:
        bytes(data).decode("utf-8")
    except UnicodeDecodeError as wrong:
        starts = rows.row_starts(bytes(data), dialect.delimiter.encode(), not dialect.single)
        index = max(int(np.searchsorted(starts, wrong.start, side="right")) - 1, 0)
        problem = f"byte {bytes_before + wrong.start + 1} is not valid UTF-8 (0x{data[wrong.start]:02x})"
        return BadRow(index, problem, ENCODING_HINT)
    return BadRow(0, f"cannot be read as a table ({str(error).splitlines()[0][:200]})", DELIMITER_HINT)


def _newlines_in_quotes(data: memoryview, piece: int) -> bool:
    """Whether pyarrow must look at quotes to cut the block for its threads, which takes half as long again.

    It cuts at the last line end before and the first after each multiple of its ``piece``; if none of them is
    within quotes, cutting at plain line ends is right.
    """
    content = _bytes(data)
    if b'"' not in content:
        return False
    cuts, ends = set[int](), [b"\n", b"\r"] if b"\r" in content else [b"\n"]
    for border in range(piece, len(data), piece):
        for end in ends:
            cuts |= {content.rfind(end, 0, border) + 1, content.find(end, border) + 1}
    return not rows.quotes_balance(content, sorted(cuts))


def _bytes(data: memoryview) -> bytes:
    """The bytes that the block is the beginning of: searching them copies nothing."""
    whole: Any = data.obj
    return whole if isinstance(whole, bytes) else bytes(data)


def _holds_hex(whole: Any) -> bool:
    # The single letter first: looking for one byte is many times faster, and most tables hold no x.
    return any(letter in whole and b"0" + letter in whole for letter in (b"x", b"X"))
