"""Tables of histograms: whatever wrote them, they are kept apart by column and group; what is wrong is told by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from distfit_counts.data.files import Column, read_source, read_sources
from distfit_counts.data.histogram_file import write_histograms
from distfit_counts.data.request import Request
from distfit_counts.errors import DataError

# As (column, value, count); "z" is read after "y", and one of its values is missing.
ROWS = [("y", 0, 5), ("y", 3, 2), ("z", 1, 7), ("z", None, 1)]
FOUND = [("y", {}, [0, 3], [5, 2], 0), ("z", {}, [1], [7], 1)]


def content(columns: list[Column]) -> list[object]:
    return [
        (c.column, dict(c.group), c.histogram.values.tolist(), c.histogram.weights.tolist(), c.histogram.n_missing)
        for c in columns
    ]


def table(rows: list[tuple[Any, ...]] = ROWS) -> pa.Table:
    return pa.table(dict(zip(("column", "value", "count"), map(list, zip(*rows, strict=True)), strict=True)))


def by_duckdb(found: pa.Table, path: Path) -> None:
    with duckdb.connect() as connection:
        connection.register("found", found)
        connection.execute(f"COPY found TO '{path}'")


WRITERS: dict[str, Callable[[pa.Table, Path], object]] = {
    "pandas.csv": lambda t, path: t.to_pandas().to_csv(path, index=False),
    "pandas_with_row_numbers.csv": lambda t, path: t.to_pandas().to_csv(path),
    "pandas.tsv": lambda t, path: t.to_pandas().to_csv(path, index=False, sep="\t"),
    "pandas.jsonl": lambda t, path: t.to_pandas().to_json(path, orient="records", lines=True),
    "pandas.parquet": lambda t, path: t.to_pandas().to_parquet(path),
    "a.feather": lambda t, path: feather.write_feather(t, str(path)),
    "duckdb.parquet": by_duckdb,
    "duckdb.csv": by_duckdb,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("weights", [None, "count"])
def test_columns_called_so_make_histograms(tmp_path: Path, name: str, weights: str | None) -> None:
    WRITERS[name](table(), tmp_path / name)
    assert content(read_source(str(tmp_path / name), weights=weights)) == FOUND


def test_own_csv_is_own_parquet(tmp_path: Path) -> None:
    """Merged with each other too; labels as a CSV has them: text that is a whole number is one."""
    data = pa.table({"y": [4, 4, 1, 0], "z": [2, 2, 2, None], "g": ["10", None, "10", "9"], "h": list("ab b")})
    pq.write_table(data, tmp_path / "data.parquet")
    counted = read_source(str(tmp_path / "data.parquet"), ["y", "z"], ["g", "h"])
    for name in ("h.parquet", "h.csv"):
        write_histograms(counted, tmp_path / name)
        assert content(read_source(str(tmp_path / name))) == content(counted)
    both = read_sources([str(tmp_path / name) for name in ("h.parquet", "h.csv")], together=True)
    assert [(c.column, dict(c.group), c.histogram.n) for c in both] == [
        (c.column, dict(c.group), 2 * c.histogram.n) for c in counted
    ]


def test_parts_side_by_side_in_two_formats(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("pandas.csv", "a.feather", "duckdb.parquet")]
    for path in paths:
        WRITERS[Path(path).name](table(), Path(path))
    for workers in (1, 3):
        found = read_sources(paths, Request(["y"], threads=workers), together=True)
        assert content(found) == [("y", {}, [0, 3], [15, 6], 0)]


def test_columns_with_odd_names(tmp_path: Path) -> None:
    """Numbers as a CSV reader of another program guesses them, and no name at all."""
    pq.write_table(pa.table({"column": [2, 10, None], "value": [1, 2, 3], "count": [1, 1, 1]}), tmp_path / "h.parquet")
    assert [c.column for c in read_source(str(tmp_path / "h.parquet"))] == ["2", "10", ""]


def test_other_columns_are_not_histograms(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("column,count,value\na,3,1\nb,4,1\n")
    assert content(read_source(str(path), ["value"], weights="count")) == [("value", {}, [1], [7], 0)]


@pytest.mark.parametrize("by", [["column"], ["column", "b"], ["b"]])
def test_fewer_groups_are_added_up(tmp_path: Path, by: list[str]) -> None:
    """``column`` names no group: the columns are kept apart anyhow."""
    rows = [("y", "s", 1, 0, 5), ("y", "s", 2, 0, 1), ("y", "t", 1, 4, 2), ("z", "s", 1, 3, 7)]
    names = ("column", "a", "b", "value", "count")
    pq.write_table(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), tmp_path / "h.parquet")
    whole = [("y", {}, [0, 4], [6, 2], 0), ("z", {}, [3], [7], 0)]
    groups = [("y", {"b": 1}, [0, 4], [5, 2], 0), ("y", {"b": 2}, [0], [1], 0), ("z", {"b": 1}, [3], [7], 0)]
    assert content(read_source(str(tmp_path / "h.parquet"), by=by)) == (groups if "b" in by else whole)


@pytest.mark.parametrize("by", ["value", "count"])
def test_groups_of_its_own_columns(tmp_path: Path, by: str) -> None:
    pq.write_table(table(), tmp_path / "h.parquet")
    with pytest.raises(DataError, match=f'grouped by their column "{by}"'):
        read_source(str(tmp_path / "h.parquet"), by=[by])


def test_a_column_that_it_has_not(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "h.parquet")
    with pytest.raises(DataError, match="holds histograms, but none of value") as caught:
        read_source(str(tmp_path / "h.parquet"), ["value"], weights="count")
    assert "they are of: y, z" in caught.value.hint


def damaged(column: str, change: Callable[[Any], Any]) -> pa.Table:
    """As its own program wrote it, metadata and all, then changed."""
    own = table().replace_schema_metadata({"distfit": "histogram/1"})
    return own.set_column(own.column_names.index(column), column, change(own[column]))


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("count", lambda c: pc.subtract(c, 4), r'row 2, column "count": -2 is negative'),
        ("count", lambda c: pc.divide(c.cast(pa.float64()), 7.0), r'row 1, column "count": 0.71\d+ is not a whole'),
        ("count", lambda c: pc.multiply(c, 2**52), r'row 1, column "count": .* is beyond 2\*\*53'),
        ("count", lambda c: pc.multiply(c, 2**50), r'column "count": the weights add up to more than 2\*\*53'),
        ("count", lambda c: pc.if_else(pc.equal(c, 7), None, c), r'row 3, column "count": a missing weight'),
        ("count", lambda c: pc.greater(c, 3), r'column "count": holds bool, not whole numbers'),
        ("value", lambda c: pc.subtract(c, 2), r'row 1, column "value": -2 is negative'),
        ("value", lambda c: pc.add(c.cast(pa.float64()), 0.5), r'row 1, column "value": 0.5 is not a whole number'),
    ],
)
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_damage_is_told_by_row(tmp_path: Path, column: str, change: Callable[[Any], Any], said: str, kind: str) -> None:
    path = tmp_path / f"h.{kind}"
    changed = damaged(column, change)
    if kind == "parquet":
        pq.write_table(changed, path)
    else:
        changed.to_pandas().convert_dtypes().to_csv(path, index=False)
        said = said.replace(": holds bool, not whole numbers", ": '(T|t)rue' is not a number")
        said = said.replace(', column "', r' \(line \d\), column "')
    with pytest.raises(DataError, match=f"^{path}.*{said}"):
        read_source(str(path))


@pytest.mark.parametrize("column", ["column", "value", "count"])
def test_a_column_is_lacking(tmp_path: Path, column: str) -> None:
    own = table().replace_schema_metadata({"distfit": "histogram/1"})
    pq.write_table(own.drop_columns([column]), tmp_path / "h.parquet")
    with pytest.raises(DataError, match=f'no column "{column}"'):
        read_source(str(tmp_path / "h.parquet"))


def test_two_of_a_group(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("column,g,g,value,count\ny,1,2,3,4\n")
    with pytest.raises(DataError, match='2 columns are named "g"'):
        read_source(str(tmp_path / "h.csv"))
