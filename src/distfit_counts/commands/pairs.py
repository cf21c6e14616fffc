"""Options of the form NAME=VALUE."""

from __future__ import annotations

from collections.abc import Sequence

from distfit_counts.errors import DistfitError


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """By name. Raises DistfitError for one without a value, and for a name that is given twice."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise DistfitError(f"{option} {text!r} has no name or no value", f"write {option} NAME=VALUE")
        if name.strip() in found:
            raise DistfitError(f"{option} names {name.strip()} twice", "once is enough")
        found[name.strip()] = value.strip()
    return found
