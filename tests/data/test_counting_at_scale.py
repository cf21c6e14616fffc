"""Counting laws where there is much: any way of cutting, grouping and merging gives the same histograms."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distfit_counts.data import crosstab, data_set, grouping, pairs
from distfit_counts.data.files import Column, read_source, read_sources
from distfit_counts.data.grouping import GroupTally
from distfit_counts.data.groups import histograms_of, labels_of, widths_of
from distfit_counts.data.histogram_file import write_histograms
from distfit_counts.data.memory import read_memory
from distfit_counts.data.request import Request
from distfit_counts.errors import DataError

Groups = dict[tuple[object, ...], tuple[dict[int, int], int]]


def counted(tally: GroupTally) -> Groups:
    return {
        tuple(group.values()): (dict(zip(h.values.tolist(), h.weights.tolist(), strict=True)), h.n_missing)
        for group, h in tally.histograms()
    }


def by_hand(rows: list[tuple[object, int | None, int]]) -> Groups:
    found: Groups = {}
    for label, value, weight in rows:
        values, missing = found.setdefault((label,), ({}, 0))
        if value is None:
            found[(label,)] = values, missing + weight
        elif weight:
            values[value] = values.get(value, 0) + weight
    return found


LABELS = st.one_of(
    st.lists(st.integers(0, 5)),
    st.lists(st.integers(-3, 2**40)),
    st.lists(st.one_of(st.none(), st.integers(0, 3))),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c d"]))),
)


@given(LABELS, st.data(), st.booleans(), st.sampled_from([0, 20, 10**6]))
@settings(max_examples=150, deadline=None)
def test_every_way_of_grouping_is_counting_by_hand(
    labels: list[object], data: st.DataObject, weighted: bool, cells: int
) -> None:
    """Crosstab, sorted pairs and Arrow's hash tables, alone and one after the other, in batches of any size."""
    values = [data.draw(st.one_of(st.none(), st.integers(0, 9), st.integers(0, 2**53))) for _ in labels]
    weights = [data.draw(st.integers(0, 3)) if weighted else 1 for _ in labels]
    tally = GroupTally(["g"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crosstab, "_CELLS", cells)
        patch.setattr(pairs, "_CELLS_PER_ROW", data.draw(st.sampled_from([0, 4])))
        patch.setattr(pairs, "_SORT_AT", 3)
        patch.setattr(grouping, "_GROUP_AT", 2)
        patch.setattr(grouping, "_MERGE_AT", 2)
        start = 0
        while start < len(labels):
            end = start + data.draw(st.integers(1, 5))
            kind = pa.int64() if any(isinstance(label, int) for label in labels) else pa.string()
            tally.add(
                pa.array(values[start:end], pa.int64()),
                [pa.array(labels[start:end], kind)],
                np.array(weights[start:end]) if weighted else None,
            )
            start = end
        assert counted(tally) == by_hand(list(zip(labels, values, weights, strict=True)))


def test_an_empty_label_is_a_missing_one() -> None:
    tally = GroupTally(["g"])
    tally.add(pa.array([1, 1, 3, 2]), [pa.array(["", None, "", "a"])])
    assert counted(tally) == {("a",): ({2: 1}, 0), (None,): ({1: 2, 3: 1}, 0)}


@pytest.mark.parametrize("width", [1, 4])
def test_two_labels(width: int) -> None:
    rng = np.random.default_rng(1)
    first, second, y = rng.integers(0, 3, 500), rng.integers(0, 4, 500), rng.integers(0, 6**width, 500)
    tally = GroupTally(["a", "b"])
    tally.add(pa.array(y), [pa.array(first), pa.array([f"x{i}" for i in second])])
    found = counted(tally)
    assert list(found) == [(i, f"x{j}") for i in range(3) for j in range(4)]
    for (i, j), (values, _) in found.items():
        here = y[(first == i) & (second == int(str(j)[1:]))]
        assert values == dict(zip(*(part.tolist() for part in np.unique(here, return_counts=True)), strict=True))


def content(columns: list[Column]) -> list[object]:
    return [
        (c.column, dict(c.group), c.histogram.values.tolist(), c.histogram.weights.tolist(), c.histogram.n_missing)
        for c in columns
    ]


@pytest.fixture
def parts(tmp_path: Path) -> list[str]:
    rng = np.random.default_rng(5)
    paths = []
    for i in range(7):
        n = 50 * i + 1
        missing = rng.random(n) < 0.1
        y = pa.array(rng.integers(0, 2**40 if i == 3 else 9, n), mask=missing)
        table = pa.table({"y": y, "z": rng.integers(0, 5, n), "g": rng.integers(0, 3, n)})
        paths.append(str(tmp_path / f"part{i}.parquet"))
        pq.write_table(table, paths[-1])
    return paths


@pytest.mark.parametrize("by", [[], ["g"]])
@pytest.mark.parametrize("together", [True, False])
def test_files_side_by_side_are_files_one_by_one(parts: list[str], by: list[str], together: bool) -> None:
    found = [
        content(read_sources(parts, Request(["y", "z"], by, threads=threads), together=together))
        for threads in (1, 2, 5)
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_bad_file_is_named(parts: list[str], tmp_path: Path, threads: int) -> None:
    for i in (2, 5):
        pq.write_table(pa.table({"y": [1, -i], "z": [0, 0]}), parts[i])
    with pytest.raises(DataError, match=r"part2.*-2 is negative"):
        read_sources([str(tmp_path)], Request(["y"], threads=threads))


@pytest.mark.parametrize("by", [[], ["g"]])
def test_histograms_of_parts_are_the_histogram_of_the_whole(parts: list[str], tmp_path: Path, by: list[str]) -> None:
    """Parts counted apart, merged in any order, alone or with raw histograms: bit for bit the same."""
    request = Request(["y", "z"], by)
    folder = tmp_path / "histograms"
    folder.mkdir()
    for i, path in enumerate(parts):
        write_histograms(read_sources([path], request), folder / f"{i}.parquet")
    whole = content(read_sources(parts, request, together=True))
    assert content(read_source(str(folder))) == whole
    assert content(read_sources([str(folder / f"{i}.parquet") for i in (3, 6, 0, 1, 5, 2, 4)], together=True)) == whole
    write_histograms(read_source(str(folder)), tmp_path / "merged.parquet")
    assert content(read_source(str(tmp_path / "merged.parquet"), weights="count")) == whole
    assert content(read_source(str(tmp_path / "merged.parquet"), ["z"])) == [c for c in whole if c[0] == "z"]  # type: ignore[index]


def test_too_many_distinct_values(tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": np.arange(3000) * 2**30, "g": np.arange(3000)}), path)
    for by in ([], ["g"]):
        with pytest.raises(DataError, match=r"more than 2,999 (distinct values|pairs)") as caught:
            read_sources([path], Request(["y"], by, max_distinct=2999))
        assert "--max-distinct" in caught.value.hint
        assert ("--by" in caught.value.hint) == bool(by), "which of the two columns is at fault is not known"
        assert read_sources([path], Request(["y"], by, max_distinct=3000))


@pytest.mark.parametrize("value", [0, 1000], ids=["few cells", "many cells"])
@pytest.mark.parametrize("text", [False, True])
def test_too_many_pairs_are_noticed_before_the_end(text: bool, value: int) -> None:
    """Of rows in any order: after two million at the latest, where few pairs are allowed. Missing values are none."""
    tally = GroupTally(["g"], most=2999)
    label = pa.array(np.random.default_rng(0).permutation(1 << 19) % 9000 * 7919)
    batch = [label.cast(pa.string()) if text else label]
    for n in range(8):
        missing = np.ones(len(label), bool) if n < 4 else np.zeros(len(label), bool)
        tally.add(pa.array(np.full(len(label), value), mask=missing), batch)
        assert n >= 4 or tally.distinct == 0
    assert tally.distinct == 9000


def test_groups_take_memory_too(tmp_path: Path) -> None:
    """3000 groups with a value each: 6000 of what --memory charges for, 3000 of what --max-distinct counts."""
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": np.arange(3000) % 5, "g": np.arange(3000)}), path)
    with pytest.raises(DataError, match="3,000 groups with 3,000 values take about 1 MB of memory") as caught:
        read_sources([path], Request(["y"], ["g"], max_distinct=5999, max_pairs=5999))
    assert "--memory" in caught.value.hint
    assert len(read_sources([path], Request(["y"], ["g"], max_distinct=3000, max_pairs=6000))) == 3000


def test_groups_are_kept_as_arrays() -> None:
    """As objects (column, labels, two arrays) they would take more than 600 bytes each."""
    groups = 50_000
    table = pa.table({"y": np.arange(groups) % 5, "g": np.arange(groups)})
    tracemalloc.start()
    columns = read_memory(table, ["y"], ["g"], None)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 150 * groups
    for index in (0, 7, groups - 1, -1):
        column = columns[index]
        assert column.group == {"g": index % groups}
        assert column.histogram.values.tolist() == [index % groups % 5]
    assert [column.group["g"] for column in columns] == labels_of(columns, "g") == list(range(groups))
    assert [column.histogram.distinct for column in columns] == widths_of(columns)
    chosen = [i for i, width in enumerate(widths_of(columns)) if width][::7]
    for column, histogram in zip([columns[i] for i in chosen], histograms_of(columns, chosen), strict=True):
        assert column.histogram.values.tolist() == histogram.values.tolist()
        assert column.histogram.weights.tolist() == histogram.weights.tolist()


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """NumPy and Python; Arrow's own batches are as large for one row group as for a hundred."""
    peaks = []
    for groups in (20, 100):
        path = str(tmp_path / f"{groups}.parquet")
        with pq.ParquetWriter(path, pa.schema([("y", pa.int32())])) as writer:
            for seed in range(groups):
                y = np.random.default_rng(seed).poisson(30, 100_000).astype(np.int32)
                writer.write_table(pa.table({"y": y}))
        tracemalloc.start()
        assert read_source(path)[0].histogram.n == groups * 100_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_matrices_and_pipes_are_read_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y\n1\n")
    assert data_set._reopens(str(tmp_path / "a.csv"))
    assert not data_set._reopens(str(tmp_path / "a.mtx"))
    assert not data_set._reopens("-")
