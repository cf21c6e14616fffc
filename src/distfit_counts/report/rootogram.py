"""A standing rootogram in text: bars of sqrt(observed), a mark at sqrt(expected) (Tukey 1977)."""

from __future__ import annotations

from collections.abc import Sequence

from distfit_counts.inference.goodness.frequencies import Frequency

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bars(rows: Sequence[Frequency], width: int) -> list[str]:
    """One line per row, ``width`` characters at most."""
    longest = max([max(row.observed, row.expected) ** 0.5 for row in rows] + [1e-9])
    return [_bar(row.observed**0.5 / longest, row.expected**0.5 / longest, width) for row in rows]


def _bar(observed: float, expected: float, width: int) -> str:
    length = observed * (width - 1)
    whole = int(length)
    cells = "█" * whole + _EIGHTHS[int(8 * (length - whole))].strip()
    mark = round(expected * (width - 1))
    # The mark replaces a cell inside the bar, or stands beyond its end.
    padded = cells.ljust(mark + 1)
    return (padded[:mark] + "┃" + padded[mark + 1 :]).rstrip()
