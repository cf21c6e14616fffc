"""Cutting text into blocks of whole rows, where a newline inside quotes ends no row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DataError

_QUOTE, _NEWLINE, _RETURN = b'"'[0], b"\n"[0], b"\r"[0]
Positions = npt.NDArray[np.intp]
# Rows that a block should hold, and the bytes that it may then have.
_ROWS, _LONGEST_BLOCK = 512, 1 << 26


def block_for(sample: bytes, block_size: int) -> int:
    """Bytes of a block: ``block_size``, more where the rows, as those of ``sample``, are long. Parsing a block costs
    something for each of its columns: of twenty thousand, a dozen rows would take ten times as long as five hundred.
    """
    row = len(sample) // max(sample.count(b"\n"), 1)
    return max(block_size, min(_ROWS * row, _LONGEST_BLOCK))


def row_blocks(
    read: Callable[[int], bytes], block_size: int, delimiter: bytes | None, name: str, stray: bool = False
) -> Iterator[memoryview]:
    """Blocks of about ``block_size`` bytes that begin and end at row borders; together the whole text.

    ``delimiter`` None: quotes mean nothing (JSON Lines). ``stray``: the text is known
    to hold quotes that are only characters (5" pipe). Blank lines at the end of the text are dropped.
    """
    rest = b""
    while chunk := read(block_size):
        data = rest + chunk
        end = _last_row_end(data, delimiter, stray)
        # Blank lines wait for what follows: at the end of the text they are no rows.
        while end and not data[(start := data.rfind(b"\n", 0, end - 1) + 1) : end].strip(b"\r\n"):
            end = start
        if end:
            yield memoryview(data)[:end]
        rest = data[end:]
        if len(rest) > 16 * block_size + (1 << 26):
            hint = "look for a quote that is never closed, at or after the row that ends the part read so far"
            raise DataError(f"{name}: a row of more than {len(rest) >> 20} MiB", hint)
    if rest := _without_blank_end(rest):
        yield memoryview(rest)


def _without_blank_end(data: bytes) -> bytes:
    kept = len(data.rstrip(b"\r\n"))
    end = data.find(b"\n", kept)
    return data if end < 0 and kept else data[: end + 1] if kept else b""


def _last_row_end(data: bytes, delimiter: bytes | None, stray: bool) -> int:
    """Index after the last newline that ends a row; 0 if there is none."""
    end = data.rfind(b"\n") + 1
    # An even number of quotes before it: outside quotes. A stray quote makes it odd: then look closely.
    if delimiter is None or not end or (not stray and quotes_balance(data, [end])):
        return end
    ends = row_ends(data, delimiter)
    return int(ends[-1]) if len(ends) else 0


def quotes_balance(data: bytes, places: list[int]) -> bool:
    """Whether the number of quotes before each of these ascending places is even. Much faster than ``row_ends``."""
    if not places or b'"' not in data:
        return True
    is_quote = np.frombuffer(data, dtype=np.uint8) == _QUOTE
    steps = zip([0, *places[:-1]], places, strict=True)
    return all(np.count_nonzero(is_quote[start:end]) % 2 == 0 for start, end in steps)


def row_ends(data: bytes, delimiter: bytes) -> Positions:
    """Index after each newline outside quotes; ``data`` begins at a row border."""
    codes = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(codes == _NEWLINE)
    quotes = np.flatnonzero(codes == _QUOTE)
    if not len(quotes):
        return newlines + 1
    if not _all_open_fields(codes, quotes[0::2], delimiter):
        quotes = _field_quotes(data, delimiter)
    ends: Positions = newlines[np.searchsorted(quotes, newlines) % 2 == 0] + 1
    return ends


def has_stray_quotes(data: bytes, delimiter: bytes) -> bool:
    """Whether quotes cannot simply be counted: one of them neither begins a field nor ends a quoted one."""
    codes = np.frombuffer(data, dtype=np.uint8)
    return not _all_open_fields(codes, np.flatnonzero(codes == _QUOTE)[0::2], delimiter)


def _all_open_fields(codes: Any, openers: Positions, delimiter: bytes) -> bool:
    """Whether counting quotes is enough: each odd one begins a field or follows its twin ("" in quotes)."""
    before = codes[openers[openers > 0] - 1]
    return bool(np.isin(before, (delimiter[0], _NEWLINE, _RETURN, _QUOTE)).all())


def _field_quotes(data: bytes, delimiter: bytes) -> Positions:
    """Begin and end of each quoted field, where other quotes (5" pipe) are only characters."""
    field = re.compile(rb"(?:(?<=[\r\n" + re.escape(delimiter) + rb'])|\A)"[^"]*(?:""[^"]*)*("|\Z)')
    spans = [border for match in field.finditer(data) for border in (match.start(), match.end() - 1)]
    return np.array(spans, dtype=np.intp)


def row_starts(data: bytes, delimiter: bytes | None, skip_blank: bool) -> Positions:
    """Index of the first byte of each row. For messages only: it looks at all of ``data``."""
    codes = np.frombuffer(data, dtype=np.uint8)
    ends: Positions = np.flatnonzero(codes == _NEWLINE) + 1 if delimiter is None else row_ends(data, delimiter)
    starts: Positions = np.concatenate((np.zeros(1, dtype=np.intp), ends))
    starts = starts[starts < len(data)]
    if skip_blank:
        first, second = codes[starts], codes[np.minimum(starts + 1, len(data) - 1)]
        starts = starts[(first != _NEWLINE) & ~((first == _RETURN) & (second == _NEWLINE))]
    return starts
