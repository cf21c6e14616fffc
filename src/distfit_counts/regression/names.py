"""What columns of a design are called for people."""

from __future__ import annotations

import re


def label(name: str) -> str:
    """``health[poor]`` for ``C(health, contr.treatment('average'))[T.poor]``."""
    short = re.sub(r"C\(\s*([^,()]+)(?:,[^\[\]]*)?\)", r"\1", name)
    # A level may hold the end of a line.
    return re.sub(r"[\x00-\x1f\x7f]", lambda sign: repr(sign[0])[1:-1], re.sub(r"\[T\.", "[", short))
