"""Where counting stops: more distinct values than there is memory for."""

from __future__ import annotations

from dataclasses import dataclass

from distfit_counts.errors import DataError

# Measured with ten million distinct values: counting, merging and fitting one column take no more for each. Pairs of a
# group and a value take 160 where a group has five, and 390 where it has one: a group counts as one more.
BYTES_PER_DISTINCT = 200
_HINT = (
    "counts have few distinct values, measurements and identifiers many: choose another column, round it, "
    "or raise --max-distinct or --memory (200 bytes each)"
)
_GROUPED_HINT = (
    "each group takes one at least: choose another --by if it has too many groups, another column if its values are "
    "measurements or identifiers, or raise --max-distinct or --memory (200 bytes each)"
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
        hint = _GROUPED_HINT if grouped else _HINT
        raise DataError(f'{source}, column "{name}": more than {most:,} {what}{after}', hint)


def too_much(needed: int, memory: int) -> str:
    """``about 528 MB of memory, and 300 MB are planned for``."""
    return f"about {_shown(needed)} of memory, and {_shown(memory)} are planned for"


def _shown(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 10**9 else f"{size / 1e6:,.0f} MB"
