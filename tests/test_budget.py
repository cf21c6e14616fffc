"""Sizes of memory as people write them."""

from __future__ import annotations

import pytest

from distfit_counts.budget import parse_size
from distfit_counts.errors import DistfitError


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
