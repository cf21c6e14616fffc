"""Tables for terminals of any width: a number broken in two is no number, and a line without its name is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table

# Wider than any table.
_UNBOUNDED = 10_000


class Fitting:
    """The first of ``tables`` (ever narrower ones) that fits; where none does, the last, over the edge.

    Printed with ``crop=False``, or its lines are cut after all.
    """

    def __init__(self, *tables: Table) -> None:
        self._tables = tables

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        for table in self._tables:
            least = least_width(console, table)
            if least <= options.max_width:
                break
        return console.render(table, options.update(max_width=max(options.max_width, least)))


def least_width(console: Console, table: Table) -> int:
    """Characters below which a word or a number of ``table`` would be broken."""
    for column in table.columns:
        # Rich counts the longest word of them, and would cut off the rest.
        if column.no_wrap:
            cells = (cell for cell in (column.header, *column.cells) if isinstance(cell, str))
            column.min_width = max(console.render_str(cell).cell_len for cell in cells)
    return Measurement.get(console, console.options.update(max_width=_UNBOUNDED), table).minimum


def without(build: Callable[[Sequence[str]], Table], names: Sequence[str], dropped: Iterable[str]) -> Fitting:
    """``build`` a table of the columns ``names``; narrower ones lack the first of ``dropped``, the first two, ..."""
    tables, left = [build(names)], list(names)
    for name in dropped:
        if name in left:
            left.remove(name)
            tables.append(build(left))
    return Fitting(*tables)


def whole(renderable: RenderableType) -> RenderableType:
    """``renderable``, unbroken if it is a table."""
    return Fitting(renderable) if isinstance(renderable, Table) else renderable
