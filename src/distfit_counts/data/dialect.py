"""How a text table is written: delimiter, header or none. Guessed from its first rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass

from distfit_counts.data.whole import MISSING

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", " ": "space"}
DELIMITER_HINT = (
    "if another character separates the fields, replace it: known are comma, tab, semicolon, | and one space"
)
_ROWS_TO_JUDGE = 200
# A file of one column is parsed with a delimiter that text does not hold: its commas are part of the value.
NO_DELIMITER = "\x1f"


@dataclass(frozen=True)
class Dialect:
    """``header_lines``: lines (of the text, newlines in quotes included) before the first data row."""

    delimiter: str
    names: list[str]
    header_lines: int
    stray_quotes: bool = False  # the first rows hold quotes that are only characters: 5" pipe

    @property
    def single(self) -> bool:
        return self.delimiter == NO_DELIMITER


def guess(sample: str, complete: bool, known: Collection[str] = (), prefer: str = "") -> Dialect:
    """The dialect of a text that begins with ``sample`` (``complete``: and ends there).

    ``known``: names the user asked for; a first row that holds one is a header, even one of numbers only.
    ``prefer``: the delimiter the file's extension promises, wins over equals.
    """
    blank = 0
    lines = sample.split("\n")
    while blank < len(lines) - 1 and not lines[blank].strip("\r "):
        blank += 1
    text = "\n".join(lines[blank:])
    delimiter = _delimiter(text, complete, prefer)
    first, n_lines = _first_row(text, delimiter)
    names = [name.strip() for name in first]
    if any(name in known for name in names) or not all(_is_number(name) for name in names):
        return Dialect(delimiter, names, blank + n_lines)
    if len(names) == 1:
        return Dialect(delimiter, ["value"], blank)
    return Dialect(delimiter, [f"column{i + 1}" for i in range(len(names))], blank)


def _delimiter(text: str, complete: bool, prefer: str) -> str:
    best, best_score = NO_DELIMITER, (0.0, False, 0)
    for delimiter in DELIMITERS:
        widths = _widths(text, delimiter, complete)
        width = widths[0] if widths else 0
        agree = sum(w == width for w in widths[1:]) / len(widths[1:]) if len(widths) > 1 else 0.5
        # A space occurs in names and padding too: it must divide every row alike.
        if width < 2 or agree < (1 if delimiter == " " else 0.5):
            continue
        score = (agree, delimiter == prefer, width)
        if score > best_score:
            best, best_score = delimiter, score
    return best if best != NO_DELIMITER else _despite_quotes(text)


def _despite_quotes(text: str) -> str:
    """The delimiter that divides the lines alike when quotes mean nothing: one that is never closed hides the rows."""
    lines = [line for line in text.split("\n")[:_ROWS_TO_JUDGE] if line.strip()]
    for delimiter in DELIMITERS if '"' in text else ():
        width = lines[0].count(delimiter)
        if delimiter != " " and width and sum(line.count(delimiter) == width for line in lines) > len(lines) / 2:
            return delimiter
    return NO_DELIMITER


def _widths(text: str, delimiter: str, complete: bool) -> list[int]:
    """Number of fields of the first rows; blank rows and a last row that may be cut off are left out."""
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if delimiter == " " and row and not all(row):
                return []  # padding: not a single space between fields
            if row:
                widths.append(len(row))
            if len(widths) > _ROWS_TO_JUDGE:
                break
    except csv.Error:
        pass
    cut_off = not complete and len(widths) <= _ROWS_TO_JUDGE and len(widths) > 1
    return widths[:-1] if cut_off else widths


def _first_row(text: str, delimiter: str) -> tuple[list[str], int]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        row = next(reader, [])
    except csv.Error:  # a field of more than 128 KiB
        row, lines = text.split("\n", 1)[0].split(delimiter), 1
        return row, lines
    return row or [""], reader.line_num


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in MISSING
    return True
