"""JSON Lines: one object per line; only the needed keys are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from distfit_counts.data.gather import Piece, gathered
from distfit_counts.data.rows import block_for, row_blocks, row_starts
from distfit_counts.data.source import BadRow, Batch, Field, row_error
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import all_whole
from distfit_counts.errors import DataError

BLOCK_SIZE = 1 << 24
_SAMPLE = 1 << 18
# Bytes that one of pyarrow's threads takes at a time, and rows that it should at least have.
_PIECE, _PIECE_ROWS = 1 << 20, 128
_LINE_HINT = "every line must be one JSON object, such as {\"y\": 3}; jq -c '.[]' old.json turns an array into lines"


class JsonLines:
    """Reader of one JSON Lines file. A key that a line lacks is a missing value."""

    def __init__(self, stream: ByteStream, block_size: int = BLOCK_SIZE, helped: bool = True) -> None:
        self.name = stream.name
        self._stream = stream
        self._block_size, self._helped = block_size, helped
        if stream.peek(3) == b"\xef\xbb\xbf":
            stream.read(3)
        if stream.peek(_SAMPLE).lstrip().startswith(b"["):
            raise DataError(f"{self.name}: a JSON array, not JSON Lines", _LINE_HINT)
        self._sample = self._first_lines()
        self.names: list[str] = self._sample.column_names

    def _first_lines(self) -> Any:
        import pyarrow as pa

        size = _SAMPLE
        while b"\n" not in (sample := self._stream.peek(size)) and len(sample) == size and size < 1 << 26:
            size *= 4
        end = sample.rfind(b"\n") + 1 if len(sample) == size else len(sample)
        if len(sample) == size:
            self._block_size = block_for(sample[:end], self._block_size)
        try:
            return _read(sample[:end], None, self._helped)
        except pa.ArrowInvalid:
            # One key with numbers here and text there: only names are needed before a column is chosen.
            rows = _objects(sample[:end], self.name, 0, 0)
            names = dict.fromkeys(key for row in rows for key in row)
            return pa.table({name: pa.array(_as_text([row.get(name) for row in rows])) for name in names})

    def fields(self) -> list[Field]:
        import pyarrow as pa

        def whole(column: Any) -> bool:
            if pa.types.is_integer(column.type):
                return True
            return pa.types.is_floating(column.type) and column.null_count < len(column) and all_whole(column)

        return [Field(f.name, str(f.type), whole(self._sample.column(f.name))) for f in self._sample.schema]

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        import pyarrow as pa

        types = {name: self._sample.schema.field(name).type for name in labels}
        types |= dict.fromkeys(counts, pa.int64())
        return gathered(self.name, self._pieces(types), list(types))

    def _pieces(self, types: dict[str, Any]) -> Iterator[Piece]:
        row, line = 0, 0
        for data in row_blocks(self._stream.read, self._block_size, None, self.name):
            content = bytes(data)
            table = self._block(content, types, row, line).select(list(types))
            yield table, _Lines(content, line)
            row, line = row + table.num_rows, line + content.count(b"\n")

    def _block(self, data: bytes, types: dict[str, Any], row: int, line: int) -> Any:
        import pyarrow as pa

        floats = {name: pa.float64() if kind == pa.int64() else kind for name, kind in types.items()}
        for attempt in (types, floats):
            try:
                table = _read(data, pa.schema(list(attempt.items())), self._helped)
            except pa.ArrowInvalid:
                continue
            if not _valid(table):
                break
            if all(all_whole(table.column(name)) for name, kind in attempt.items() if kind == pa.float64()):
                return table
        # Numbers in quotes, fractions, broken lines: Python reads this block, value by value.
        objects = _objects(data, self.name, row, line)
        return pa.table({name: pa.array(_as_text([found.get(name) for found in objects])) for name in types})


def _read(data: bytes, schema: Any, helped: bool) -> Any:
    import pyarrow as pa
    import pyarrow.json as pj

    behaviour = "infer" if schema is None else "ignore"
    parse = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=behaviour)

    def read(block_size: int) -> Any:
        return pj.read_json(pa.py_buffer(data), pj.ReadOptions(helped, block_size), parse)

    try:
        return read(max(_PIECE, _PIECE_ROWS * len(data) // max(data.count(b"\n"), 1)))
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):  # a line longer than pyarrow's blocks
            raise
        return read(len(data) + 1)


def _valid(table: Any) -> bool:
    """Whether all text is UTF-8, which pyarrow's JSON reader does not look at."""
    import pyarrow as pa

    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _objects(data: bytes, name: str, row: int, line: int) -> list[dict[str, Any]]:
    """Every non-blank line as a dict. Raises DataError for the first that is none."""
    found: list[dict[str, Any]] = []
    for text in data.split(b"\n"):
        line += 1
        if not text.strip():
            continue
        problem = "is not a JSON object"
        try:
            value = json.loads(text)
        except UnicodeDecodeError:
            problem = "is not valid UTF-8"
        except ValueError as error:
            problem = f"is not valid JSON ({error})"
        else:
            if isinstance(value, dict):
                found.append(value)
                continue
        shown = text.strip()[:40].decode("utf-8", errors="replace")
        raise row_error(name, row + len(found), line, BadRow(0, f"{shown!r} {problem}", _LINE_HINT))
    return found


def _as_text(values: list[Any]) -> list[str | None]:
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


class _Lines:
    """From the index of a row within one block to its 1-based line in the file."""

    def __init__(self, data: bytes, lines_before: int) -> None:
        self._data = data
        self._before = lines_before

    def __call__(self, index: int) -> int:
        starts = row_starts(self._data, None, False)
        filled = [start for start in starts if self._data[start : self._data.find(b"\n", start) + 1 or None].strip()]
        start = int(filled[min(index, len(filled) - 1)])
        return self._before + int(np.searchsorted(starts, start)) + 1
