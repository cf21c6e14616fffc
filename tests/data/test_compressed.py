"""Compressed files: padded, of several parts, damaged; and that damage is not taken for a bad table."""

from __future__ import annotations

import gzip
import random
import subprocess
import zlib
from pathlib import Path

import pytest

from distfit_counts.data import stream
from distfit_counts.data.files import read_source
from distfit_counts.errors import DataError

ROWS = "y,g,h\n" + "".join(f"{i % 7},{i % 3},{i % 5}\n" for i in range(400_000))


def padded(path: Path, zeros: int) -> str:
    path.write_bytes(gzip.compress(ROWS.encode()) + bytes(zeros))
    return str(path)


@pytest.mark.parametrize("zeros", [0, 1, 511, 70_000])
def test_zeros_fill_the_last_block(tmp_path: Path, zeros: int) -> None:
    """``gzip -t`` accepts them too; tapes and some programs write them."""
    path = padded(tmp_path / "a.csv.gz", zeros)
    assert subprocess.run(["gzip", "-t", path], capture_output=True, check=False).returncode == 0
    assert read_source(path, ["y"])[0].histogram.n == 400_000
    with open(path, "rb") as stdin:
        assert read_source("-", ["y"], stdin=stdin)[0].histogram.n == 400_000


def test_zeros_between_parts(tmp_path: Path) -> None:
    path = padded(tmp_path / "a.csv.gz", 100)
    with open(path, "ab") as file:
        file.write(gzip.compress(b"6,1,1\n" * 10))
    assert read_source(path, ["y"])[0].histogram.n == 400_010


def test_anything_else_after_the_end_is_damage(tmp_path: Path) -> None:
    path = padded(tmp_path / "a.csv.gz", 3)
    with open(path, "ab") as file:
        file.write(b"rubbish")
    with pytest.raises(DataError, match=r"a\.csv\.gz: damaged or cut short"):
        read_source(path, ["y"])


def wrong_sum(path: Path, text: str) -> str:
    """A gzip of ``text`` whose check sum is that of another text: damage that shows at the end only."""
    packed = bytearray(gzip.compress(text.encode()))
    packed[-8:-4] = zlib.crc32(b"another").to_bytes(4, "little")
    path.write_bytes(packed)
    return str(path)


@pytest.mark.parametrize(
    "row", ["3,1", "x,1,1", "-4,1,1", "\udce9,1,1"], ids=["ragged", "text", "negative", "encoding"]
)
@pytest.mark.parametrize("place", [1, 30_000])
def test_damage_is_not_blamed_on_the_table(tmp_path: Path, row: str, place: int) -> None:
    lines = ROWS.splitlines()
    lines[place] = row
    text = "\n".join(lines) + "\n"
    # In small blocks, so that the row is met long before the check sum.
    path = tmp_path / "a.csv.gz"
    packed = bytearray(gzip.compress(text.encode("utf-8", "surrogateescape")))
    path.write_bytes(packed)
    with pytest.raises(DataError, match="row "):
        read_source(str(path), ["y"], block_size=1 << 14)
    packed[-8] ^= 1
    path.write_bytes(packed)
    with pytest.raises(DataError, match="damaged or cut short"):
        read_source(str(path), ["y"], block_size=1 << 14)


def test_a_header_of_a_damaged_file(tmp_path: Path) -> None:
    path = wrong_sum(tmp_path / "a.csv.gz", ROWS)
    with pytest.raises(DataError, match="damaged or cut short"):
        read_source(path, ["visits"])


def test_any_flipped_bit_is_damage(tmp_path: Path) -> None:
    """Never a wrong answer, and never blamed on the table."""
    path = tmp_path / "a.csv.gz"
    packed, rng = gzip.compress(ROWS.encode(), mtime=0), random.Random(5)
    for _ in range(40):
        changed = bytearray(packed)
        # Beyond the head, whose time stamp and the like mean nothing.
        changed[rng.randrange(20, len(packed))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(DataError, match="damaged or cut short"):
            read_source(str(path), ["y"])


def test_a_long_file_is_not_unpacked_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_LOOKED_THROUGH", 1 << 16)
    path = wrong_sum(tmp_path / "a.csv.gz", "y\n-1\n" + "1\n" * 1_000_000)
    with pytest.raises(DataError, match=r"row 1 .*-1 is negative"):
        read_source(path, ["y"], block_size=1 << 16)
