"""Picking fits out of a saved model."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    from distfit_counts.result import Fit

_SHOWN = 5


def pick(fits: Sequence[Fit], columns: Sequence[str], groups: Sequence[str]) -> list[Fit]:
    """The fits of any of ``columns`` (names or globs; none: all) and of all ``groups`` ("NAME=VALUE")."""
    pairs = [text.partition("=") for text in groups]
    picked = [
        fit
        for fit in fits
        if (not columns or any(name == fit.column or fnmatchcase(fit.column, name) for name in columns))
        and all(name in fit.group and str(fit.group[name]) == value for name, _, value in pairs)
    ]
    if not picked:
        raise DistfitError("the model has no such fit", f"it has: {listed(fits)}")
    return picked


def the_only(fits: Sequence[Fit], what: str) -> Fit:
    """The one of ``fits`` that ``what`` needs."""
    if len(fits) > 1:
        raise DistfitError(f"{what} draws one fit, not {len(fits):,}", f"choose one: {listed(fits)}")
    return fits[0]


def listed(fits: Sequence[Fit]) -> str:
    """The options that pick each of ``fits``."""
    told = [
        " ".join([f"--column {fit.column}", *(f"--group {name}={value}" for name, value in fit.group.items())])
        for fit in fits[:_SHOWN]
    ]
    return "; ".join(told) + (f" and {len(fits) - _SHOWN:,} more" if len(fits) > _SHOWN else "")
