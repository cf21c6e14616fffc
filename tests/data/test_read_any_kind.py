"""The law of reading: however a table is written, its histograms are the same."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distfit_counts.data.files import Column, read_source, read_sources
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.request import Request
from distfit_counts.errors import DataError

TABLE: dict[str, list[object]] = {
    "clinic": ["A", "B", "A", "C", "B", "A", "A", "B", "A"],
    "note": ['say "hi"', "a,b;c", "", "two\nlines", "tab\there", "x|y", "5 0", "z", "ü"],
    "y": [3, 0, 3, None, 7, 0, 3, None, 12],
    "w": [1, 2, 0, 4, 5, 6, 7, 8, 9],
}


def content(histogram: Histogram) -> tuple[dict[int, int], int]:
    pairs = zip(histogram.values.tolist(), histogram.weights.tolist(), strict=True)
    return dict(pairs), histogram.n_missing


def counted(columns: list[Column]) -> dict[tuple[object, ...], tuple[dict[int, int], int]]:
    return {(c.column, *c.group.values()): content(c.histogram) for c in columns}


def only(columns: list[Column]) -> tuple[dict[int, int], int]:
    assert len(columns) == 1
    return content(columns[0].histogram)


def stdin(data: str | bytes) -> io.BytesIO:
    return io.BytesIO(data.encode() if isinstance(data, str) else data)


def test_every_kind_gives_the_same_histogram(written: Callable[..., Path]) -> None:
    path = str(written(TABLE))
    found = read_source(path, ["y"])
    assert counted(found) == {("y",): ({0: 2, 3: 3, 7: 1, 12: 1}, 2)}
    assert found[0].source == path
    assert found[0].histogram.values.dtype == found[0].histogram.weights.dtype == "int64"


@pytest.mark.parametrize("block_size", [7, 40, 1 << 24])
def test_every_kind_gives_the_same_weighted_groups(written: Callable[..., Path], block_size: int) -> None:
    found = read_source(str(written(TABLE)), ["y"], ["clinic"], "w", block_size=block_size)
    assert counted(found) == {
        ("y", "A"): ({0: 6, 3: 8, 12: 9}, 0),
        ("y", "B"): ({0: 2, 7: 5}, 8),
        ("y", "C"): ({}, 4),
    }
    assert [column.group for column in found] == [{"clinic": "A"}, {"clinic": "B"}, {"clinic": "C"}]


def test_every_kind_comes_through_stdin(written: Callable[..., Path]) -> None:
    data = written(TABLE).read_bytes()
    found = read_source("-", ["y"], stdin=stdin(data))
    assert only(found) == ({0: 2, 3: 3, 7: 1, 12: 1}, 2)
    assert found[0].source == "-"


def test_weights_leave_out_zero_and_count_missing(written: Callable[..., Path]) -> None:
    assert only(read_source(str(written(TABLE)), ["y"], weights="w")) == ({0: 8, 3: 8, 7: 5, 12: 9}, 12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 9), st.integers(0, 2**53)), min_size=1),
    block_size=st.integers(1, 60),
)
def test_any_counts_come_back(written: Callable[..., Path], values: list[object], block_size: int) -> None:
    path = str(written({"y": values, "text": ["a"] * len(values)}))
    counts = Counter(value for value in values if value is not None)
    if not counts:
        with pytest.raises(DataError, match="only missing values"):
            read_source(path, ["y"], block_size=block_size)
        return
    expected = dict(sorted(counts.items())), values.count(None)
    assert only(read_source(path, ["y"], block_size=block_size)) == expected


@given(
    rows=st.lists(st.tuples(st.text('ab", \n;', max_size=6), st.integers(0, 5)), min_size=2, max_size=30),
    block_size=st.integers(1, 50),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_block_borders_anywhere_in_quoted_text(tmp_path: Path, rows: list[tuple[str, int]], block_size: int) -> None:
    path = tmp_path / "q.csv"
    quoted = ['"' + text.replace('"', '""') + f'",{y}\n' for text, y in rows]
    path.write_text("".join(["text,y\n", *quoted]))
    assert only(read_source(str(path), ["y"], block_size=block_size))[0] == dict(Counter(y for _, y in rows))


def test_a_stray_quote_is_only_a_character(text_file: Callable[..., str]) -> None:
    rows = ['5" pipe,1\n', '"6"" pipe, ""long""",2\n', 'a "b,3\n', '"two\nlines",4\n', 'inch",5\n']
    path = text_file("".join(["text,y\n", *(rows * 20)]))
    for block_size in (5, 13, 100, 1 << 24):
        assert only(read_source(path, ["y"], block_size=block_size)) == (dict.fromkeys(range(1, 6), 20), 0)


