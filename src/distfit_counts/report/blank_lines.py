"""Blocks that each bring a blank line, one below the other: two in a row become one."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment


class SingleBlanks:
    """``inner`` without a blank line below a blank line."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        last = False
        for line in Segment.split_lines(console.render(self._inner, options)):
            blank = not "".join(segment.text for segment in line).strip()
            if not (blank and last):
                yield from line
                yield Segment.line()
            last = blank
