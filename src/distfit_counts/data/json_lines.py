"""JSON Lines: one object per line; only the needed keys are read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from distfit_counts.data.gather import Piece, gathered
from distfit_counts.data.rows import LONGEST_ROW, block_for, row_blocks, row_starts
from distfit_counts.data.source import BadRow, Batch, Field, row_error
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import all_whole, may_round, once_each
from distfit_counts.errors import DataError

BLOCK_SIZE = 1 << 24
_SAMPLE = 1 << 18
# Bytes that one of pyarrow's threads takes at a time, and rows that it should at least have.
_PIECE, _PIECE_ROWS = 1 << 20, 128
# Objects and arrays in each other: thousands would overflow the stack of any parser, and end the process.
_DEEPEST = 100
_LINE_HINT = "every line must be one JSON object, such as {\"y\": 3}; jq -c '.[]' old.json turns an array into lines"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonLines:
    """Reader of one JSON Lines file. A key that a line lacks is a missing value."""

    def __init__(self, stream: ByteStream, block_size: int = BLOCK_SIZE, helped: bool = True) -> None:
        self.name = stream.name
        self._stream = stream
        self._block_size, self._helped = block_size, helped
        if stream.peek(3) == b"\xef\xbb\xbf":
            stream.read(3)
        self._lines_before = 0
        while (blank := stream.peek(_SAMPLE)) and not blank.strip():
            self._lines_before += stream.read(len(blank)).count(b"\n")
        if stream.peek(_SAMPLE).lstrip().startswith(b"["):
            raise DataError(f"{self.name}: a JSON array, not JSON Lines", _LINE_HINT)
        self._sample = self._first_lines()
        self.names: list[str] = self._sample.column_names
        if not self.names and stream.peek(1):
            raise DataError(f"{self.name}: the objects of its first lines hold no keys", _LINE_HINT)

    def _first_lines(self) -> Any:
        import pyarrow as pa

        size = _SAMPLE
        while len(sample := self._stream.peek(size)) == size and b"\n" not in sample.lstrip():
            if size >= LONGEST_ROW:
                raise DataError(f"{self.name}: the first line has more than {LONGEST_ROW >> 20} MiB", _LINE_HINT)
            size *= 4
        if len(sample) == size:
            sample = sample[: sample.rfind(b"\n") + 1]
            self._block_size = block_for(sample, self._block_size)
        if _objects_begun(sample) is not None:
            with suppress(pa.ArrowInvalid):
                return _read(sample, None, self._helped)
        # One key with numbers here and text there: only names are needed before a column is chosen.
        rows = _objects(sample, self.name, 0, self._lines_before)
        names = dict.fromkeys(key for row in rows for key in row)
        return pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names})

    def fields(self) -> list[Field]:
        import pyarrow as pa

        def whole(column: Any) -> bool:
            if pa.types.is_integer(column.type):
                return True
            return pa.types.is_floating(column.type) and column.null_count < len(column) and all_whole(column)

        def field(own: Any) -> Field:
            column = self._sample.column(own.name)
            return Field(own.name, str(own.type), whole(column), pa.types.is_integer(own.type) and once_each(column))

        return [field(own) for own in self._sample.schema]

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        import pyarrow as pa

        types = {name: self._sample.schema.field(name).type for name in labels}
        types |= dict.fromkeys(counts, pa.int64())
        return gathered(self.name, self._pieces(types, counts), list(types))

    def _pieces(self, types: dict[str, Any], counts: Collection[str]) -> Iterator[Piece]:
        row, line = 0, self._lines_before
        for block in row_blocks(self._stream.read, self._block_size, None, self.name):
            content = bytes(block.data)
            table = self._block(content, types, counts, row, line).select(list(types))
            yield table, _Lines(content, line)
            row, line = row + table.num_rows, line + content.count(b"\n")

    def _block(self, data: bytes, types: dict[str, Any], counts: Collection[str], row: int, line: int) -> Any:
        import pyarrow as pa

        floats = {name: pa.float64() if kind == pa.int64() else kind for name, kind in types.items()}
        n_objects = _objects_begun(data)
        for attempt in (types, floats) if n_objects is not None else ():
            try:
                table = _read(data, pa.schema(list(attempt.items())), self._helped)
            except pa.ArrowInvalid:
                continue
            if table.num_rows != n_objects:
                break
            if attempt is types:
                return table
            if all(all_whole(table.column(name)) for name in counts) and not may_round(data):
                return table
        # Numbers in quotes, fractions, broken lines: Python reads this block, value by value.
        objects = _objects(data, self.name, row, line, types)
        return pa.table(
            {
                name: pa.array([_text(found.get(name), name in counts) for found in objects], pa.string())
                for name in types
            }
        )


def _objects_begun(data: bytes) -> int | None:
    """How many objects there should be, one on each line that is not blank. None where pyarrow must not see the data:
    a line that is null ends the process, so may deep nesting, and it does not look at the encoding.
    """
    try:
        _ = data.isascii() or data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    codes = np.frombuffer(data, dtype=np.uint8)
    newline, back, opening, closing = b"\n\r{}"
    newlines = np.flatnonzero(codes == newline)
    starts = np.concatenate((np.zeros(1, dtype=np.intp), newlines + 1))
    starts = starts[starts < len(data)]
    if not len(starts):
        return 0
    ends = np.append(newlines, len(data))[: len(starts)] - 1
    ends -= codes[np.maximum(ends, 0)] == back
    filled = ends >= starts
    if not ((codes[starts] == opening) & (codes[ends] == closing) | ~filled).all():
        return None
    if data.count(b"{") + data.count(b"[") > len(starts) + _DEEPEST - 1:
        nested = np.add.reduceat((codes == opening) | (codes == b"["[0]), starts, dtype=np.int32)
        if nested.max() > _DEEPEST:
            return None
    return int(np.count_nonzero(filled))


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


class _Float(str):
    """A number with a point or an exponent, as it is written."""


class _Object(dict[str, Any]):
    """An object; ``repeated``: its keys that occur more than once."""

    repeated: frozenset[str] = frozenset()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        found.repeated = frozenset(key for key in times if times[key] > 1)
    return found


def _objects(data: bytes, name: str, row: int, line: int, needed: Collection[str] = ()) -> list[_Object]:
    """Every non-blank line as an object, whose keys ``needed`` occur once at most. Raises DataError for the first that
    is none.
    """
    found: list[_Object] = []
    for text in data.split(b"\n"):
        line += 1
        if not text.strip():
            continue
        value, problem = _value(text)
        repeated = [key for key in needed if key in value.repeated] if isinstance(value, _Object) else []
        if isinstance(value, _Object) and not repeated:
            found.append(value)
            continue
        problem = f'holds the key "{repeated[0]}" twice' if repeated else problem or "is not a JSON object"
        shown = text.strip()[:40].decode("utf-8", errors="replace")
        raise row_error(name, row + len(found), line, BadRow(0, f"{shown!r} {problem}", _LINE_HINT))
    return found


def _value(text: bytes) -> tuple[Any, str]:
    """What a line holds, or None and what is wrong with it."""
    if _depth(text) > _DEEPEST:
        return None, f"holds objects or arrays nested more than {_DEEPEST} deep"
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_object, parse_float=_Float)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError:
        return None, "is not valid UTF-8"
    except UnicodeEncodeError:
        return None, "holds half a character: \\ud800 to \\udfff come in pairs"
    except ValueError as error:
        return None, f"is not valid JSON ({error})"
    return value, ""


def _depth(text: bytes) -> int:
    """How deep objects and arrays are nested; at most, where they are few."""
    opened = text.count(b"{") + text.count(b"[")
    if opened <= _DEEPEST:
        return opened
    codes = np.frombuffer(_STRING.sub(b"", text), dtype=np.uint8)
    steps = np.isin(codes, list(b"{[")).astype(np.int64) - np.isin(codes, list(b"}]"))
    return int(np.cumsum(steps).max(initial=0))


def _text(value: Any, count: bool = False) -> str | None:
    """A value as text; a number with a point as it is written if it is to be a ``count``, else as any other."""
    if isinstance(value, _Float):
        return str(value) if count else json.dumps(float(value))
    return value if value is None or isinstance(value, str) else json.dumps(value)


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
