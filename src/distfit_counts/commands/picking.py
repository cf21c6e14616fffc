"""Picking fits out of a saved model."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    from distfit_counts.result import Fit

_SHOWN = 5


def pick(fits: Sequence[Fit], columns: Sequence[str], groups: Sequence[str]) -> list[Fit]:
    """The fits of any of ``columns`` (names or globs; none: all) and of all ``groups`` ("NAME=VALUE")."""
    from distfit_counts.data.group_words import label_text

    pairs = [text.partition("=") for text in groups]
    picked = [
        fit
        for fit in fits
        if (not columns or any(name == fit.column or fnmatchcase(fit.column, name) for name in columns))
        and all(name in fit.group and label_text(fit.group[name]) == value for name, _, value in pairs)
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
    told = [" ".join([f"--column {fit.column}", *map(_option, fit.group.items())]) for fit in fits[:_SHOWN]]
    return "; ".join(told) + (f" and {len(fits) - _SHOWN:,} more" if len(fits) > _SHOWN else "")


def _option(label: tuple[str, object]) -> str:
    from distfit_counts.data.group_words import label_text

    return "--group " + shlex.quote(f"{label[0]}={label_text(label[1])}")
