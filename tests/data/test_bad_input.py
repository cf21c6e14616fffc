"""Whatever is wrong with the input: one DataError that names file, row and value, and says what to do."""

from __future__ import annotations

import builtins
import contextlib
import gzip
import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distfit_counts.data import data_set
from distfit_counts.data.files import read_source, read_sources
from distfit_counts.errors import DataError

TextFile = Callable[..., str]


def refused(source: str, *args: object, **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_source(source, *args, **options)  # type: ignore[arg-type]
    assert caught.value.hint, "says what to do"
    return caught.value


COUNT_HINT = "counts must be whole numbers >= 0; filter or recode the row"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("-3", "-3 is negative"),
        ("-3.0", "-3.0 is negative"),
        ("2.5", "2.5 is not a whole number"),
        ("1e-3", "1e-3 is not a whole number"),
        ("three", "'three' is not a number"),
        (".", "'.' is not a number"),
        ("1 000", "'1 000' is not a number"),
        ("0x10", "'0x10' is not a number"),
        ("true", "'true' is not a number"),
        ("NAN", "NAN is not a finite number"),
        ("inf", "inf is not a finite number"),
        ("-Infinity", "-Infinity is not a finite number"),
        ("9007199254740993", "9007199254740993 is beyond 2**53"),
        ("9007199254740993.0", "9007199254740993.0 is beyond 2**53"),
        ("1e16", "1e16 is beyond 2**53"),
        ("99999999999999999999", "99999999999999999999 is beyond 2**53"),
        ("1e999999999", "1e999999999 is beyond 2**53"),
        ("x" * 99, "x" * 37 + "...' is not a number"),
    ],
)
@pytest.mark.parametrize("before", ["4", "4.0", " +4"])
@pytest.mark.parametrize("block_size", [1, 1 << 24])
def test_bad_value_in_text(text_file: TextFile, value: str, problem: str, before: str, block_size: int) -> None:
    path = text_file(f"y,name\n1,a\n{before},b\n{value},c\nbad,d\n")
    error = refused(path, ["y"], block_size=block_size)
    assert f'{path}, row 3 (line 4), column "y": ' in error.problem
    assert problem in error.problem
    if "beyond" not in problem:
        assert error.hint == COUNT_HINT


@pytest.mark.parametrize(
    ("array", "row", "problem"),
    [
        (pa.array([1, None, -3]), 3, "-3 is negative"),
        (pa.array([1, -1, -3], pa.int8()), 2, "-1 is negative"),
        (pa.array([1, 2**53 + 1]), 2, "9007199254740993 is beyond 2**53"),
        (pa.array([1, 2**64 - 1], pa.uint64()), 2, "18446744073709551615 is beyond 2**53"),
        (pa.array([1.0, 2.5]), 2, "2.5 is not a whole number"),
        (pa.array([1.0, None, float("inf")]), 3, "inf is not a finite number"),
        (pa.array([1.0, -2.0]), 2, "-2 is negative"),
        (pa.array([1.0, 1e300]), 2, "is beyond 2**53"),
        (pa.array([1.0, 2.5], pa.float32()), 2, "2.5 is not a whole number"),
        (pa.array([100, 250]).cast(pa.decimal128(24, 2)).cast(pa.decimal128(24, 2)), 0, ""),
        (pa.array(["1", "x"]), 2, "'x' is not a number"),
        (pa.array(["1", "x"]).dictionary_encode(), 2, "'x' is not a number"),
    ],
    ids=str,
)
def test_bad_value_in_parquet(tmp_path: Path, array: pa.Array, row: int, problem: str) -> None:
    path = str(tmp_path / "typed.parquet")
    pq.write_table(pa.table({"y": array, "other": array}), path, row_group_size=1)
    if not problem:
        read_source(path, ["y"])
        return
    error = refused(path, ["y"])
    assert f'{path}, row {row}, column "y": ' in error.problem
    assert problem in error.problem


def test_decimals_with_a_fraction_or_too_large(tmp_path: Path) -> None:
    import decimal

    for text, problem in (("2.50", "2.50 is not a whole number"), ("9" * 20, "beyond 2**53"), ("-1", "-1 is negative")):
        path = str(tmp_path / "d.parquet")
        array = pa.array([decimal.Decimal(1), decimal.Decimal(text)], pa.decimal128(30, 2))
        pq.write_table(pa.table({"y": array}), path)
        assert problem in refused(path).problem


