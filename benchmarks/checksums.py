"""What comparing the checksums of Parquet's pages costs: the same table with and without them."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.made import checksummed, folder, long_parquet
from benchmarks.measure import Figure, distfit, ratio

ROWS, PAIRS = 10**8, 7


def run() -> Iterator[Figure]:
    plain = long_parquet(ROWS)
    commands = [
        distfit("histogram", str(path), "-c", "y", "-o", str(folder() / "h.parquet"))
        for path in (checksummed(plain), plain)
    ]
    found, ours, theirs = ratio(*commands, PAIRS)
    what = f"Parquet, {ROWS:,} rows of int32: distfit histogram of pages with checksums / of the same without"
    yield Figure(what, "<= 1.1", f"{found:.2f}", f"{ours:.2f} s / {theirs:.2f} s, whole processes")