@pytest.mark.parametrize("block_size", [1 << 14, 1 << 24])
def test_large_text_with_newlines_in_quotes(tmp_path: Path, block_size: int) -> None:
    n = 40_000
    path = tmp_path / "large.csv"
    path.write_text("id,text,y\n" + "".join(f'{i},"{"x" * (i % 50)}\n{"y" * (i % 70)}",{i % 11}\n' for i in range(n)))
    assert path.stat().st_size > 1 << 21
    found, missing = only(read_source(str(path), ["y"], block_size=block_size))
    assert found == dict(Counter(i % 11 for i in range(n)))
    assert missing == 0


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("3\n1\n3\n", "value", ({1: 1, 3: 2}, 0)),
        ("3\n1\n3", "value", ({1: 1, 3: 2}, 0)),
        ("\n3\n\n1\n\n\n", "value", ({1: 1, 3: 1}, 1)),  # a blank line between others is a missing value
        ("y\n3\n\n1\n\n\n", "y", ({1: 1, 3: 1}, 1)),
        ("y\r\n3\r\n\r\n1\r\n\r\n", "y", ({1: 1, 3: 1}, 1)),
        ('"y"\n"3"\n""\n', "y", ({3: 1}, 1)),
        ("NA\n3\n", "value", ({3: 1}, 1)),
        ("3", "value", ({3: 1}, 0)),
        ("number of visits\n3\n4\n", "number of visits", ({3: 1, 4: 1}, 0)),
        ("  3\n 12\n", "value", ({3: 1, 12: 1}, 0)),
        ("visits, 2020\n3\n4\n", "visits, 2020", ({3: 1, 4: 1}, 0)),
    ],
)
@pytest.mark.parametrize("block_size", [1, 4, 1 << 20])
def test_one_column_of_bare_numbers(
    text_file: Callable[..., str], text: str, column: str, expected: object, block_size: int
) -> None:
    for found in (read_source(text_file(text)), read_source("-", stdin=stdin(text), block_size=block_size)):
        assert only(found) == expected
        assert found[0].column == column


def test_several_columns_without_a_header(text_file: Callable[..., str]) -> None:
    path = text_file("1,2\n3,4\n")
    assert counted(read_source(path, ["column2"])) == {("column2",): ({2: 1, 4: 1}, 0)}
    # A first row of numbers is never a header, not even where it holds the name asked for: a value would be lost.
    with pytest.raises(DataError, match=r"the first row holds only numbers \(1, 2\)") as caught:
        read_source(path, ["2"])
    assert "--column column2" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text", ["3.0", "1e3", " 7 ", "+5", "0", "00012", ".5e1", "9007199254740992", "9007199254740992.0"]
)
@pytest.mark.parametrize("other", ["1", "NA", "2.0", " 4", '"6"'])
def test_whole_numbers_however_they_are_written(text_file: Callable[..., str], text: str, other: str) -> None:
    path = text_file(f"y,z\n{text},a\n{other},b\n")
    found, missing = only(read_source(path, ["y"]))
    expected = Counter([int(float(text)), *([] if other == "NA" else [int(float(other.strip('"')))])])
    assert (found, missing) == (dict(expected), int(other == "NA"))


