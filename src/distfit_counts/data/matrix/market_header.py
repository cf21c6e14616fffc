"""The first lines of a Matrix Market file: banner, comments, size (Boisvert, Pozo and Remington 1996)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from distfit_counts.data.matrix.entries import MOST_POSITIONS
from distfit_counts.data.stream import ByteStream
from distfit_counts.errors import DataError

_BANNER_HINT = 'it must be "%%MatrixMarket matrix coordinate|array integer|real|pattern general|symmetric"'
_REFUSED = {
    "complex": ("complex numbers are no counts", "take the real part, or the modulus, before it is written"),
    "hermitian": ("a Hermitian matrix is complex", "write it as real symmetric, if it is real"),
    "skew-symmetric": ("a skew-symmetric matrix holds negative values", "counts must be whole numbers >= 0"),
}
_MOST_COMMENTS = 1 << 26


@dataclass(frozen=True)
class Header:
    """``n``: lines of data; ``lines``: lines before them; ``end``: bytes of these."""

    rows: int
    columns: int
    n: int
    coordinate: bool
    pattern: bool
    symmetric: bool
    lines: int
    end: int


def read_header(stream: ByteStream) -> Header:
    """The header, without taking it from the stream."""
    lines = _header_lines(stream)
    kind, field, symmetry = _banner(stream.name, _text(lines[0]))
    size, number = _text(lines[-1]), len(lines)
    needed = 3 if kind == "coordinate" else 2
    place = f"{stream.name}, line {number}"
    if not re.fullmatch(rf"[0-9]{{1,18}}(\s+[0-9]{{1,18}}){{{needed - 1}}}", size):
        words = "rows, columns and entries" if needed == 3 else "rows and columns"
        problem = f"{place}: {size[:40]!r} is not the size of the matrix ({words})"
        raise DataError(problem, f"after the comments, one line must hold {needed} whole numbers")
    rows, columns, *stored = [int(text) for text in size.split()]
    if rows * columns > MOST_POSITIONS:
        raise DataError(f"{place}: {rows} x {columns} is beyond 2**62 positions", "check the size of the matrix")
    symmetric = symmetry == "symmetric"
    if symmetric and rows != columns:
        raise DataError(f"{place}: a symmetric matrix of {rows} x {columns}", "it must be square, or general")
    n = stored[0] if stored else rows * (rows + 1) // 2 if symmetric else rows * columns
    end = sum(len(line) for line in lines)
    return Header(rows, columns, n, needed == 3, field == "pattern", symmetric, number, end)


def _header_lines(stream: ByteStream) -> list[bytes]:
    """The lines up to the one with the size, each with its newline."""
    size = 1 << 16
    while True:
        text = stream.peek(size)
        complete = len(text) < size
        *lines, last = text.split(b"\n")
        lines = [line + b"\n" for line in lines] + [last] * complete
        for number, line in enumerate(lines):
            if number and line.strip() and not line.startswith(b"%"):
                return lines[: number + 1]
        if complete or size > _MOST_COMMENTS:
            _banner(stream.name, _text(text.partition(b"\n")[0]))
            raise DataError(f"{stream.name}: no line with the size of the matrix", "the file seems to be cut short")
        size *= 4


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").strip()


def _banner(name: str, line: str) -> tuple[str, str, str]:
    words = line.lower().split()
    if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"]:
        raise DataError(f"{name}, line 1: {line[:80]!r} is not the first line of a matrix", _BANNER_HINT)
    kind, field, symmetry = words[2:]
    for word in (field, symmetry):
        if word in _REFUSED:
            problem, hint = _REFUSED[word]
            raise DataError(f"{name}, line 1: {problem}", hint)
    known = {
        "format": (kind, ("coordinate", "array")),
        "field": (field, ("integer", "unsigned-integer", "real", "double", "pattern")),
        "symmetry": (symmetry, ("general", "symmetric")),
    }
    for what, (word, expected) in known.items():
        if word not in expected:
            raise DataError(f"{name}, line 1: unknown {what} {word[:40]!r}", _BANNER_HINT)
    if (kind, field) == ("array", "pattern"):
        raise DataError(f"{name}, line 1: a pattern cannot be stored as an array", _BANNER_HINT)
    return kind, field, symmetry