@pytest.mark.parametrize(
    ("array", "type_text", "remedy"),
    [
        (pa.array([True, False]), "bool", "0 and 1"),
        (pa.array([0], pa.date32()), "dates, not", "date"),
        (pa.array([0], pa.timestamp("s")), "timestamp[s]", "date"),
        (pa.array([0], pa.duration("s")), "duration[s]", "time"),
        (pa.array([[1]]), "list<", "flatten"),
        (pa.array([{"a": 1}]), "struct<", "flatten"),
    ],
    ids=str,
)
def test_types_that_are_no_counts(tmp_path: Path, array: pa.Array, type_text: str, remedy: str) -> None:
    path = str(tmp_path / "typed.arrow")
    table = pa.table({"y": array})
    with pa.ipc.new_file(path, table.schema) as out:
        out.write_table(table)
    error = refused(path)
    assert f'{path}, column "y": holds {type_text}' in error.problem
    assert remedy in error.hint


def test_line_counts_newlines_in_quotes_and_blank_lines(text_file: TextFile) -> None:
    path = text_file('"a\nheader",y\n"two\nlines",1\n\n\nx,2\n"three\n\nlines",-1\n')
    for block_size in (1, 1 << 24):
        assert (
            f'{path}, row 3 (line 8), column "y": -1 is negative' in refused(path, ["y"], block_size=block_size).problem
        )


@pytest.mark.parametrize("block_size", [1, 9, 1 << 24])
def test_row_and_line_far_into_a_file(text_file: TextFile, block_size: int) -> None:
    path = text_file("y\n" + "1\n" * 1000 + "\n" + "-7\n" + "2\n" * 50)
    assert f'{path}, row 1002 (line 1003), column "y": -7 is neg' in refused(path, block_size=block_size).problem
    headless = text_file("1\n" * 1000 + "x\n", "bare.csv")
    assert "row 1001 (line 1001), column \"value\": 'x'" in refused(headless, block_size=block_size).problem


@pytest.mark.parametrize("block_size", [1, 12, 1 << 24])
@pytest.mark.parametrize(("row", "found"), [("1", "1 field,"), ("1,2,3", "3 fields,"), ("1,2,3,4,5", "5 fields,")])
def test_ragged_rows(text_file: TextFile, row: str, found: str, block_size: int) -> None:
    path = text_file(f"a,y\n1,2\n1,2\n{row}\n1,2\n")
    error = refused(path, ["y"], block_size=block_size)
    assert error.problem == f"{path}, row 3 (line 4): found {found} expected 2"
    assert "comma" in error.hint
    assert refused(path).problem == error.problem  # also where the columns are still to be judged


@pytest.mark.parametrize("block_size", [4, 1 << 24])
def test_quote_that_is_never_closed(text_file: TextFile, block_size: int) -> None:
    path = text_file('a,y\nx,1\n"open,2\nx,3\nx,4\n')
    error = refused(path, ["y"], block_size=block_size)
    assert f"{path}, row 2 (line 3): a quote is never closed" in error.problem
    first = text_file('a,y\n"open,2\nx,3\nx,4\n', "first.csv")
    assert f"{first}, row 1 (line 2): a quote is never closed" in refused(first, ["y"]).problem
    # In the last field the row is whole, and all others would be lost in it.
    last = text_file('y,a\n1,x\n2,"open\n3,x\n4,x\n', "last.csv")
    error = refused(last, ["y"], block_size=block_size)
    assert f"{last}, row 2 (line 3): a quote is never closed" in error.problem


@pytest.mark.parametrize("block_size", [4, 1 << 24])
def test_invalid_utf8(text_file: TextFile, block_size: int) -> None:
    path = text_file("clinic,y\nBern,1\nZürich,2\n".encode("latin-1"))
    error = refused(path, ["y"], ["clinic"], block_size=block_size)
    assert f"{path}, row 2 (line 3): byte 18 is not valid UTF-8 (0xfc)" in error.problem
    assert "iconv" in error.hint
    read_source(path, ["y"])  # a column that is not needed may hold anything


def test_utf16(text_file: TextFile) -> None:
    error = refused(text_file("y\n1\n".encode("utf-16")))
    assert "UTF-16" in error.problem
    assert "iconv" in error.hint


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        ("", "a.csv", "is empty (0 bytes)"),
        ("", "a.parquet", "is empty (0 bytes)"),
        (gzip.compress(b"", mtime=0), "a.csv.gz", "is empty (0 bytes)"),
        ("y\n", "a.csv", "has no data rows"),
        ("y", "a.csv", "has no data rows"),
        ("a,y\n\n\n", "a.csv", "has no data rows"),
    ],
)
def test_empty(text_file: TextFile, content: str | bytes, name: str, problem: str) -> None:
    path = text_file(content, name)
    error = refused(path, [] if name != "a.csv" or not content else ["y"])
    assert error.problem == f"{path} {problem}"


