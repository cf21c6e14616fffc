"""Labels of any type: the text that databases make of them, or a refusal that names the column."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distfit_counts.data.files import read_source
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
