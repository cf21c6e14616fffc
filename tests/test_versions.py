"""The version ranges that are declared are those that are tested."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


def pinned(name: str) -> dict[str, Version]:
    lines = (ROOT / name).read_text().splitlines()
    return {own: Version(version) for own, version in (line.split("==") for line in lines if "==" in line)}


def ranges() -> dict[str, Version]:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return {name: Version(low) for name, low in (own.split(">=") for own in listed)}


def test_the_lowest_versions_are_those_that_are_tested() -> None:
    lowest, tested = ranges(), pinned("constraints-lowest.txt")
    torch = lowest.pop("torch")
    assert lowest == {name: tested[name] for name in lowest}
    assert torch <= tested["torch"] == pinned("constraints.txt")["torch"], "builds of others are gigabytes"


def test_the_versions_of_the_tests_are_in_the_ranges() -> None:
    newest = pinned("constraints.txt")
    assert all(newest[name] >= low for name, low in ranges().items())
