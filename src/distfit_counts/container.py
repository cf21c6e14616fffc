"""What control groups leave to this process: the limits of a container, or of a job on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# The files of a group that say its limit and what it uses, and the line of memory.stat with the page cache that is
# given back before the limit is reached: of version 2 and of version 1 (there with that of the groups below).
_VERSION_2 = ("memory.max", "memory.current", "inactive_file")
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def left_by_control_groups(root: Path = Path("/")) -> int | None:
    """Bytes that the group of this process and those above it still allow; None where none has a limit.

    ``root``: of the file system. See the kernel's admin-guide/cgroup-v2 and cgroup-v1/memory.
    """
    mounts = root / "sys/fs/cgroup"
    found = []
    for version, path in _memberships(root):
        places, files = (
            ([mounts, mounts / "unified"], _VERSION_2) if version == 2 else ([mounts / "memory"], _VERSION_1)
        )
        # A container may see the path of the host, but its own group at the mount: what is not there is passed over.
        parts = [part for part in path.split("/") if part not in ("", "..")]
        groups = [place.joinpath(*parts[:depth]) for place in places for depth in range(len(parts) + 1)]
        found += [left for group in groups if (left := _left(group, *files)) is not None]
    return min(found, default=None)


def _memberships(root: Path) -> Iterator[tuple[int, str]]:
    """Version and path of the groups of this process that can limit memory."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            yield 2, path
        elif "memory" in controllers.split(","):
            yield 1, path


def _left(group: Path, limit: str, used: str, reclaimable: str) -> int | None:
    try:
        # "max", which is no number: no limit. Version 1 writes a number larger than any memory.
        allowed, taken = (int((group / name).read_text()) for name in (limit, used))
    except (OSError, ValueError):
        return None
    return max(allowed - max(taken - _stat(group, reclaimable), 0), 0)


def _stat(group: Path, name: str) -> int:
    try:
        lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
        return next((int(words[1]) for words in lines if words[:1] == [name]), 0)
    except (OSError, ValueError, IndexError):
        return 0
