"""Draws in constant memory: block by block to CSV or Parquet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from distfit_counts.data.arrays import int64_array
from distfit_counts.errors import FamilyError
from distfit_counts.families.family import Family
from distfit_counts.output import whole_file

# Draws held at a time: 8 MiB of int64.
BLOCK = 2**20
COLUMN = "count"


def draws(family: Family, values: dict[str, float], n: int, seed: int | None) -> Iterator[npt.NDArray[np.int64]]:
    """``n`` draws in blocks of BLOCK."""
    rng = np.random.default_rng(seed)
    for done in range(0, n, BLOCK):
        try:
            yield family.sample(values, min(BLOCK, n - done), rng)
        except ValueError as error:
            # NumPy's word for a Poisson whose mean no 64-bit integer can hold.
            raise FamilyError(
                f"{family.spec}: its counts become too large to draw ({error})", "lower the mean"
            ) from error


def write_samples(family: Family, values: dict[str, float], n: int, seed: int | None, output: Path | None) -> None:
    """Write ``n`` draws under the header ``count``: CSV to stdout or ``output``, Parquet where it ends in .parquet."""
    if output is None:
        _write_csv(family, values, n, seed, sys.stdout.buffer)
        return
    with whole_file(output) as file:
        write = _write_parquet if output.suffix.lower() in (".parquet", ".pq") else _write_csv
        write(family, values, n, seed, file)


def _write_csv(family: Family, values: dict[str, float], n: int, seed: int | None, file: BinaryIO) -> None:
    file.write(f"{COLUMN}\n".encode())
    for block in draws(family, values, n, seed):
        file.write(_lines(block))


def _lines(block: npt.NDArray[np.int64]) -> bytes:
    import pyarrow as pa
    import pyarrow.csv as csv

    sink = pa.BufferOutputStream()
    csv.write_csv(_table(block), sink, csv.WriteOptions(include_header=False))
    result: bytes = sink.getvalue().to_pybytes()
    return result


def _table(block: npt.NDArray[np.int64]) -> Any:
    import pyarrow as pa

    schema = pa.schema([pa.field(COLUMN, pa.int64(), nullable=False)])
    return pa.Table.from_arrays([int64_array(block)], schema=schema)


def _write_parquet(family: Family, values: dict[str, float], n: int, seed: int | None, file: BinaryIO) -> None:
    import pyarrow.parquet as parquet

    empty = _table(np.empty(0, dtype=np.int64))
    with parquet.ParquetWriter(file, empty.schema) as writer:
        for block in draws(family, values, n, seed):
            writer.write_table(_table(block))