def test_no_rows_of_other_kinds(tmp_path: Path, text_file: TextFile) -> None:
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": pa.array([], pa.int64())}), path)
    assert "no data rows" in refused(path).problem
    assert "no data rows" in refused(text_file("\n", "a.jsonl")).problem
    assert "stdin is empty (0 bytes)" in refused("-", stdin=io.BytesIO()).problem
    assert refused("-", ["y"], stdin=io.BytesIO(b"y\n")).problem == "stdin has no data rows"


def test_only_missing_values(text_file: TextFile) -> None:
    path = text_file("a,y\n" + "1,NA\n" * 17)
    assert refused(path, ["y"]).problem == f'column "y" of {path} has only missing values (17 of 17 rows)'
    assert "only missing values" in refused(path, ["y"], ["a"]).problem
    zero = text_file("y,w\n3,0\n", "w.csv")
    assert "no value with a weight above 0" in refused(zero, ["y"], weights="w").problem


def test_no_such_column(text_file: TextFile) -> None:
    path = text_file("clinic,visits,age\nA,1,2\n")
    error = refused(path, ["visit"])
    assert error.problem == f'{path}: no column "visit"'
    assert error.hint == 'did you mean "visits"? columns: visits, clinic, age'
    assert 'no column "q*"' in refused(path, ["q*"]).problem
    assert 'no column "Clinics"' in refused(path, ["visits"], ["Clinics"]).problem
    assert 'no column "weight"' in refused(path, ["visits"], weights="weight").problem


def test_open_choice(text_file: TextFile) -> None:
    path = text_file("id,y,name\n1,2,a\n")
    error = refused(path)
    assert error.problem == f"{path}: 2 columns hold whole numbers: id, y"
    assert error.hint == "choose with --column NAME"
    error = refused(text_file("a,b\nx,0.5\n", "none.csv"))
    assert "no column holds whole numbers: a (string), b (double)" in error.problem
    assert "no column is left" in refused(text_file("y\n1\n", "one.csv"), [], ["y"]).problem
    assert "also to group" in refused(path, ["y"], ["y"]).problem


def test_duplicate_column_names(text_file: TextFile, tmp_path: Path) -> None:
    path = text_file("y,x,y\n1,2,3\n")
    error = refused(path, ["y"])
    assert error.problem == f'{path}: 2 columns are named "y" (columns 1, 3)'
    assert "rename" in error.hint
    assert read_source(path, ["x"])[0].histogram.values.tolist() == [2]
    both = pa.table([pa.array([1]), pa.array([2]), pa.array([0.5])], names=["y", "y", "f"])
    pq.write_table(both, tmp_path / "d.parquet")
    assert '2 columns are named "y"' in refused(str(tmp_path / "d.parquet"), ["y"]).problem
    assert "columns hold whole numbers" in refused(str(tmp_path / "d.parquet")).problem


@pytest.mark.parametrize("text", ["id^y\n1^2\n3^4\n", "id:y\n1:2\n"])
def test_unknown_delimiter(text_file: TextFile, text: str) -> None:
    path = text_file(text)
    for error in (refused(path, ["y"]), refused(path)):
        assert "known are comma, tab, semicolon, | and one space" in error.hint


@pytest.mark.parametrize(
    ("values", "problem"),
    [("1,x,1", "'x' is not a number"), ("1,,1", "a missing weight"), ("1,-1,1", "-1 is negative")],
)
def test_bad_weights(text_file: TextFile, values: str, problem: str) -> None:
    path = text_file("y,w\n" + "".join(f"5,{w}\n" for w in values.split(",")))
    assert refused(path, ["y"], weights="w").problem == f'{path}, row 2 (line 3), column "w": {problem}'


def test_weights_that_add_up_to_too_much(text_file: TextFile) -> None:
    assert "2**53" in refused(text_file(f"y,w\n1,{2**53}\n2,{2**53}\n"), ["y"], weights="w").problem


