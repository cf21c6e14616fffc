"""Where text leaves for a person: nothing in it is markup, nothing steers the terminal, nothing is lost to an encoding.

All reports are laid out by a ``Screen``, from strings and ``Line``s; no other module makes rich's own texts.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from distfit_counts.printable import distinct, printable

# What reports write in place of their own signs where an encoding lacks them: better "X^2" than "X\xb2".
_PLAIN = {
    "…": "..",
    "–": "-",
    "∞": "inf",
    "²": "^2",
    "√": "sqrt ",
    "½": "1/2",
    "χ": "chi",
    "é": "e",
    "Δ": "d",
    "≥": ">=",
    "±": "+-",
    "−": "-",
    "─": "-",
    "┃": "|",
}
# Bars: whole and nearly whole cells.
_PLAIN |= dict.fromkeys("█▉▊▋▌", "#") | dict.fromkeys("▍▎▏", " ")


class Data(str):
    """A value of the data in a report: shown so that no two look alike, and never in other signs."""

    __slots__ = ()


class Screen(Console):
    """Lays reports out for an ``encoding``; every string is text. Characters are replaced before the layout: afterwards
    a longer "chi^2" would shift the columns of its table.
    """

    def __init__(self, encoding: str = "utf-8", **options: Any) -> None:
        # A notebook's own output would take what is to be a string.
        super().__init__(markup=False, emoji=False, highlight=False, force_jupyter=False, **options)
        self._encoding = encoding
        lacking = {old: new for old, new in _PLAIN.items() if printable(old, encoding) != old}
        self._plain, self._drawn = str.maketrans(lacking), str.maketrans({old: new[0] for old, new in lacking.items()})

    @property
    def encoding(self) -> str:
        # For ASCII rich would draw its tables otherwise; their lines are replaced like all else.
        return "utf-8"

    def render_str(self, text: str, **options: Any) -> Text:
        if isinstance(text, Data):
            shown = distinct(text, self._encoding)
        else:
            shown = printable(text.translate(self._plain), self._encoding)
        return super().render_str(shown, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        drawn = super().render(renderable, options)
        if not self._drawn:
            return drawn
        # What is left are the lines of tables, which rich draws itself.
        return (Segment(part.text.translate(self._drawn), part.style, part.control) for part in drawn)


class Line:
    """A line of text in parts: strings, ``Data``, or either with a style. It is wrapped where it is too long."""

    def __init__(self, *parts: str | tuple[str, str], style: str = "") -> None:
        self._parts, self._style = parts, style

    def text(self, console: Console) -> Text:
        """As ``console`` shows it."""
        texts = [
            console.render_str(part) if isinstance(part, str) else console.render_str(part[0], style=part[1])
            for part in self._parts
        ]
        return Text.assemble(*texts, style=self._style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[RenderableType]:
        yield self.text(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self.text(console))


def plain_text(draw: Callable[[Console], None], width: int, encoding: str = "utf-8") -> str:
    """What ``draw`` prints, without colours and without the blanks that fill the lines."""
    buffer = io.StringIO()
    draw(Screen(encoding, file=buffer, width=width, color_system=None, force_terminal=False, legacy_windows=False))
    return "".join(line.rstrip() + "\n" for line in buffer.getvalue().split("\n")[:-1])
