"""CSV, TSV and bare numbers: blocks of whole rows, each parsed by pyarrow while the next one is read."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from distfit_counts.data.csv_block import ENCODING_HINT, BlockParser, explain, read_table
from distfit_counts.data.dialect import DELIMITER_HINT, DELIMITERS, Dialect, guess
from distfit_counts.data.gather import Piece, gathered
from distfit_counts.data.locate import extension
from distfit_counts.data.request import BLOCK_SIZE
from distfit_counts.data.rows import block_for, has_stray_quotes, row_blocks, row_ends, row_starts
from distfit_counts.data.source import Batch, Field, row_error
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import all_whole
from distfit_counts.errors import DataError

_SAMPLE = 1 << 18
# Bytes of text that are parsed at once, without other threads.
_SMALL = 1 << 16
_BOM = b"\xef\xbb\xbf"


class Delimited:
    """Reader of one text table."""

    def __init__(
        self, stream: ByteStream, known: Collection[str] = (), block_size: int = BLOCK_SIZE, helped: bool = True
    ) -> None:
        self.name = stream.name
        self._stream, self._helped = stream, helped
        self._bytes_before = len(stream.read(3)) if stream.peek(3) == _BOM else 0
        sample, complete = self._sample()
        self._old_mac = sample.count(b"\r") > sample.count(b"\n") and b"\r\n" not in sample
        sample = self._with_newlines(sample)
        prefer = {".tsv": "\t", ".tab": "\t", ".psv": "|", ".csv": ","}.get(extension(stream.name), "")
        found = guess(sample.decode("utf-8", errors="replace"), complete, known, prefer)
        if any("\ufffd" in name for name in found.names):
            raise DataError(f"{self.name}: the header is not valid UTF-8: {', '.join(found.names)}", ENCODING_HINT)
        self.dialect = replace(found, stray_quotes=has_stray_quotes(sample, found.delimiter.encode()))
        self.names = found.names
        self._first = self._after_header(sample)
        self._block_size = block_size if complete else block_for(sample, block_size)

    def _sample(self) -> tuple[bytes, bool]:
        """The first rows, more than one however long the header is; and whether they are the whole text."""
        size = _SAMPLE
        while True:
            sample = self._stream.peek(size)
            complete = len(sample) < size
            if complete or sample.count(b"\n") > 1 or size >= 1 << 26:
                return sample, complete
            size *= 4

    def _after_header(self, sample: bytes) -> bytes:
        """The whole rows of the sample, once the header is taken from the stream."""
        end = 0
        for _ in range(self.dialect.header_lines):
            end = sample.find(b"\n", end) + 1 or len(sample)
        self._bytes_before += len(self._stream.read(end))
        rest = sample[end:]
        ends = row_ends(rest, self._delimiter)
        return rest[: int(ends[-1])] if len(ends) else rest

    @property
    def _delimiter(self) -> bytes:
        return self.dialect.delimiter.encode()

    def _with_newlines(self, data: bytes) -> bytes:
        return data.replace(b"\r", b"\n") if self._old_mac else data

    def fields(self) -> list[Field]:
        import pyarrow as pa

        if not self._first.strip():
            return [Field(name, "empty", False) for name in self.names]
        sample = memoryview(self._first)
        try:
            table = read_table(sample, self.dialect, {})
        except pa.ArrowInvalid as error:
            raise self._refused(sample, error, 0, self.dialect.header_lines) from None
        return [_field(name, column) for name, column in zip(self.names, table.columns, strict=True)]

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        # A wide table has twenty thousand names, and looking each up in the list would take longer than parsing.
        where = {name: i for i, name in enumerate(self.names)}
        parser = BlockParser(
            self.dialect, [where[name] for name in counts], [where[name] for name in labels], self._helped
        )
        return gathered(self.name, self._pieces(parser), [self.names[i] for i in parser.types])

    def _pieces(self, parser: BlockParser) -> Iterator[Piece]:
        import pyarrow as pa

        read = self._stream.read if not self._old_mac else lambda n: self._with_newlines(self._stream.read(n))
        blocks = row_blocks(read, self._block_size, self._delimiter, self.name, self.dialect.stray_quotes)
        row, line = 0, self.dialect.header_lines
        for data, parsing in _one_ahead(blocks, parser, self._helped):
            try:
                table, newlines = parsing.result()
            except pa.ArrowInvalid as error:
                raise self._refused(data, error, row, line) from None
            lines, in_block = _Lines(data, self.dialect, line), 0
            # As pyarrow's threads left them: pieces that fit the processor's cache, and nothing is copied.
            for piece in table.to_batches():
                yield piece, partial(lines, in_block)
                in_block += piece.num_rows
            row, line = row + in_block, line + newlines
            self._bytes_before += len(data)

    def _refused(self, data: memoryview, error: Exception, row: int, line: int) -> DataError:
        bad = explain(data, self.dialect, error, self._bytes_before)
        return row_error(self.name, row + bad.index, _Lines(data, self.dialect, line)(0, bad.index), bad)

    def about_fields(self, text: str) -> str:
        """What to do about a value of a one-column text that looks like several; "" where none does."""
        if not self.dialect.single:
            return ""
        if divider := next((known for known in ",;|\t" if known in text), None):
            fields = f"{text.count(divider) + 1} fields, the first row one"
            return f"divided at its {DELIMITERS[divider]}, the row has {fields}: every row needs as many"
        # An unknown character: 3^4^5, a:b.
        return DELIMITER_HINT if re.search(r"\w\s*[^\w\s.+-]\s*\w", text) else ""


class _Lines:
    """From the index of a row within one block to its 1-based line in the file."""

    def __init__(self, data: memoryview, dialect: Dialect, lines_before: int) -> None:
        self._data = data
        self._dialect = dialect
        self._before = lines_before

    def __call__(self, first: int, index: int) -> int:
        """``first``: rows of the block before the piece that holds the row."""
        index += first
        content = bytes(self._data)
        starts = row_starts(content, self._dialect.delimiter.encode(), not self._dialect.single)
        start = int(starts[min(index, len(starts) - 1)]) if len(starts) else 0
        return self._before + content.count(b"\n", 0, start) + 1


def _one_ahead(
    blocks: Iterator[memoryview], parser: BlockParser, helped: bool
) -> Iterator[tuple[memoryview, Future[tuple[Any, int]]]]:
    """Each block with its parsing under way. One thread parses (pyarrow's own threads help it) while this one,
    which Ctrl-C reaches, reads and decompresses the next block and counts the one before."""

    def parse(block: memoryview) -> tuple[Any, int]:
        return parser.parse(block), int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == b"\n"[0]))

    if not helped:
        yield from ((block, _done(parse, block)) for block in blocks)
        return
    first = next(blocks, None)
    if first is not None and len(first) < _SMALL:
        # Thousands of small files: waking a thread would take longer than the parsing.
        yield first, _done(parse, first)
        first = next(blocks, None)
    if first is None:
        return
    waiting: deque[tuple[memoryview, Future[tuple[Any, int]]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for block in chain([first], blocks):
            waiting.append((block, pool.submit(parse, block)))
            if len(waiting) > 1:
                yield waiting.popleft()
        yield from waiting


def _done(parse: Callable[[memoryview], tuple[Any, int]], block: memoryview) -> Future[tuple[Any, int]]:
    """The parsing of a block, done here and now."""
    future: Future[tuple[Any, int]] = Future()
    try:
        future.set_result(parse(block))
    except Exception as error:
        future.set_exception(error)
    return future


def _field(name: str, column: Any) -> Field:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return Field(name, "empty", False)
    some = bool(column.null_count < len(column))
    whole = pa.types.is_integer(kind) or (pa.types.is_floating(kind) and some and all_whole(column))
    return Field(name, str(kind), whole)
