"""Readers of delimited text and JSON Lines that are slow, simple and strict, to compare distfit's with.

Byte after byte and value after value, in Python, with decimal numbers. ``Refused`` is raised for whatever is wrong.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

Counts = tuple[Counter[int], int]
_MISSING = {"", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A"}


class Refused(Exception):
    """The data are not what they should be."""


def rows_of(data: bytes, delimiter: bytes) -> Iterator[list[bytes] | None]:
    """The fields of each row; None for a line without a byte. A quote means something where it begins a field."""
    at, size = 0, len(data)
    while at < size:
        if data[at : at + 1] in (b"\n", b"\r"):
            at += 2 if data[at : at + 2] == b"\r\n" else 1
            yield None
            continue
        row: list[bytes] = []
        while True:
            field, at = _field(data, at, delimiter)
            row.append(field)
            if data[at : at + 1] != delimiter:
                break
            at += 1
        at += 2 if data[at : at + 2] == b"\r\n" else 1
        yield row


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("no UTF-8") from None


def _field(data: bytes, at: int, delimiter: bytes) -> tuple[bytes, int]:
    """One field and the index of what ends it."""
    found = bytearray()
    if data[at : at + 1] == b'"':
        at += 1
        while True:
            if at >= len(data):
                raise Refused("a quote is never closed")
            if data[at : at + 2] == b'""':
                found += b'"'
                at += 2
            elif data[at : at + 1] == b'"':
                at += 1
                break
            else:
                found += data[at : at + 1]
                at += 1
        after = re.compile(rb" *(?=[\r\n" + re.escape(delimiter) + rb"]|\Z)").match(data, at)
        if after is None:
            raise Refused("text after a closing quote")
        return bytes(found) + after[0], after.end()
    while at < len(data) and data[at : at + 1] not in (b"\n", b"\r", delimiter):
        found += data[at : at + 1]
        at += 1
    return bytes(found), at


def count(text: str | None) -> int | None:
    """A whole number from 0 to 2**53, exactly; None where it is missing."""
    text = "" if text is None else text.strip()
    if text in _MISSING:
        return None
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise Refused(f"{text!r} is no number")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Refused(text) from None
    if not 0 <= number <= 2**53 or number != number.to_integral_value():
        raise Refused(f"{text} is no count")
    return int(number)


def counted(pairs: Iterator[tuple[str | None, str | None]]) -> Counts:
    """How often each value occurs, and how many are missing; the second of each pair says how often, if anything."""
    found: Counter[int] = Counter()
    missing = 0
    for text, weight in pairs:
        value, times = count(text), 1 if weight is None else count(weight)
        if times is None:
            raise Refused("a missing weight")
        if value is None:
            missing += times
        else:
            found[value] += times
    return +found, missing


def read_delimited(data: bytes, delimiter: bytes, column: str, weights: str | None = None) -> Counts:
    """The counts of a table with a header."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \r\n")
    rows = rows_of(data, delimiter)
    header = [_decoded(name).strip() for name in next(rows, None) or []]
    if header.count(column) != 1 or (weights is not None and header.count(weights) != 1):
        raise Refused("no such column")
    single = len(header) == 1
    body = list(rows)
    while body and body[-1] is None:
        body.pop()
    if not single:
        body = [row for row in body if row is not None]

    def cell(row: list[bytes] | None, name: str) -> str:
        return "" if row is None else _decoded(row[header.index(name)])

    for row in body:
        if row is not None and len(row) != len(header):
            raise Refused("ragged")
    if not body:
        raise Refused("no rows")
    return counted((cell(row, column), None if weights is None else cell(row, weights)) for row in body)


def read_json(data: bytes, column: str) -> Counts:
    """The counts of JSON Lines."""

    class Object(dict[str, object]):
        twice = False

    def pairs(items: list[tuple[str, object]]) -> Object:
        found = Object(items)
        found.twice = sum(key == column for key, _ in items) > 1
        return found

    def texts() -> Iterator[tuple[str | None, None]]:
        for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
            if not line.strip():
                continue
            try:
                value = json.loads(line.decode("utf-8"), object_pairs_hook=pairs, parse_float=str, parse_int=str)
            except (ValueError, RecursionError) as error:
                raise Refused(str(error)) from None
            if not isinstance(value, Object) or value.twice:
                raise Refused("no object, or a key twice")
            cell = value.get(column)
            if cell is not None and not isinstance(cell, str | float):
                raise Refused("no number")
            yield None if cell is None else str(cell), None

    found = counted(texts())
    if not found[0] and not found[1]:
        raise Refused("no rows")
    return found
