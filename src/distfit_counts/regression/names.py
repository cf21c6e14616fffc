"""What columns of a design are called for people."""

from __future__ import annotations

import re


def label(name: str) -> str:
    """``health[poor]`` for ``C(health, contr.treatment('average'))[T.poor]``."""
    return re.sub(r"\[T\.", "[", re.sub(r"C\(\s*([^,()]+)(?:,[^\[\]]*)?\)", r"\1", name))
