"""Tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any


def csv_lines(portions: Iterable[dict[str, list[Any]]]) -> Iterator[str]:
    """The header, then the lines of one portion of columns at a time. An empty field is what does not exist."""
    for i, columns in enumerate(portions):
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        if i == 0:
            writer.writerow(columns)
        writer.writerows(zip(*(_lower(column) for column in columns.values()), strict=True))
        yield buffer.getvalue()


def _lower(column: list[Any]) -> list[Any]:
    """``true`` and ``false``, as all tools read them."""
    return [str(x).lower() for x in column] if column and isinstance(column[0], bool) else column
