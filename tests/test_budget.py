"""What memory is planned for: sizes as people write them, and what containers leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from distfit_counts import budget
from distfit_counts.budget import Budget, parse_size
from distfit_counts.commands.fitting import check_memory
from distfit_counts.container import left_by_control_groups
from distfit_counts.errors import DistfitError
from distfit_counts.families.spec import parse
from distfit_counts.settings import FitSettings

MB = 10**6


def system(root: Path, membership: str, groups: dict[str, dict[str, str]]) -> Path:
    """A file system with the groups of a process, as the kernel shows them."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(membership)
    for group, files in groups.items():
        folder = root / "sys/fs/cgroup" / group
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text + "\n")
    return root


def v2(limit: str, used: int, cache: int = 0) -> dict[str, str]:
    stat = f"anon 1\ninactive_file {cache}\nactive_file 77"
    return {"memory.max": limit, "memory.current": str(used), "memory.stat": stat}


def v1(limit: int, used: int, cache: int = 0) -> dict[str, str]:
    stat = f"cache 5\ninactive_file 1\ntotal_inactive_file {cache}"
    return {"memory.limit_in_bytes": str(limit), "memory.usage_in_bytes": str(used), "memory.stat": stat}


UNLIMITED = 9223372036854771712


@pytest.mark.parametrize(
    ("membership", "groups", "left"),
    [
        ("0::/\n", {"": v2(str(500 * MB), 100 * MB)}, 400 * MB),
        # A file of 380 MB was read: its pages are given back before anything is refused.
        ("0::/\n", {"": v2(str(500 * MB), 480 * MB, 380 * MB)}, 400 * MB),
        ("0::/\n", {"": v2("max", 480 * MB)}, None),
        ("0::/a/b\n", {"a": v2(str(300 * MB), 50 * MB), "a/b": v2("max", 20 * MB)}, 250 * MB),
        ("0::/a/b\n", {"a": v2(str(300 * MB), 50 * MB), "a/b": v2(str(90 * MB), 20 * MB)}, 70 * MB),
        # Without a namespace of its own, a container sees the host's path, and its group at the mount.
        ("0::/docker/123\n", {"": v2(str(500 * MB), 600 * MB)}, 0),
        ("5:cpu:/\n3:memory:/job/7\n", {"memory/job/7": v1(800 * MB, 300 * MB, 100 * MB)}, 600 * MB),
        ("3:hugetlb,memory:/docker/9\n", {"memory": v1(800 * MB, 300 * MB)}, 500 * MB),
        ("3:memory:/job\n", {"memory": v1(UNLIMITED, 0), "memory/job": v1(200 * MB, 0)}, 200 * MB),
        ("4:memory:/a\n0::/u\n", {"memory/a": v1(900 * MB, 0), "unified/u": v2(str(100 * MB), 0)}, 100 * MB),
        ("1:name=systemd:/\n", {}, None),
    ],
)
def test_what_control_groups_leave(
    tmp_path: Path, membership: str, groups: dict[str, dict[str, str]], left: int | None
) -> None:
    assert left_by_control_groups(system(tmp_path, membership, groups)) == left


def test_no_control_groups(tmp_path: Path) -> None:
    assert left_by_control_groups(tmp_path) is None


def test_a_full_container_still_has_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "left_by_control_groups", lambda: 1000)
    assert budget.free_memory() == 1000
    assert Budget.of().memory == 100 * MB
    assert Budget.of("1MB").memory == MB


def test_a_quarter_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "free_memory", lambda: 2 * 10**9)
    assert Budget.of().memory == 5 * 10**8


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500MB", 500 * 10**6),
        ("8 GiB", 8 * 2**30),
        ("2g", 2 * 10**9),
        ("1e9", 10**9),
        ("1.5T", 15 * 10**11),
        ("4PB", 4 * 10**15),
        ("1PiB", 2**50),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["much", "5 parsecs", "", "1.2.3GB", "1e999", "-1GB", "3EB"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(DistfitError, match=f"--memory {text}: not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["250", "999KB", "0GB"])
def test_too_small(text: str) -> None:
    with pytest.raises(DistfitError, match="are too few"):
        parse_size(text)


def test_too_many_fits_are_refused_before_memory_ends() -> None:
    """1,000,000 x (2000 + 10 x (32 + 16 x 2)) bytes = 2.64 GB."""
    check_memory(1_000_000, [parse("nb")], FitSettings(memory=2_650 * MB), "parquet")
    with pytest.raises(DistfitError, match=r"1,000,000 columns.* about 2\.6 GB .* 500 MB are planned") as caught:
        check_memory(1_000_000, [parse("nb")], FitSettings(memory=500 * MB), "parquet")
    assert "--memory" in caught.value.hint
    check_memory(189_000, [parse("nb")], FitSettings(memory=500 * MB), "parquet")
    # A table is laid out as a whole.
    with pytest.raises(DistfitError, match="in one table") as caught:
        check_memory(189_000, [parse("nb")], FitSettings(memory=500 * MB), "table")
    assert "-o fits.parquet" in caught.value.hint
