"""How much memory to plan for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from distfit_counts.container import left_by_control_groups
from distfit_counts.data.distinct import BYTES_PER_DISTINCT, too_much
from distfit_counts.errors import DistfitError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_UNITS |= {"KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40, "PI": 2**50}
# Of the free memory, what a run plans for unless told.
_SHARE = 4
# What is planned for, at least, unless told: a container that is nearly full has the last word itself.
_LEAST = 10**8
# Where the system does not say what is free.
_UNKNOWN = 2 * 2**30
# Measured with a million groups of ten, Poisson and NB, one start and ten: what is kept of every fit, with its counts,
# until all are written, and of each of its starts, for itself and for each of its coordinates.
_BYTES_PER_FIT, _BYTES_PER_START, _BYTES_PER_COORDINATE = 2000, 32, 16
# A line of a table for people, which is laid out as a whole; measured with 20,000 groups.
BYTES_PER_LINE = 16_000


@dataclass(frozen=True)
class Budget:
    """``memory`` in bytes; ``max_distinct``: how many distinct values (pairs of group and value) are counted."""

    memory: int
    max_distinct: int

    @classmethod
    def of(cls, memory: str | None = None, max_distinct: int | None = None) -> Budget:
        """From what the user gave. Raises DistfitError for a size that is none."""
        size = max(free_memory() // _SHARE, _LEAST) if memory is None else parse_size(memory)
        return cls(size, max_distinct if max_distinct is not None else size // BYTES_PER_DISTINCT)


def bytes_of_fit(parameters: int, starts: int) -> int:
    """What is kept of the fit of one column or group: a family with so many free parameters, from so many starts."""
    return _BYTES_PER_FIT + starts * (_BYTES_PER_START + _BYTES_PER_COORDINATE * parameters)


def require_memory(needed: int, memory: int, what: str, hint: str) -> None:
    """Raises DistfitError, before memory ends, where ``what`` needs more than is planned for."""
    if needed > memory:
        raise DistfitError(f"{what} take {too_much(needed, memory)}", hint)


def parse_size(text: str) -> int:
    """Bytes of "500MB", "8 GiB", "2g", "1e9". Raises DistfitError."""
    match = re.fullmatch(r"\s*([0-9.]+(?:[eE][0-9]+)?)\s*([KMGTP]?I?)B?\s*", text.upper().replace("E", "e"))
    try:
        size = int(float(match[1]) * _UNITS[match[2]]) if match else None
    except (ValueError, KeyError, OverflowError):
        size = None
    if size is None:
        raise DistfitError(f"--memory {text}: not a size", "for example --memory 500MB or --memory 8GB")
    if size < 10**6:
        raise DistfitError(f"--memory {text}: {size:,} bytes are too few", "a megabyte is the least: --memory 1MB")
    return size


def free_memory() -> int:
    """Bytes that a program may still take: what the system calls available, or what its container leaves."""
    left = left_by_control_groups()
    return _available() if left is None else min(_available(), left)


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):
        return _UNKNOWN
