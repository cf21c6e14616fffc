"""Tables of many columns: what a piece costs for each of them is paid once for many rows, whatever the file is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distfit_counts.data import csv_block, rows
from distfit_counts.data.files import read_source
from distfit_counts.data.gather import gathered
from distfit_counts.data.kinds import open_reader
from distfit_counts.data.stream import Meter, open_bytes
from distfit_counts.errors import DataError

ROWS, COLUMNS = 600, 12


def _json(path: Path, table: pa.Table) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


def _csv(path: Path, table: pa.Table) -> None:
    lines = [table.column_names, *([str(value) for value in row.values()] for row in table.to_pylist())]
    path.write_text("".join(",".join(line) + "\n" for line in lines))


def _arrow(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=10)


WRITERS: dict[str, Callable[[Path, pa.Table], None]] = {
    "a.csv": _csv,
    "a.jsonl": _json,
    "a.arrow": _arrow,
    "a.parquet": lambda path, table: pq.write_table(table, path, row_group_size=10),
}


def wide(kind: type = int) -> pa.Table:
    counts = np.random.default_rng(1).poisson(3.0, (ROWS, COLUMNS)).astype(kind)
    return pa.table({f"y{i}": counts[:, i] for i in range(COLUMNS)})


@pytest.mark.parametrize("name", WRITERS)
def test_short_pieces_are_counted_together(tmp_path: Path, name: str) -> None:
    """600 rows come in pieces of ten or so."""
    table, path = wide(), tmp_path / name
    WRITERS[name](path, table)
    with open_bytes(name, str(path), None, Meter(None, None)) as stream:
        reader = open_reader(stream, (), 1000)
        batches = list(reader.batches(table.column_names, []))
    assert [batch.rows for batch in batches] == [ROWS]
    found = {column.column: column.histogram for column in read_source(str(path), ["*"], block_size=1000)}
    for column in table.column_names:
        values, weights = np.unique(table.column(column).to_numpy(), return_counts=True)
        assert np.array_equal(found[column].values, values)
        assert np.array_equal(found[column].weights, weights)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_bad_value_far_into_a_gathered_batch_is_found(tmp_path: Path, name: str) -> None:
    table = wide()
    bad = table.set_column(7, "y7", pa.array([-5 if i == 444 else 1 for i in range(ROWS)]))
    WRITERS[name](tmp_path / name, bad)
    line = 446 if name == "a.csv" else 445
    with pytest.raises(DataError, match=rf'row 445 \(line {line}\), column "y7": -5 is negative'):
        read_source(str(tmp_path / name), ["*"], block_size=1000)


def test_whole_numbers_with_a_point_cost_a_few_passes_not_one_for_each_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pandas writes counts as 3.0 where a column has missing values."""
    _csv(tmp_path / "floats.csv", wide(float))
    _csv(tmp_path / "plain.csv", wide())
    passes = 0
    parse = csv_block.read_table

    def counted(*args: Any) -> Any:
        nonlocal passes
        passes += 1
        return parse(*args)

    monkeypatch.setattr(csv_block, "read_table", counted)
    floats, plain = (read_source(str(tmp_path / name), ["*"]) for name in ("floats.csv", "plain.csv"))
    assert passes <= 4
    for a, b in zip(floats, plain, strict=True):
        assert a.histogram.same(b.histogram)


@given(st.lists(st.integers(0, 3000), max_size=8), st.booleans())
@settings(max_examples=30, deadline=None)
def test_gathering_keeps_rows_places_and_lines(lengths: list[int], typed: bool) -> None:
    """Also where the type of a column changes from one piece to the next."""

    def pieces() -> Iterator[tuple[Any, Callable[[int], int]]]:
        first = 0
        for number, length in enumerate(lengths):
            kind = pa.float64() if typed and number % 3 == 1 else pa.int64()
            values = pa.array(range(first, first + length), pa.int64()).cast(kind)
            yield pa.record_batch({"0": values}), lambda index, first=first: 10 * (first + index)
            first += length

    row = 0
    for batch in gathered("a", pieces(), ["y"]):
        assert batch.first_row == row
        values = batch.columns["y"].to_pylist()
        assert values == list(range(row, row + batch.rows))
        assert batch.line is not None
        for index in {0, batch.rows // 2, batch.rows - 1} if batch.rows else set():
            assert batch.line(index) == 10 * (row + index)
        row += batch.rows
    assert row == sum(lengths)


def test_blocks_are_longer_where_rows_are_longer() -> None:
    assert rows.block_for(b"1,2\n" * 1000, 4 << 20) == 4 << 20
    assert rows.block_for((b"1," * 20_000 + b"\n") * 6, 4 << 20) == 512 * 40_001
    assert rows.block_for(b"1," * 10**6, 4 << 20) == 1 << 26