def test_no_such_file(tmp_path: Path, text_file: TextFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = text_file("y\n1\n", "counts.csv")
    error = refused(str(tmp_path / "count.csv"))
    assert error.problem.endswith("count.csv: no such file")
    assert error.hint == f"did you mean {path}?"
    assert "no directory" in refused(str(tmp_path / "nowhere" / "a.csv")).hint
    monkeypatch.chdir(tmp_path)
    assert refused("conts.csv").hint == "did you mean counts.csv?"
    assert "looked in" in refused("zzzzzz").hint
    assert "looked in" in refused("wide.csv").hint, "that both end in .csv says nothing"
    assert refused("counts.cvs").hint == "did you mean counts.csv?"
    assert refused("counts.parquet").hint == "did you mean counts.csv?"
    assert "looked in" in refused("counting.parquet").hint, "of another ending, only what is nearly the same"
    assert "no file matches" in refused("*.parquet").problem
    assert "not a file name" in refused("a\0b").problem
    with pytest.raises(DataError, match="no such file"):
        read_sources(["counts.csv", "conts.csv"])


def test_directory_without_data(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("hello")
    error = refused(str(tmp_path))
    assert "no data files" in error.problem
    assert ".parquet" in error.hint


def test_no_permission(text_file: TextFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = text_file("y\n1\n")

    def refuse(*args: object, **options: object) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(builtins, "open", refuse)
    assert refused(path).problem == f"{path}: permission denied"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"PK\x03\x04", "Excel"), (b"\xd0\xcf\x11\xe0", "Excel"), (b"SQLite format 3\x00", "SQLite"),
        (b"\xfd7zXZ\x00", "xz"), (b"abc\x00\x01", "binary file of unknown kind"), (b"ORC", "ORC"),
    ],
)  # fmt: skip
def test_unknown_kind(text_file: TextFile, head: bytes, what: str) -> None:
    for name in ("a.xlsx", "a.csv", "a"):
        error = refused(text_file(head + b"\x01\x02" * 30, name))
        assert what in error.problem


def test_named_parquet_but_none(text_file: TextFile) -> None:
    assert "not a Parquet file" in refused(text_file("y\n1\n", "a.parquet")).problem
    assert "not an Arrow file" in refused(text_file("y\n1\n", "a.feather")).problem


def test_json_that_is_no_json_lines(text_file: TextFile) -> None:
    assert "JSON array" in refused(text_file('[{"y": 1}]', "a.json")).problem
    for bad, problem in (("{", "not valid JSON"), ("[1]", "not a JSON object"), ("x", "not valid JSON")):
        path = text_file('{"y": 1}\n\n' + bad + '\n{"y": 2}\n', "a.jsonl")
        for block_size in (1, 1 << 24):
            error = refused(path, ["y"], block_size=block_size)
            assert f"{path}, row 2 (line 3): {bad!r}" in error.problem
            assert problem in error.problem


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("-1", "-1 is negative"),
        ('"x"', "'x' is not a number"),
        ("2.5", "2.5 is not a whole number"),
        ("true", "'true' is not a number"),
        ("[1]", "'[1]' is not a number"),
        ("1e16", "beyond 2**53"),
    ],
)
@pytest.mark.parametrize("block_size", [1, 1 << 24])
def test_bad_value_in_json(text_file: TextFile, value: str, problem: str, block_size: int) -> None:
    path = text_file('{"y": 1}\n\n{"y": ' + value + '}\n{"y": 2}\n', "a.jsonl")
    error = refused(path, ["y"], block_size=block_size)
    assert f'{path}, row 2 (line 3), column "y": ' in error.problem
    assert problem in error.problem


@pytest.mark.parametrize("seed", range(4))
def test_damage_is_a_data_error_or_harmless(written: Callable[..., Path], seed: int) -> None:
    """Cut short, or bytes changed: a DataError or an answer, never another exception."""
    rng = random.Random(seed)
    path = written({"clinic": ["A", "B"] * 50, "y": list(range(100))})
    whole = path.read_bytes()
    for _ in range(8):
        data = bytearray(whole[: rng.randrange(1, len(whole))] if rng.random() < 0.5 else whole)
        for _ in range(rng.randrange(0, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        with contextlib.suppress(DataError):
            read_source(str(path), ["y"], ["clinic"])


def test_truncated_files_are_refused(written: Callable[..., Path]) -> None:
    path = written({"y": list(range(1000))})
    if not any(kind in path.name for kind in (".gz", ".zst", ".bz2", "parquet", "arrow", "feather", "ipc", "gzip")):
        pytest.skip("plain text may end anywhere")
    path.write_bytes(path.read_bytes()[:-40])
    error = refused(str(path))
    assert str(path) in error.problem


def test_read_errors_of_the_disk(text_file: TextFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = text_file("y\n1\n")

    def broken(*args: object) -> object:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(data_set, "open_reader", broken)
    assert "Input/output error" in refused(path).problem


@pytest.mark.parametrize(
    ("row", "fields"), [(",", "comma, the row has 2 fields"), ("2;3;4", "semicolon, the row has 3 fields")]
)
def test_several_fields_in_a_file_of_one_column(text_file: TextFile, row: str, fields: str) -> None:
    error = refused(text_file(f"y\n1\n{row}\n2\n"))
    assert error.problem.endswith(f'row 2 (line 3), column "y": {row!r} is not a number')
    assert error.hint == f"divided at its {fields}, the first row one: every row needs as many"
