"""Tables for terminals of any width: no number is broken in two, no line lacks its name, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table

from distfit_counts.report.blank_lines import SingleBlanks
from distfit_counts.report.tables import plain_table

# Wider than any table.
_UNBOUNDED = 10_000
# Names are not folded to less: below some 40 characters, lines run over the edge instead.
_LEAST_KEY = 16
# Blanks between two columns, and at both edges of a table.
_BETWEEN, _EDGES = 2, 2


class Fitting:
    """``table`` where it fits. Where it does not, its columns stand in several tables below each other, each with the
    first ``keys`` columns, folded where they are too long.

    Printed with ``crop=False``, or lines that are too long after all are cut.
    """

    def __init__(self, table: Table, keys: int = 1) -> None:
        self._table, self._keys = table, keys

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        parts = [self._table]
        if least_width(console, self._table) > options.max_width:
            parts = _split(console, self._table, self._keys, options.max_width)
        width = max(options.max_width, *(least_width(console, part) for part in parts))
        return console.render(SingleBlanks(Group(*parts)), options.update(max_width=width))


def whole(renderable: RenderableType) -> RenderableType:
    """``renderable``, fitted to the terminal if it is a table."""
    return Fitting(renderable) if isinstance(renderable, Table) else renderable


def least_width(console: Console, table: Table) -> int:
    """Characters below which a word or a number of ``table`` would be broken."""
    for column in table.columns:
        # Rich counts the longest word of them, and would cut off the rest.
        if column.no_wrap:
            cells = (cell for cell in (column.header, *column.cells) if isinstance(cell, str))
            column.min_width = max(console.render_str(cell).cell_len for cell in cells)
    return Measurement.get(console, console.options.update(max_width=_UNBOUNDED), table).minimum


def _split(console: Console, table: Table, keys: int, width: int) -> list[Table]:
    """As many columns of ``table`` beside its ``keys`` as ``width`` holds, then the next ones."""
    columns = table.columns
    options = console.options.update(max_width=_UNBOUNDED)
    # Where words may be broken apart, the longest; where not, least_width has set the width of the longest cell.
    least = [
        max(
            column.min_width or 0,
            *(Measurement.get(console, options, cell).minimum for cell in (column.header, *column.cells)),
        )
        for column in columns
    ]
    others = range(keys, len(columns))
    room = width - _EDGES - keys * _BETWEEN - max((least[i] for i in others), default=0)
    folded = _shared(least[:keys], room)
    left, parts = width - _EDGES - sum(own + _BETWEEN for own in folded), [list[int]()]
    used = 0
    for i in others:
        if parts[-1] and used + _BETWEEN + least[i] > left:
            parts.append([])
        used = least[i] + (used + _BETWEEN if parts[-1] else 0)
        parts[-1].append(i)
    return [_part(table, folded, part) for part in parts]


def _shared(least: Sequence[int], room: int) -> list[int]:
    """What each key column gets of ``room``: what it needs, or a part that is the same for all that need more."""
    found, left = dict[int, int](), room
    for done, i in enumerate(sorted(range(len(least)), key=least.__getitem__)):
        found[i] = min(least[i], max(left // (len(least) - done), _LEAST_KEY))
        left -= found[i]
    return [found[i] for i in range(len(least))]


def _part(table: Table, keys: Sequence[int], others: Sequence[int]) -> Table:
    """A table of the first columns, as wide as ``keys`` says, and those at ``others``."""
    made = plain_table()
    for i, width in enumerate(keys):
        own = table.columns[i]
        made.add_column(own.header, justify=own.justify, style=own.style, overflow="fold", width=width)
    for i in others:
        own = table.columns[i]
        made.add_column(
            own.header,
            justify=own.justify,
            style=own.style,
            overflow="fold",
            no_wrap=own.no_wrap,
            min_width=own.min_width,
        )
    cells = [list(table.columns[i].cells) for i in (*range(len(keys)), *others)]
    for i, row in enumerate(table.rows):
        made.add_row(*(column[i] for column in cells), style=row.style)
    return made
