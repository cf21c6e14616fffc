"""Many rows: whole processes against the bare reading that they cannot do without, and against other readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.made import folder, long_csv, long_parquet, many_groups
from benchmarks.measure import Figure, distfit, peak_megabytes, python, ratio, seconds

ROWS, CSV_ROWS, GROUPS = 10**8, 2 * 10**7, 1_000
PAIRS = 3

_SCAN = "import sys, pyarrow.dataset as ds; sum(b.num_rows for b in ds.dataset(sys.argv[1]).to_batches(columns=['y']))"
_CSV = {
    "pyarrow": "import sys, pyarrow.csv as pc; pc.read_csv(sys.argv[1])",
    "Polars": "import sys, polars; polars.read_csv(sys.argv[1], columns=['y'])",
    "DuckDB": "import sys, duckdb; duckdb.sql(f\"SELECT y, count(*) FROM '{sys.argv[1]}' GROUP BY y\").fetchall()",
}
_GROUPED = {
    "DuckDB": (
        "import sys, duckdb\n"
        "duckdb.sql(f\"COPY (SELECT g, y, count(*) AS n FROM '{sys.argv[1]}' GROUP BY g, y) TO '{sys.argv[2]}'\")"
    ),
    "Polars": (
        "import sys, polars as pl\n"
        "found = pl.scan_parquet(sys.argv[1]).group_by('g', 'y').agg(pl.len()).collect(engine='streaming')\n"
        "found.write_parquet(sys.argv[2])"
    ),
}


def run() -> Iterator[Figure]:
    yield from _parquet()
    yield from _csv()
    yield from _groups()
    yield from _billion()
    yield from _many_groups()


def _billion() -> Iterator[Figure]:
    """The same file ten times over: one data set of a billion rows."""
    command = ("fit", *[str(long_parquet(ROWS))] * 10, "--together", "-c", "y", "--family", "nb", "-q")
    taken, peak = seconds(distfit(*command)), peak_megabytes(*command)
    what = f"Parquet, {10 * ROWS:,} rows: distfit fit --family nb"
    yield Figure(what, "<= 600 MB", f"{peak:.0f} MB", f"{taken:.1f} s, whole process")


def _many_groups() -> Iterator[Figure]:
    path = many_groups(10**6, 10)
    for family in ("poisson", "nb"):
        output = str(folder() / "many.parquet")
        command = ("fit", str(path), "-c", "y", "--by", "g", "--family", family, "--restarts", "1", "-q", "-o", output)
        # Groups whose counts are no negative binomial's may end at its boundary, and one of a million elsewhere.
        taken, peak = seconds(distfit(*command, ok=(0, 1))), peak_megabytes(*command, ok=(0, 1))
        what = f"a million groups of ten counts: distfit fit --by --family {family} --restarts 1"
        yield Figure(what, "-", f"{taken:.0f} s", f"{peak:,.0f} MB, whole process")


def _parquet() -> Iterator[Figure]:
    path = long_parquet(ROWS)
    command = ("fit", str(path), "-c", "y", "--family", "nb", "-q")
    scan, torch = python("-c", _SCAN, str(path)), python("-c", "import torch")

    def bare() -> None:
        scan()
        torch()

    found, ours, theirs = ratio(distfit(*command), bare, PAIRS)
    what = f"Parquet, {ROWS:,} rows of int32: distfit fit --family nb / (pyarrow scan + import torch)"
    yield Figure(what, "<= 1.6", f"{found:.2f}", f"{ours:.2f} s / {theirs:.2f} s, whole processes")
    few = long_parquet(ROWS // 10)
    peaks = [peak_megabytes("fit", str(p), "-c", "y", "--family", "nb", "-q") for p in (few, path)]
    what = f"peak memory, {ROWS // 10:,} and {ROWS:,} rows"
    yield Figure(what, "<= 600 MB, not growing", " and ".join(f"{peak:.0f} MB" for peak in peaks), "resident set")


def _csv() -> Iterator[Figure]:
    path = long_csv(CSV_ROWS)
    ours = distfit("histogram", str(path), "-o", str(folder() / "h.parquet"))
    for name, code in _CSV.items():
        found, a, b = ratio(ours, python("-c", code, str(path)), PAIRS)
        asked = "<= 1.3" if name == "pyarrow" else "-"
        what = f"CSV, {CSV_ROWS:,} rows: distfit histogram / {name} reading it"
        yield Figure(what, asked, f"{found:.2f}", f"{a:.2f} s / {b:.2f} s, whole processes")


def _groups() -> Iterator[Figure]:
    path: Path = long_parquet(ROWS, GROUPS)
    ours = distfit("histogram", str(path), "-c", "y", "--by", "g", "-o", str(folder() / "h.parquet"))
    for name, code in _GROUPED.items():
        found, a, b = ratio(ours, python("-c", code, str(path), str(folder() / "g.parquet")), PAIRS)
        what = f"{ROWS:,} rows x {GROUPS:,} groups: distfit histogram --by / the same GROUP BY in {name}"
        yield Figure(what, "<= 1.5", f"{found:.2f}", f"{a:.2f} s / {b:.2f} s, whole processes, result written")
