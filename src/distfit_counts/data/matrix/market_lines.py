"""The lines of data of a Matrix Market file -> int64 arrays, block by block, parsed by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.csv_block import BlockParser, explain
from distfit_counts.data.dialect import Dialect
from distfit_counts.data.matrix.entries import Ints
from distfit_counts.data.matrix.market_header import Header
from distfit_counts.data.rows import row_blocks
from distfit_counts.data.source import BadRow
from distfit_counts.data.stream import ByteStream
from distfit_counts.data.whole import whole_numbers
from distfit_counts.errors import DataError


@dataclass(frozen=True)
class Lines:
    """Some consecutive lines: an array for each field, and where they stand. ``first``: entries before them."""

    numbers: list[Ints]
    first: int
    name: str
    data: bytes
    lines_before: int

    def error(self, bad: BadRow) -> DataError:
        """The message about the entry ``bad.index`` of these lines."""
        filled = [i for i, line in enumerate(self.data.split(b"\n")) if line.strip()]
        line = self.lines_before + filled[min(bad.index, len(filled) - 1)] + 1
        place = f"{self.name}, entry {self.first + bad.index + 1} (line {line})" + f", {bad.column}" * bool(bad.column)
        return DataError(f"{place}: {bad.problem}", bad.hint)


def read_lines(stream: ByteStream, header: Header, fields: Sequence[str], block_size: int) -> Iterator[Lines]:
    """All lines, each of as many whole numbers as ``fields``. Raises DataError unless there are ``header.n``."""
    stream.read(header.end)
    parser = BlockParser(Dialect(" ", list(fields)), list(range(len(fields))), [])
    read, line, tidy = 0, header.lines, True
    for block in row_blocks(stream.read, block_size, None, stream.name):
        lines = Lines([], read, stream.name, bytes(block.data), line)
        # Only where it is needed: putting the blanks in order takes as long as parsing.
        tidy = tidy and _parse(lines, parser)
        if not tidy:
            lines = replace(lines, numbers=[], data=_single_spaced(lines.data))
            _parse_or_explain(lines, parser)
        read += len(lines.numbers[0])
        if read > header.n:
            hint = f"line {header.lines} says how many there are; correct it"
            raise lines.error(BadRow(header.n - lines.first, f"more than the {header.n} entries promised", hint))
        yield lines
        line += lines.data.count(b"\n")
    if read < header.n:
        problem = f"{stream.name}: ends after {read} of the {header.n} entries that line {header.lines} promises"
        raise DataError(problem, "the file seems to be cut short; write or download it again")


def _parse(lines: Lines, parser: BlockParser) -> bool:
    """Fill ``lines.numbers``. False where there is more than one blank between fields, or something is wrong."""
    import pyarrow as pa

    try:
        table = parser.parse(memoryview(lines.data))
        lines.numbers.extend(_numbers(column) for column in table.columns)
    except (pa.ArrowInvalid, BadRow):
        return False
    return True


def _parse_or_explain(lines: Lines, parser: BlockParser) -> None:
    """The same for lines with single blanks. Raises DataError for what is wrong."""
    import pyarrow as pa

    fields, data = parser.dialect.names, memoryview(lines.data)
    if not lines.data.strip():  # blank lines alone, which pyarrow refuses
        lines.numbers.extend(np.zeros(0, dtype=np.int64) for _ in fields)
        return
    try:
        table = parser.parse(data)
    except pa.ArrowInvalid as error:
        bad = explain(data, parser.dialect, error, 0)
        bad.hint = f"every line must hold {', '.join(fields)}, with blanks between"
        raise lines.error(bad) from None
    for field, column in zip(fields, table.columns, strict=True):
        try:
            lines.numbers.append(_numbers(column))
        except BadRow as bad:
            bad.column = field
            raise lines.error(bad) from None


def _numbers(column: Any) -> Ints:
    found = whole_numbers(column)
    if found.null_count:
        raise BadRow(int(is_null(found).argmax()), "a missing value", "write a number; leave out the entry if it is 0")
    numbers: Ints = as_numpy(found)
    return numbers


def _single_spaced(data: bytes) -> bytes:
    """One space between fields and none around them: what pyarrow can divide. Newlines stay where they are."""
    data = data.replace(b"\t", b" ").replace(b"\r\n", b"\n")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.replace(b" \n", b"\n").replace(b"\n ", b"\n").strip(b" ")
