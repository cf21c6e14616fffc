"""Cutting text into blocks of whole rows, where a line end inside quotes ends no row.

A line ends at a line feed, or at a carriage return that none follows, as pyarrow has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DataError

_QUOTE, _NEWLINE, _RETURN = b'"'[0], b"\n"[0], b"\r"[0]
_LINE_ENDS = b"\r\n"
Positions = npt.NDArray[np.intp]
# Rows that a block should hold, and the bytes that it may then have.
_ROWS, _LONGEST_BLOCK = 512, 1 << 26
# Bytes of a row beyond which it must be a mistake; the same of the first one, which is looked at before it is read.
LONGEST_ROW = 1 << 26
# Lines that a cell may span, and so many if they look like rows: what lies between a quote that is never closed and the
# next one is valid, and would be lost without a word.
_LONGEST_CELL, LIKE_ROWS = 10_000, 20


Misquoted = tuple[int, str] | None


@dataclass(frozen=True)
class Block:
    """Some whole rows. ``stray``: not every quote begins or ends a field (5" pipe). ``misquoted``: a byte of the first
    row whose quotes are wrong, and how.
    """

    data: memoryview
    stray: bool = False
    misquoted: Misquoted = None


def block_for(sample: bytes, block_size: int, longest: int = _LONGEST_BLOCK) -> int:
    """Bytes of a block: ``block_size``, more where the rows, as those of ``sample``, are long. Parsing a block costs
    something for each of its columns: of twenty thousand, a dozen rows would take ten times as long as five hundred.
    """
    row = len(sample) // max(sample.count(b"\n"), sample.count(b"\r"), 1)
    return max(block_size, min(_ROWS * row, longest))


def row_blocks(read: Callable[[int], bytes], block_size: int, delimiter: bytes | None, name: str) -> Iterator[Block]:
    """Blocks of about ``block_size`` bytes that begin and end at row borders; together the whole text.

    ``delimiter`` None: quotes mean nothing (JSON Lines). Blank lines at the end of the text are dropped; many of them
    elsewhere become line feeds.
    """
    rest, blank = b"", 0
    while chunk := read(block_size):
        data = rest + chunk
        content = len(data) - len(data.lstrip(_LINE_ENDS))
        if content == len(data):
            # Counted, not kept: a small file may hold millions of them, packed. A return waits for its line feed.
            rest = data[-1:] if data.endswith(b"\r") else b""
            blank += count_lines(data[: len(data) - len(rest)])
            continue
        yield from _blank_lines(blank, block_size)
        end, stray, misquoted = _last_row_end(data, delimiter)
        rest = data[end:]
        # Blank lines wait for what follows: at the end of the text they are no rows.
        filled = _without_blank_end(data, end)
        blank = count_lines(data[filled:end])
        if filled:
            yield Block(memoryview(data)[:filled], stray, misquoted if misquoted and misquoted[0] < filled else None)
        if len(rest) > 16 * block_size + LONGEST_ROW:
            hint = "look for a quote that is never closed, at or after the row that ends the part read so far"
            raise DataError(f"{name}: a row of more than {len(rest) >> 20} MiB", hint)
    if rest.strip(_LINE_ENDS):
        yield from _blank_lines(blank, block_size)
        _, stray, misquoted = _last_row_end(rest, delimiter, at_end=True)
        yield Block(memoryview(rest)[: _without_blank_end(rest, len(rest))], stray, misquoted)


def _blank_lines(lines: int, block_size: int) -> Iterator[Block]:
    while lines:
        now = min(lines, block_size)
        yield Block(memoryview(b"\n" * now))
        lines -= now


def row_ends(data: bytes, delimiter: bytes) -> Positions:
    """Index after each line end outside quotes; ``data`` begins at a row border."""
    ends = _line_ends(data)
    if b'"' not in data:
        return ends
    borders, _, _ = _field_borders(data, delimiter)
    outside: Positions = ends[np.searchsorted(borders, ends - 1) % 2 == 0]
    return outside


def wrong_quotes(data: bytes, delimiter: bytes) -> Misquoted:
    """What a ``Block`` says of the quotes of some whole rows."""
    return _last_row_end(data, delimiter, at_end=True)[2]


def row_starts(data: bytes, delimiter: bytes | None, skip_blank: bool) -> Positions:
    """Index of the first byte of each row. For messages only: it looks at all of ``data``."""
    codes = np.frombuffer(data, dtype=np.uint8)
    ends: Positions = np.flatnonzero(codes == _NEWLINE) + 1 if delimiter is None else row_ends(data, delimiter)
    starts: Positions = np.concatenate((np.zeros(1, dtype=np.intp), ends))
    starts = starts[starts < len(data)]
    return starts[(codes[starts] != _NEWLINE) & (codes[starts] != _RETURN)] if skip_blank else starts


def count_lines(data: bytes | memoryview) -> int:
    """How many lines end in ``data``."""
    codes = np.frombuffer(data, dtype=np.uint8)
    lines, returns = np.count_nonzero(codes == _NEWLINE), codes == _RETURN
    if returns.any():
        lines += np.count_nonzero(returns) - np.count_nonzero(returns[:-1] & (codes[1:] == _NEWLINE))
    return int(lines)


def lost_rows(data: bytes, delimiter: bytes, fields: int) -> tuple[int, int] | None:
    """Where the first cell begins that spans so many lines that they must be rows: index of its byte, and the lines.

    ``fields``: of a row.
    """
    if b'"' not in data:
        return None
    ends = row_ends(data, delimiter)
    starts = np.concatenate((np.zeros(1, dtype=np.intp), ends))
    ends = np.append(ends, len(data))
    lines = np.diff(np.searchsorted(_line_ends(data), ends, side="right"), prepend=0)
    for i in np.flatnonzero(lines >= LIKE_ROWS):
        inside = data[starts[i] : ends[i]].splitlines()
        alike = sum(line.count(delimiter) == fields - 1 for line in inside)
        if len(inside) > _LONGEST_CELL or alike > 0.8 * len(inside):
            return int(starts[i]), len(inside)
    return None


def quotes_balance(data: bytes, places: list[int]) -> bool:
    """Whether the number of quotes before each of these ascending places is even. Much faster than ``row_ends``."""
    if not places or b'"' not in data:
        return True
    is_quote = np.frombuffer(data, dtype=np.uint8) == _QUOTE
    steps = zip([0, *places[:-1]], places, strict=True)
    return all(np.count_nonzero(is_quote[start:end]) % 2 == 0 for start, end in steps)


def _line_ends(data: bytes) -> Positions:
    """Index after each line end."""
    codes = np.frombuffer(data, dtype=np.uint8)
    ends = codes == _NEWLINE
    if b"\r" in data:
        alone = codes == _RETURN
        alone[:-1] &= ~ends[1:]
        ends |= alone
    return np.flatnonzero(ends) + 1


def _last_row_end(data: bytes, delimiter: bytes | None, at_end: bool = False) -> tuple[int, bool, Misquoted]:
    """Index after the last line end that ends a row (0 if there is none), and what a ``Block`` says of quotes;
    ``at_end``: no more text follows.
    """
    if delimiter is None:
        return data.rfind(b"\n") + 1, False, None
    end = _last_line_end(data, len(data))
    if b'"' not in data:
        return end, False, None
    borders, stray, misquoted = _field_borders(data, delimiter)
    if at_end and not misquoted and len(borders) % 2:
        misquoted = int(borders[-1]), "a quote is never closed"
    while end and (before := int(np.searchsorted(borders, end - 1))) % 2:
        end = _last_line_end(data, int(borders[before - 1]))
    return end, stray, misquoted


def _last_line_end(data: bytes, stop: int) -> int:
    # A carriage return at the very end may be half of a line end.
    return data.rfind(b"\n", 0, stop) + 1 or data.rfind(b"\r", 0, min(stop, len(data) - 1)) + 1


def _without_blank_end(data: bytes, end: int) -> int:
    """Index after the line end of the last row before ``end`` that is not blank; 0 if there is none."""
    tail = data[max(end - 16, 0) : end]
    kept = end - len(tail) + len(tail.rstrip(_LINE_ENDS))
    if kept == end - len(tail):
        kept = len(data[:end].rstrip(_LINE_ENDS))
    return kept and min(kept + (2 if data[kept : kept + 2] == b"\r\n" else 1), end)


def _field_borders(data: bytes, delimiter: bytes) -> tuple[Positions, bool, Misquoted]:
    """Index of the quotes that begin and end each quoted field, and what a ``Block`` says of quotes."""
    codes = np.frombuffer(data, dtype=np.uint8)
    quotes: Positions = np.flatnonzero(codes == _QUOTE)
    # Counting is enough where each odd one begins a field and each even one ends it, or is the twin of another ("" in
    # quotes).
    border = np.zeros(256, dtype=np.bool_)
    border[[delimiter[0], _NEWLINE, _RETURN, _QUOTE]] = True
    openers, closers = quotes[0::2], quotes[1::2]
    openers = openers[1:] if len(openers) and openers[0] == 0 else openers
    closers = closers[:-1] if len(closers) and closers[-1] == len(data) - 1 else closers
    if border.take(codes.take(openers - 1)).all() and border.take(codes.take(closers + 1)).all():
        return quotes, False, None
    field = re.compile(rb"(?:(?<=[\r\n" + re.escape(delimiter) + rb'])|\A)"[^"]*(?:""[^"]*)*("|\Z)')
    ended = re.compile(rb" *(?:[\r\n" + re.escape(delimiter) + rb"]|\Z)")
    found: list[int] = []
    misquoted: Misquoted = None
    for match in field.finditer(data):
        found.append(match.start())
        if match[1]:
            found.append(match.end() - 1)
        if not misquoted and not ended.match(data, match.end()):
            misquoted = match.start(), "text follows the closing quote of a field"
    return np.array(found, dtype=np.intp), True, misquoted
