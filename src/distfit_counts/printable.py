"""Text from data as a terminal may show it: what would steer it, or would not show, is written out as ``\\x1b``."""

from __future__ import annotations

import re
import unicodedata

# Controls and separators of lines steer; of format characters, surrogates, private and unassigned ones a reader sees
# nothing, or not the same everywhere.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that Unicode calls default ignorable: fillers, joiners and variation selectors without width.
_WITHOUT_WIDTH = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# What an escape looks like, where it is text.
_LIKE_ESCAPE = re.compile(r"\\(?=x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def printable(text: str, encoding: str = "utf-8") -> str:
    """``text`` on one line, with every character that steers a terminal (controls, ends of lines, tabs, bidirectional
    overrides), that nobody sees, or that ``encoding`` lacks as ``\\x1b``, ``\\u202e`` or ``\\U000e0001``.

    What is printable stays as it is, so that it can be applied again.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _shows(character, encoding) else _escape(character) for character in text)


def distinct(text: str, encoding: str = "utf-8") -> str:
    """The same for one value of the data: no two values look alike. What reads like an escape loses its backslash to
    ``\\x5c``; not to be applied twice.
    """
    return printable(_LIKE_ESCAPE.sub(r"\\x5c", text) if "\\" in text else text, encoding)


def _shows(character: str, encoding: str) -> bool:
    if unicodedata.category(character) in _HIDDEN or _WITHOUT_WIDTH.match(character):
        return False
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
