"""How much memory to plan for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from distfit_counts.errors import DistfitError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_UNITS |= {"KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40, "PI": 2**50}
# Of the free memory, what a run plans for unless told.
_SHARE = 4
# Where the system does not say what is free.
_UNKNOWN = 2 * 2**30
# Measured with ten million distinct values: counting, merging and fitting take no more for each.
BYTES_PER_DISTINCT = 200


@dataclass(frozen=True)
class Budget:
    """``memory`` in bytes; ``max_distinct``: how many distinct values (pairs of group and value) are counted."""

    memory: int
    max_distinct: int

    @classmethod
    def of(cls, memory: str | None = None, max_distinct: int | None = None) -> Budget:
        """From what the user gave. Raises DistfitError for a size that is none."""
        size = free_memory() // _SHARE if memory is None else parse_size(memory)
        return cls(size, max_distinct if max_distinct is not None else size // BYTES_PER_DISTINCT)


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
    """Bytes that a program may still take: what the system calls available, or the limit of the container."""
    return min(_available(), _container())


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


def _container() -> int:
    """What a control group leaves, where one sets a limit."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return max(int(limit) - int(used), 0)
    except (OSError, ValueError):
        return 2**62
