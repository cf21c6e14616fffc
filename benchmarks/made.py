"""Large data sets, made once in a temporary folder."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

CHUNK = 1 << 22
# 20,000 columns of 3,000 counts, as in gene expression.
COLUMNS, ROWS = 20_000, 3_000


@cache
def folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="distfit-bench-"))
    atexit.register(shutil.rmtree, path, True)
    return path


@cache
def long_parquet(rows: int, groups: int = 0) -> Path:
    """Column ``y``, int32: negative binomial, mean 8, size 1.5; ``g``: one of ``groups``."""
    path = folder() / f"long_{rows}_{groups}.parquet"
    rng = np.random.default_rng(1)

    def part(n: int) -> pa.Table:
        table = {"y": rng.negative_binomial(1.5, 1.5 / 9.5, n).astype(np.int32)}
        return pa.table(table | ({"g": rng.integers(0, groups, n).astype(np.int32)} if groups else {}))

    return written(path, rows, part)


@cache
def checksummed(path: Path) -> Path:
    """A copy of a Parquet file, row group by row group, whose pages carry checksums."""
    copy = path.with_stem(f"{path.stem}_checksums")
    source = pq.ParquetFile(path)
    with pq.ParquetWriter(copy, source.schema_arrow, write_page_checksum=True) as writer:
        for group in range(source.num_row_groups):
            writer.write_table(source.read_row_group(group), row_group_size=1 << 30)
    return copy


@cache
def many_groups(groups: int, each: int) -> Path:
    """``groups`` x ``each`` rows in random order: ``g`` and ``y``, negative binomial."""
    path = folder() / f"groups_{groups}_{each}.parquet"
    rng = np.random.default_rng(2)
    g = rng.permutation(np.repeat(np.arange(groups, dtype=np.int32), each))
    mean = np.exp(rng.normal(1.0, 0.7, groups))[g]
    pq.write_table(pa.table({"g": g, "y": rng.poisson(rng.gamma(1.5, mean / 1.5)).astype(np.int32)}), path)
    return path


@cache
def long_csv(rows: int) -> Path:
    path = folder() / f"long_{rows}.csv"
    pc.write_csv(pq.read_table(long_parquet(10**8)).slice(0, rows), path)
    return path


@cache
def wide_parameters() -> tuple[np.ndarray, np.ndarray]:
    """Means from 0.5 to 50 and sizes from 0.3 to 10 of the COLUMNS."""
    rng = np.random.default_rng(0)
    means = np.exp(rng.uniform(np.log(0.5), np.log(50.0), COLUMNS))
    return means, np.exp(rng.uniform(np.log(0.3), np.log(10.0), COLUMNS))


def wide_column(i: int, family: str = "nb") -> np.ndarray:
    """The ROWS counts of column ``i``."""
    mean, size = (values[i] for values in wide_parameters())
    rng = np.random.default_rng([7, i])
    if family == "zip":
        return rng.poisson(mean, ROWS) * rng.binomial(1, 0.7, ROWS)
    return rng.poisson(rng.gamma(size, mean / size, ROWS))


@cache
def wide_parquet(columns: int = COLUMNS, family: str = "nb") -> Path:
    """The first ``columns``, one below the other: ``gene`` and ``y``."""
    path = folder() / f"wide_{family}_{columns}.parquet"
    done = 0

    def part(n: int) -> pa.Table:
        nonlocal done
        genes = range(done // ROWS, (done + n) // ROWS)
        done += n
        y = np.concatenate([wide_column(i, family) for i in genes]).astype(np.int32)
        return pa.table({"gene": np.repeat(np.array(genes, dtype=np.int32), ROWS), "y": y})

    return written(path, columns * ROWS, part, CHUNK // ROWS * ROWS)


def written(path: Path, rows: int, part: Callable[[int], pa.Table], chunk: int = CHUNK) -> Path:
    """``rows`` rows, made ``chunk`` at a time, in ``path``."""
    writer, done = None, 0
    while done < rows:
        n = min(chunk, rows - done)
        table = part(n)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1 << 20)
        done += n
    assert writer is not None
    writer.close()
    return path