@pytest.mark.parametrize("token", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", '""', '"NA"', "  "])
@pytest.mark.parametrize("other", ["3", "3.0", "+3"])
def test_missing_tokens(text_file: Callable[..., str], token: str, other: str) -> None:
    assert only(read_source(text_file(f"a,y\n1,{other}\n2,{token}\n"), ["y"])) == ({3: 1}, 1)


@pytest.mark.parametrize(
    "array",
    [
        *(pa.array([3, None, 3, 0], kind()) for kind in (pa.int8, pa.int16, pa.int32, pa.int64)),
        *(pa.array([3, None, 3, 0], kind()) for kind in (pa.uint8, pa.uint16, pa.uint32, pa.uint64)),
        pa.array([3, None, 3, 0], pa.float32()),
        pa.array([3, float("nan"), 3, 0], pa.float64()),
        pa.array([3, None, 3, 0], pa.float64()),
        pa.array([3, None, 3, 0]).cast(pa.decimal128(24, 2)),
        pa.array(["3", "NA", "3.0", " 0"]),
        pa.array(["3", None, "3", "0"], pa.large_string()),
        pa.array(["3", None, "3", "0"]).dictionary_encode(),
        pa.array([3, None, 3, 0], pa.int16()).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_every_type_that_can_hold_counts(tmp_path: Path, array: pa.Array) -> None:
    path = tmp_path / "typed.arrow"
    table = pa.table({"y": array})
    with pa.ipc.new_file(str(path), table.schema) as out:
        out.write_table(table)
    assert only(read_source(str(path))) == ({0: 1, 3: 2}, 1)


def test_parts_merged_are_the_whole(text_file: Callable[..., str], tmp_path: Path) -> None:
    values = [i * i % 13 for i in range(60)]
    parts = [values[0:20], values[20:25], values[25:60]]
    for i, part in enumerate(parts):
        text_file("y\n" + "".join(f"{v}\n" for v in part), f"parts/deep/part-{i}.csv")
    (tmp_path / "parts" / "_SUCCESS").touch()
    (tmp_path / "parts" / "deep" / "part-9.csv").touch()  # an empty part says nothing
    (tmp_path / "parts" / "README.md").write_text("no data")
    whole = dict(sorted(Counter(values).items())), 0
    paths = [str(tmp_path / "parts" / "deep" / f"part-{i}.csv") for i in range(3)]
    pattern = str(tmp_path / "parts" / "deep" / "part-*.csv")
    assert only(read_source(str(tmp_path / "parts"))) == whole
    assert only(read_source(pattern)) == whole
    assert read_source(pattern)[0].source == pattern
    together = read_sources(paths, together=True)
    assert only(together) == whole
    assert together[0].source == ", ".join(paths)
    apart = read_sources(paths)
    assert [column.source for column in apart] == paths
    assert content(Histogram.merge(column.histogram for column in apart)) == whole


def test_together_across_kinds_names_groups_alike(text_file: Callable[..., str], tmp_path: Path) -> None:
    first = text_file("year,y\n2020,1\n2021,2\n,3\n", "a.csv")
    second = str(tmp_path / "b.parquet")
    pq.write_table(pa.table({"y": [5, 6], "year": [2020, None]}), second)
    third = text_file('{"year": 2021, "y": 7}\n{"y": 8}\n', "c.jsonl")
    found = read_sources([first, second, third], Request(["y"], ["year"]), together=True)
    assert counted(found) == {
        ("y", 2020): ({1: 1, 5: 1}, 0),
        ("y", 2021): ({2: 1, 7: 1}, 0),
        ("y", None): ({3: 1, 6: 1, 8: 1}, 0),
    }


def test_group_labels_are_plain_scalars(tmp_path: Path, text_file: Callable[..., str]) -> None:
    labels = {
        "text": (pa.array(["a", None]).dictionary_encode(), {"a", None}),
        "flag": (pa.array([True, False]), {True, False}),
        "float": (pa.array([0.5, float("nan")]), {0.5, None}),
        "date": (pa.array([0, None], pa.date32()), {"1970-01-01", None}),
    }
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"y": [1, 2], **{name: array for name, (array, _) in labels.items()}}), path)
    for name, (_, expected) in labels.items():
        found = read_source(str(path), ["y"], [name])
        assert {column.group[name] for column in found} == expected
    padded = text_file("id,y\n007,1\n12,2\n")
    assert [column.group["id"] for column in read_source(padded, ["y"], ["id"])] == ["007", "12"]


def test_two_labels_and_two_columns(text_file: Callable[..., str]) -> None:
    path = text_file("a,b,y1,y2\n1,x,3,4\n1,x,3,\n2,x,0,1\n")
    found = read_source(path, ["y*"], ["b", "a"])
    assert counted(found) == {
        ("y1", "x", 1): ({3: 2}, 0),
        ("y1", "x", 2): ({0: 1}, 0),
        ("y2", "x", 1): ({4: 1}, 1),
        ("y2", "x", 2): ({1: 1}, 0),
    }
    assert found[0].group == {"b": "x", "a": 1}


def test_columns_by_name_and_glob_in_the_order_of_the_file(text_file: Callable[..., str]) -> None:
    path = text_file("b1,a,y[1],y1\n1,2,3,4\n")
    assert [column.column for column in read_source(path, ["y*", "b?"])] == ["b1", "y[1]", "y1"]
    assert [column.column for column in read_source(path, ["y[1]"])] == ["y[1]"]  # an exact name wins over a glob


@pytest.mark.parametrize(
    ("table", "options", "expected"),
    [
        ({"name": ["a", "b"], "y": [1, 2]}, {}, "y"),
        ({"x": [0.5, 1], "y": [1.0, 2.0]}, {}, "y"),
        ({"w": [1, 2], "g": [3, 4], "y": [1, 2]}, {"by": ["g"], "weights": "w"}, "y"),
        ({"none": [None, None], "y": [1, None]}, {}, "y"),
        ({"": [0, 1], "y": [1, 2], "name": ["a", "b"]}, {}, "y"),  # the row number that pandas writes
    ],
)
def test_the_only_candidate_is_chosen(
    written: Callable[..., Path], table: dict[str, list[object]], options: dict[str, object], expected: str
) -> None:
    assert {column.column for column in read_source(str(written(table)), **options)} == {expected}  # type: ignore[arg-type]


