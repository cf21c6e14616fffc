"""Where counting stops: more distinct values than there is memory for."""

from __future__ import annotations

from dataclasses import dataclass

from distfit_counts.errors import DataError

_HINT = (
    "counts have few distinct values, measurements and identifiers many: choose another column, round it, "
    "or raise --max-distinct or --memory (200 bytes each)"
)


@dataclass(frozen=True)
class Limits:
    """Of a table in an engine: ``memory``, bytes for one that counts in this process; how many distinct ``values`` a
    column may have (pairs of group and value), and how many distinct ``weights``.
    """

    memory: int
    values: int
    weights: int


def check_distinct(distinct: int, most: int | None, source: str, name: str, grouped: bool, after: str = "") -> None:
    """Raises DataError where a column holds more than ``most``; ``after``: how far it was read."""
    if most is not None and distinct > most:
        what = "pairs of a group and a value" if grouped else "distinct values"
        raise DataError(f'{source}, column "{name}": more than {most:,} {what}{after}', _HINT)
