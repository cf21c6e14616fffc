"""Output that cannot encode every character: better "X^2" than a traceback, and columns that stay in line."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

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


class ReplacingConsole(Console):
    """Replaces what ``encoding`` lacks in every text before it is laid out: afterwards a longer "chi^2" would shift the
    columns of its table.
    """

    def __init__(self, encoding: str, **options: Any) -> None:
        super().__init__(**options)
        self._plain = str.maketrans({old: new for old, new in _PLAIN.items() if not _encodes(old, encoding)})

    @property
    def encoding(self) -> str:
        # For ASCII rich would draw its tables otherwise; their lines are replaced like all else.
        return "utf-8"

    def render_str(self, text: str, **options: Any) -> Text:
        # After the markup is read: what was [élan], a word, would become [elan], a tag.
        return self._plainly(super().render_str(text, **options))

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        if isinstance(renderable, Text) and self._plain:
            renderable = self._plainly(renderable)
        return super().render(renderable, options)

    def _plainly(self, text: Text) -> Text:
        if not self._plain:
            return text
        parts = [(part.text.translate(self._plain), part.style or "") for part in text.render(self)]
        return Text.assemble(*parts, justify=text.justify, overflow=text.overflow, no_wrap=text.no_wrap)


def tolerate(stream: TextIO) -> None:
    """Let ``stream`` replace what it cannot encode, one for one what is drawn after the layout."""
    codecs.register_error("distfit.plain", _replaced)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="distfit.plain")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # The ellipsis that is left is rich's, in the last cell of what it has cut off.
    table = _PLAIN | {"…": "."}
    return "".join(table.get(character, "?") for character in error.object[error.start : error.end]), error.end


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
