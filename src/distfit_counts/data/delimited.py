"""CSV, TSV and bare numbers: blocks of whole rows, each parsed by pyarrow while the next one is read."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from distfit_counts.data.csv_block import BOM, ENCODING_HINT, BlockParser, explain, read_table
from distfit_counts.data.dialect import DELIMITER_HINT, DELIMITERS, Dialect, count_comments, guess, rows_of, shown
from distfit_counts.data.gather import Piece, gathered
from distfit_counts.data.locate import extension
from distfit_counts.data.request import BLOCK_SIZE
from distfit_counts.data.rows import (
    LIKE_ROWS,
    LONGEST_ROW,
    Block,
    block_for,
    count_lines,
    lost_rows,
    row_blocks,
    row_ends,
    row_starts,
    wrong_quotes,
)
from distfit_counts.data.source import BadRow, Batch, Field, row_error
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import all_whole, once_each
from distfit_counts.errors import DataError

_SAMPLE = 1 << 18
# Bytes of text that are parsed at once, without other threads.
_SMALL = 1 << 16
# What people write before the sum of a table.
_TOTALS = {"total", "totals", "grand total", "sum", "all", "overall", "summe", "gesamt", "insgesamt"}
_QUOTE_HINT = "look for a quote that is never closed or should not be there; in a quoted field, write two for one"


class Delimited:
    """Reader of one text table."""

    def __init__(
        self, stream: ByteStream, known: Collection[str] = (), block_size: int = BLOCK_SIZE, helped: bool = True
    ) -> None:
        self.name = stream.name
        self._stream, self._helped = stream, helped
        self._bytes_before, self._lines_before = len(stream.read(3)) if stream.peek(3) == BOM else 0, 0
        prefer = {".tsv": "\t", ".tab": "\t", ".psv": "|", ".csv": ","}.get(extension(stream.name), "")
        self._skip_blank_lines()
        sample, complete = self._sample()
        for _ in range(count_comments(sample.decode("utf-8", errors="replace"), complete, prefer)):
            self._skip_line()
        self._skip_blank_lines()
        sample, complete = self._sample()
        try:
            self.dialect = guess(sample.decode("utf-8", errors="replace"), complete, known, prefer)
        except DataError as error:
            raise DataError(f"{self.name}: {error.problem}", error.hint) from None
        self.names = self.dialect.names
        if any("\ufffd" in name for name in self.names):
            raise DataError(f"{self.name}: the header is not valid UTF-8: {shown(self.names)}", ENCODING_HINT)
        if self.dialect.header:
            sample = sample[self._skip_header(sample, complete) :]
        self._first, self._complete = self._whole_rows(sample, complete), complete
        self._block_size = block_size if complete else block_for(sample, block_size)

    def _skip_blank_lines(self) -> None:
        while sample := self._stream.peek(_SAMPLE):
            content = len(sample) - len(sample.lstrip(b" \r\n"))
            blank = sample[:content]
            if content == len(sample) and content > 1:
                # More may follow; of the last line, only its end tells whether it is blank.
                self._skip(max(blank.rfind(b"\n"), blank.rfind(b"\r", 0, -1)) + 1 or len(blank) - 1)
            else:
                self._skip(max(blank.rfind(b"\n"), blank.rfind(b"\r")) + 1)
                return

    def _skip_line(self) -> None:
        sample = self._stream.peek(_SAMPLE)
        end = re.search(rb"\r\n|\r|\n", sample)
        self._skip(end.end() if end else len(sample))

    def _skip(self, size: int) -> None:
        """Leave out the next bytes, some lines, which come before the rows."""
        taken = self._stream.read(size)
        self._bytes_before += size
        self._lines_before += count_lines(taken)

    def _sample(self) -> tuple[bytes, bool]:
        """The first rows, more than one however long the header is; and whether they are the whole text."""
        size = _SAMPLE
        while True:
            sample = self._stream.peek(size)
            complete = len(sample) < size
            lines = max(sample.count(b"\n"), sample.count(b"\r"))
            if complete or lines > 1 or (lines and size >= LONGEST_ROW):
                return sample, complete
            if size >= LONGEST_ROW:
                problem = f"{self.name}: the first row has more than {LONGEST_ROW >> 20} MiB"
                raise DataError(problem, "a table has a row on each line: check what wrote it")
            size *= 4

    def _skip_header(self, sample: bytes, complete: bool) -> int:
        """The bytes of the first row, which are taken from the stream."""
        ends = row_ends(sample, self._delimiter)
        if not len(ends) and not complete:
            raise DataError(f"{self.name}: the header does not end", "look for a quote that is never closed in it")
        size = int(ends[0]) if len(ends) else len(sample)
        if lost := lost_rows(sample[:size], self._delimiter, len(self.names)):
            raise DataError(f"{self.name}: a name in the header spans {lost[1]:,} lines", _QUOTE_HINT)
        if wrong := wrong_quotes(sample[:size], self._delimiter):
            raise DataError(f"{self.name}, header: {wrong[1]}", _QUOTE_HINT)
        self._skip(size)
        return size

    def _whole_rows(self, sample: bytes, complete: bool) -> bytes:
        ends = row_ends(sample, self._delimiter)
        return sample if complete else sample[: int(ends[-1])] if len(ends) else b""

    @property
    def _delimiter(self) -> bytes:
        return self.dialect.delimiter.encode()

    def fields(self) -> list[Field]:
        import pyarrow as pa

        if not self._first.strip():
            return [Field(name, "empty", False) for name in self.names]
        sample = memoryview(self._first)
        try:
            table = read_table(sample, self.dialect, {}, stray=True)
        except pa.ArrowInvalid as error:
            raise self._refused(sample, error, 0, self._lines_before) from None
        return [_field(name, column) for name, column in zip(self.names, table.columns, strict=True)]

    def batches(self, counts: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        # A wide table has twenty thousand names, and looking each up in the list would take longer than parsing.
        where = {name: i for i, name in enumerate(self.names)}
        if self._complete:
            self._refuse_total(counts, where)
        parser = BlockParser(
            self.dialect, [where[name] for name in counts], [where[name] for name in labels], self._helped
        )
        names = [self.names[i] for i in parser.types]
        return gathered(self.name, self._pieces(parser), names, self.dialect.thousands)

    def _refuse_total(self, counts: Sequence[str], where: dict[str, int]) -> None:
        """Raises DataError where the last row is the sum of those above it."""
        starts = row_starts(self._first, self._delimiter, not self.dialect.single)
        if len(starts) < 3 or self.dialect.single:
            return
        last, *_ = self._cells(self._first[starts[-1] :])
        for name in counts:
            at = where[name]
            if not _is_total(last, at):
                continue
            *rows, last = self._cells(self._first)
            numbers = [row[at].strip() for row in rows]
            if not all(number.isdecimal() for number in (*numbers, last[at].strip())):
                continue
            if int(last[at]) == sum(map(int, numbers)) > 0:
                bad = BadRow(len(rows), f"{last[at].strip()} is the total of all rows above it", "leave it out", name)
                lines = _Lines(memoryview(self._first), self.dialect, self._lines_before)
                raise row_error(self.name, bad.index, lines(0, bad.index), bad)

    def _cells(self, data: bytes) -> list[list[str]]:
        rows = rows_of(data.decode("utf-8", errors="replace"), self.dialect.delimiter)
        return [row for row in rows if len(row) == len(self.names)] or [[""] * len(self.names)]

    def _pieces(self, parser: BlockParser) -> Iterator[Piece]:
        import pyarrow as pa

        blocks = row_blocks(self._stream.read, self._block_size, self._delimiter, self.name)
        row, line = 0, self._lines_before
        for block, parsing in _one_ahead(blocks, parser, self._helped):
            data = block.data
            if block.misquoted:
                raise self._misquoted(data, *block.misquoted, row, line)
            try:
                table, n_lines = parsing.result()
            except pa.ArrowInvalid as error:
                raise self._refused(data, error, row, line) from None
            if n_lines - table.num_rows >= LIKE_ROWS and (
                lost := lost_rows(bytes(data), self._delimiter, len(self.names))
            ):
                raise self._misquoted(data, lost[0], f"a field in quotes spans {lost[1]:,} lines", row, line)
            lines, in_block = _Lines(data, self.dialect, line), 0
            # As pyarrow's threads left them: pieces that fit the processor's cache, and nothing is copied.
            for piece in table.to_batches():
                yield piece, partial(lines, in_block)
                in_block += piece.num_rows
            row, line = row + in_block, line + n_lines
            self._bytes_before += len(data)

    def _misquoted(self, data: memoryview, at: int, problem: str, row: int, line: int) -> DataError:
        starts = row_starts(bytes(data), self._delimiter, not self.dialect.single)
        index = int(np.searchsorted(starts, at, side="right")) - 1
        bad = BadRow(index, problem, _QUOTE_HINT)
        return row_error(self.name, row + index, _Lines(data, self.dialect, line)(0, index), bad)

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


def _is_total(row: list[str], at: int) -> bool:
    """Whether a cell beside ``at`` says so."""
    return any(cell.strip().casefold() in _TOTALS for i, cell in enumerate(row) if i != at)


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
        return self._before + count_lines(content[:start]) + 1


def _one_ahead(
    blocks: Iterator[Block], parser: BlockParser, helped: bool
) -> Iterator[tuple[Block, Future[tuple[Any, int]]]]:
    """Each block with its parsing under way. One thread parses (pyarrow's own threads help it) while this one,
    which Ctrl-C reaches, reads and decompresses the next block and counts the one before."""

    def parse(block: Block) -> tuple[Any, int]:
        return parser.parse(block.data, block.stray), count_lines(block.data)

    if not helped:
        yield from ((block, _done(parse, block)) for block in blocks)
        return
    first = next(blocks, None)
    if first is not None and len(first.data) < _SMALL:
        # Thousands of small files: waking a thread would take longer than the parsing.
        yield first, _done(parse, first)
        first = next(blocks, None)
    if first is None:
        return
    waiting: deque[tuple[Block, Future[tuple[Any, int]]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for block in chain([first], blocks):
            waiting.append((block, pool.submit(parse, block)))
            if len(waiting) > 1:
                yield waiting.popleft()
        yield from waiting


def _done(parse: Callable[[Block], tuple[Any, int]], block: Block) -> Future[tuple[Any, int]]:
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
    if pa.types.is_integer(kind):
        return Field(name, str(kind), True, once_each(column))
    return Field(name, str(kind), pa.types.is_floating(kind) and some and all_whole(column))
