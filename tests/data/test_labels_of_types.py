"""Labels of any type: the text that databases make of them, or a refusal that names the column."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distfit_counts.data.files import read_source, read_sources
from distfit_counts.data.request import Request
from distfit_counts.errors import DataError


def groups(label: pa.Array, path: Path) -> list[object]:
    pq.write_table(pa.table({"y": range(len(label)), "g": label}), path)
    return [column.group["g"] for column in read_source(str(path), ["y"], by=["g"])]


def test_uuids(tmp_path: Path) -> None:
    """RFC 9562's text."""
    names = ["6ecd8c99-4036-403d-bf84-cf8400f67836", "00000000-0000-0000-0000-000000000001"]
    stored = pa.array([uuid.UUID(name).bytes for name in [*names, names[0]]], pa.binary(16))
    label = pa.ExtensionArray.from_storage(pa.uuid(), stored)
    assert groups(label, tmp_path / "a.parquet") == sorted(names)


def test_times_have_no_zeros_behind_a_fraction(tmp_path: Path) -> None:
    """As DuckDB and PostgreSQL write them."""
    times = [
        datetime.time(1, 2, 3, 500_000),
        datetime.time(1, 2, 3),
        datetime.time(10, 0, 0),
        datetime.time(1, 2, 3, 7),
    ]
    found = groups(pa.array(times, pa.time64("us")), tmp_path / "a.parquet")
    assert found == ["01:02:03", "01:02:03.000007", "01:02:03.5", "10:00:00"]


def test_bytes_of_fixed_length_are_refused_by_name(tmp_path: Path) -> None:
    """A database's INTERVAL in Parquet: no text at all."""
    with pytest.raises(DataError, match='column "g": holds fixed_size_binary') as said:
        groups(pa.array([b"\x00" * 12], pa.binary(12)), tmp_path / "a.parquet")
    assert "a.parquet" in said.value.problem


def test_whole_numbers_written_with_a_point_are_whole_numbers(tmp_path: Path) -> None:
    """As pandas writes a column that had a missing label, to CSV 1.0 and to Parquet 1."""
    csv, parquet = tmp_path / "a.csv", tmp_path / "a.parquet"
    csv.write_text("g,y\n0.0,3\n1.0,4\n1,5\n,6\n")
    pq.write_table(pa.table({"g": [0.0, 1.0, None], "y": [3, 4, 6]}), parquet)
    alone = read_source(str(csv), ["y"], by=["g"])
    assert [(column.group["g"], column.histogram.n) for column in alone] == [(0, 1), (1, 2), (None, 1)]
    both = read_sources([str(csv), str(parquet)], Request(["y"], ["g"]), together=True)
    assert [(column.group["g"], column.histogram.n) for column in both] == [(0, 2), (1, 3), (None, 2)]
    csv.write_text("g,y\n1.0,3\n1.10,4\n")
    assert [column.group["g"] for column in read_source(str(csv), ["y"], by=["g"])] == ["1.0", "1.10"], "versions"
