"""What a transform keeps of the data of the fit: plain numbers by name, which saved models hold too."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

State = dict[str, Any]


def finite(values: Any) -> bool:
    """Whether ``values`` are several values, and all of them finite numbers."""
    return isinstance(values, Iterable) and not isinstance(values, str) and all(map(_is_finite, values))


def _is_finite(value: Any) -> bool:
    # NaN fails the comparison, and a whole number of any size bears it.
    return not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= sys.float_info.max
