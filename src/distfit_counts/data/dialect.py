"""How a text table is written: delimiter, header or none, comments before it. Guessed from its first rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice, takewhile

from distfit_counts.data.whole import MISSING
from distfit_counts.errors import DataError

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", " ": "space"}
DELIMITER_HINT = (
    "if another character separates the fields, replace it: known are comma, tab, semicolon, | and one space"
)
_ROWS_TO_JUDGE = 200
# A file of one column is parsed with a delimiter that text does not hold: its commas are part of the value.
NO_DELIMITER = "\x1f"
_LINE_END = re.compile(r"\r\n|\r|\n")
# Three digits after it would be a group of thousands.
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,([0-9]{1,2}|[0-9]{4,})\s*")


@dataclass(frozen=True)
class Dialect:
    """``header``: whether the first row holds the names. ``thousands``: a dot may stand between thousands, since
    decimal places have a comma, or may have.
    """

    delimiter: str
    names: list[str]
    header: bool = True
    thousands: bool = False

    @property
    def single(self) -> bool:
        return self.delimiter == NO_DELIMITER


def guess(sample: str, complete: bool, known: Collection[str] = (), prefer: str = "") -> Dialect:
    """The dialect of a text that begins with ``sample`` (``complete``: and ends there).

    ``known``: names the user asked for. ``prefer``: the delimiter the file's extension promises, wins over equals.
    Raises DataError where the first row may as well be a header as data.
    """
    delimiter = _delimiter(sample, complete, prefer)
    first = next(rows_of(sample, delimiter), None) or _LINE_END.split(sample, 1)[0].split(delimiter)
    names = [name.strip() for name in first]
    thousands = delimiter == ";" or _has_decimal_commas(sample, delimiter)
    if _is_header(names, known):
        return Dialect(delimiter, names, True, thousands)
    places = ["value"] if len(names) == 1 else [f"column{i + 1}" for i in range(len(names))]
    return Dialect(delimiter, places, False, thousands)


def count_comments(sample: str, complete: bool, prefer: str = "") -> int:
    """Lines at the beginning that are comments: those with a #, but not a header such as #chromosome, start, reads."""
    if not sample.startswith("#"):
        return 0
    lines = list(takewhile(lambda line: line.startswith("#"), _LINE_END.split(sample)))
    below = "".join(_LINE_END.split(sample, len(lines))[len(lines) :])
    delimiter = _delimiter(below, complete, prefer)
    first = next(rows_of(below, delimiter), [""])
    last = next(rows_of(lines[-1], delimiter), [""])
    return len(lines) - (len(last) == len(first) and any(map(_is_number, first)))


def _is_header(names: list[str], known: Collection[str]) -> bool:
    """Whether the first row holds names. Raises DataError where it cannot be told."""
    numbers = [name for name in names if _is_number(name)]
    asked = [name for name in names if name in known]
    if all(name in MISSING or _is_number(name) for name in names):
        if not asked:
            return False
        problem = f"the first row holds only numbers ({shown(names)}), so that it is data and no header"
        place = "value" if len(names) == 1 else f"column{names.index(asked[0]) + 1}"
        hint = f'columns are named by their places, --column {place}; if it is a header, write names: "n{asked[0]}"'
        raise DataError(problem, hint)
    meant = any(fnmatchcase(name, pattern) for name in names if not _is_number(name) for pattern in known)
    if numbers and not asked and not meant:
        problem = f"the first row ({shown(names)}) may be a header or data: it holds text and numbers"
        hint = (
            f"if it is a header, choose a column of it: --column {numbers[0]}; if it is data, write a header above it"
        )
        raise DataError(problem, hint)
    return True


def shown(names: list[str]) -> str:
    """The first names, for a message of one line."""
    return ", ".join(" ".join(name.split())[:40] for name in names[:5]) + (", ..." if len(names) > 5 else "")


def _delimiter(text: str, complete: bool, prefer: str) -> str:
    best, best_score = NO_DELIMITER, (0.0, False, 0)
    agreeing: dict[str, float] = {}
    for delimiter in DELIMITERS:
        widths = _widths(text, delimiter, complete)
        width = widths[0] if widths else 0
        agree = sum(w == width for w in widths[1:]) / len(widths[1:]) if len(widths) > 1 else 0.5
        # A space occurs in names and padding too: it must divide every row alike.
        if width < 2 or agree < (1 if delimiter == " " else 0.5):
            continue
        agreeing[delimiter] = agree
        score = (agree, delimiter == prefer, width)
        if score > best_score:
            best, best_score = delimiter, score
    if best == ",":
        # 1,50;2 has as many commas as semicolons in every row.
        others = [other for other in ("\t", ";", "|") if agreeing.get(other, 0.0) >= agreeing[best]]
        if others and _commas_are_decimal(text, others[0], complete):
            return others[0]
    return best if best != NO_DELIMITER else _despite_quotes(text)


def _commas_are_decimal(text: str, delimiter: str, complete: bool) -> bool:
    """Whether, divided by ``delimiter``, some fields below the first row hold a comma, and all that do are numbers."""
    rows = list(islice(rows_of(text, delimiter), _ROWS_TO_JUDGE))
    rows = rows[1:] if complete or len(rows) < 3 else rows[1:-1]
    fields = [field for row in rows for field in row if "," in field]
    return bool(fields) and all(re.fullmatch(r"\s*[+-]?[0-9]+,[0-9]+\s*", field) for field in fields)


def _has_decimal_commas(text: str, delimiter: str) -> bool:
    if not re.search("[0-9],[0-9]", text):
        return False
    rows = islice(rows_of(text, delimiter), _ROWS_TO_JUDGE)
    return any(_DECIMAL_COMMA.fullmatch(field) for row in rows for field in row)


def _despite_quotes(text: str) -> str:
    """The delimiter that divides the lines alike when quotes mean nothing: one that is never closed hides the rows."""
    if '"' not in text:
        return NO_DELIMITER
    lines = [line for line in _LINE_END.split(text, _ROWS_TO_JUDGE)[:_ROWS_TO_JUDGE] if line.strip()]
    for delimiter in DELIMITERS:
        width = lines[0].count(delimiter)
        if delimiter != " " and width and sum(line.count(delimiter) == width for line in lines) > len(lines) / 2:
            return delimiter
    return NO_DELIMITER


def _widths(text: str, delimiter: str, complete: bool) -> list[int]:
    """Number of fields of the first rows; blank rows and a last row that may be cut off are left out."""
    widths: list[int] = []
    for row in rows_of(text, delimiter):
        if delimiter == " " and not all(row):
            return []  # padding: not a single space between fields
        widths.append(len(row))
        if len(widths) > _ROWS_TO_JUDGE:
            break
    cut_off = not complete and len(widths) <= _ROWS_TO_JUDGE and len(widths) > 1
    return widths[:-1] if cut_off else widths


def rows_of(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not blank, as far as they can be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(reader, None)
        except csv.Error:  # a field of more than 128 KiB
            return
        if row is None:
            return
        if row:
            yield row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text not in MISSING