def test_large_values_and_large_weights(text_file: Callable[..., str]) -> None:
    big = 2**52 + 1
    path = text_file(f"y,w\n{2**53},1\n{2**20},2\n{2**20 - 1},{big}\n{2**20 - 1},{2}\n{2**53},3\n")
    assert only(read_source(path, ["y"], weights="w"))[0] == {2**20 - 1: big + 2, 2**20: 2, 2**53: 4}


def test_many_groups_and_many_distinct_values(tmp_path: Path) -> None:
    n = 300_000
    path = tmp_path / "many.parquet"
    pq.write_table(pa.table({"g": [i % 100_000 for i in range(n)], "y": [i * 7 for i in range(n)]}), path)
    found = read_source(str(path), ["y"], ["g"])
    assert len(found) == 100_000
    assert content(found[5].histogram) == ({35: 1, 700_035: 1, 1_400_035: 1}, 0)
    assert read_source(str(path), ["y"])[0].histogram.distinct == n


def test_progress_tells_bytes_of_all_files(written: Callable[..., Path]) -> None:
    path = written(TABLE)
    seen: list[tuple[int, int | None]] = []
    read_sources([str(path), str(path)], Request(["y"]), progress=lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert seen[-1:] == [(2 * size, 2 * size)]
    assert seen == sorted(seen)
    read_source("-", ["y"], stdin=stdin(path.read_bytes()), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1:] == [(size, None)]


def test_wide_header_longer_than_the_sample(text_file: Callable[..., str]) -> None:
    names = [f"column_with_a_long_name_{i}" for i in range(20_000)]
    path = text_file(",".join(names) + "\n" + ",".join("3" for _ in names) + "\n")
    assert only(read_source(path, [names[-1]])) == ({3: 1}, 0)


def test_json_lines_of_mixed_types(text_file: Callable[..., str]) -> None:
    lines = ['{"y": 3}', '{"y": "4"}', "", '{"y": 5.0, "x": [1]}', '{"y": null, "x": "a"}', "{}", '{"y": "NA"}']
    path = text_file("\n".join(lines), "a.jsonl")
    for block_size in (10, 1 << 24):
        assert only(read_source(path, ["y"], block_size=block_size)) == ({3: 1, 4: 1, 5: 1}, 3)


def test_long_json_line(text_file: Callable[..., str]) -> None:
    path = text_file("".join(json.dumps({"t": "x" * 3_000_000, "y": i}) + "\n" for i in range(2)), "a.jsonl")
    assert only(read_source(path, ["y"])) == ({0: 1, 1: 1}, 0)


def test_long_csv_row(text_file: Callable[..., str]) -> None:
    path = text_file("t,y\n" + "".join(f"{'x' * 3_000_000},{i}\n" for i in range(2)))
    assert only(read_source(path, ["y"])) == ({0: 1, 1: 1}, 0)


def test_what_polars_writes(tmp_path: Path) -> None:
    frame = pl.DataFrame({"y": [3, None, 3], "g": ["a", "b", "a"]})
    frame = frame.with_columns(pl.col("g").cast(pl.Categorical).alias("c"), pl.col("y").cast(pl.String).alias("s"))
    frame.write_ipc(tmp_path / "p.arrow", compat_level=pl.CompatLevel.newest())
    frame.write_parquet(tmp_path / "p.parquet")
    for name in ("p.arrow", "p.parquet"):
        for column, label in (("y", "g"), ("s", "c")):
            found = read_source(str(tmp_path / name), [column], [label])
            assert counted(found) == {(column, "a"): ({3: 2}, 0), (column, "b"): ({}, 1)}


def test_compressed_parquet_on_stdin() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"y": [1, 1, 2]}), sink)
    assert only(read_source("-", stdin=stdin(gzip.compress(sink.getvalue())))) == ({1: 2, 2: 1}, 0)


def test_pandas_is_not_imported(written: Callable[..., Path]) -> None:
    path = written({"y": [3, None, 3], "f": [1.0, None, 2.0], "g": [1, 2, 3]})
    if path.name not in ("a.csv", "a.csv.gz", "a.parquet", "a.jsonl", "a.arrow"):
        pytest.skip("the same readers")
    code = (
        "import sys; from distfit_counts.data.files import read_source;"
        f"read_source({str(path)!r}, ['y', 'f'], weights='g'); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_name_is_no_column(tmp_path: Path) -> None:
    """Hive's layout: the remedy, and no word of delimiters."""
    (tmp_path / "year=2024").mkdir()
    pq.write_table(pa.table({"y": [1, 2]}), tmp_path / "year=2024" / "a.parquet")
    with pytest.raises(DataError, match='no column "year"') as caught:
        read_source(str(tmp_path), ["y"], ["year"])
    assert "hive_partitioning = true" in caught.value.hint
    assert "separates" not in caught.value.hint
