"""What commands say on stderr, beside their results."""

from __future__ import annotations

import sys

from distfit_counts.printable import printable


def say(text: str, hint: str = "") -> None:
    """``distfit: text``, and a ``hint`` below it: a line each, whatever names of files and columns are in them."""
    encoding = sys.stderr.encoding or "ascii"
    print(f"distfit: {printable(text, encoding)}", file=sys.stderr)
    if hint:
        print(f"  {printable(hint, encoding)}", file=sys.stderr)
