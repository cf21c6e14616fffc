"""Text that could be read as something else without a word: the right counts, or a refusal that says what to do."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from distfit_counts import fit
from distfit_counts.cli import app
from distfit_counts.data.files import read_source
from distfit_counts.errors import DataError

TextFile = Callable[..., str]
HERE = Path(__file__).parent / "reading"
BLOCKS = [1, 7, 1 << 22]


def counts(source: str, *arguments: object, **options: object) -> dict[int, int]:
    (column,) = read_source(source, *arguments, **options)  # type: ignore[arg-type]
    return dict(zip(column.histogram.values.tolist(), column.histogram.weights.tolist(), strict=True))


def refused(source: str, *arguments: object, **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_source(source, *arguments, **options)  # type: ignore[arg-type]
    assert caught.value.hint, "says what to do"
    return caught.value


@pytest.mark.parametrize("block_size", BLOCKS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("after_header", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_different_ways(text_file: TextFile, end: str, after_header: str, block_size: int) -> None:
    path = text_file(f"a,y{after_header}x,1{end}x,2{end}x,3\r\nx,4{end}")
    assert counts(path, ["y"], block_size=block_size) == {1: 1, 2: 1, 3: 1, 4: 1}
    path = text_file(f"y{after_header}1{end}2{end}3\n4{end}", "single.csv")
    assert counts(path, block_size=block_size) == {1: 1, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize("block_size", BLOCKS)
def test_a_return_in_the_header_is_a_line_end(text_file: TextFile, block_size: int) -> None:
    path = text_file(b"a\rb,y\n1,2\n3,4\n")
    assert 'no column "y"' in refused(path, ["y"], block_size=block_size).problem
    path = text_file(b'"a\rb",y\n1,2\n3,4\n', "quoted.csv")
    assert counts(path, ["y"], block_size=block_size) == {2: 1, 4: 1}


def test_a_return_counts_as_a_line_in_messages(text_file: TextFile) -> None:
    path = text_file(b'a,y\rx,1\r\n"two\rlines",2\nx,-3\n')
    assert "row 3 (line 5), column" in refused(path, ["y"]).problem


def test_a_quoted_return_in_a_long_file(text_file: TextFile) -> None:
    """Where pyarrow would cut the block for its threads."""
    rows = b"x,1\n" * 150_000
    path = text_file(b"a,y\n" + rows + b'"x\ry",2\n' * 10 + rows)
    assert counts(path, ["y"]) == {1: 300_000, 2: 10}
    groups = read_source(text_file(b"a,y\n" + b'"x\ry",2\n' * 90_000, "all.csv"), ["y"], ["a"])
    assert [(column.group, column.histogram.n) for column in groups] == [({"a": "x\ry"}, 90_000)]


@pytest.mark.parametrize("extension", ["csv", "txt", "tsv"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_decimal_commas_are_no_delimiters(text_file: TextFile, delimiter: str, extension: str) -> None:
    rows = [["Preis, EUR", "n"], ["1,50", "2"], ["2,75", "3"], ["3,10", "4"]]
    path = text_file("".join(delimiter.join(row) + "\n" for row in rows), f"prices.{extension}")
    assert counts(path, ["n"]) == {2: 1, 3: 1, 4: 1}
    assert counts(path) == {2: 1, 3: 1, 4: 1}


def test_a_comma_between_other_fields_still_divides(text_file: TextFile) -> None:
    path = text_file("what; where,n\nbus; north,3\ntram; south,4\n")
    assert counts(path, ["n"]) == {3: 1, 4: 1}


@pytest.mark.parametrize("block_size", BLOCKS)
@pytest.mark.parametrize("form", ["y\n{}\n", "y\n2.0\n{}\n", "a,y\nx,2.0\nx,{}\n", '{{"y": 2.0}}\n{{"y": {}}}\n'])
@pytest.mark.parametrize(
    "value", ["4.99999999999999999999999", "1e-330", "0." + "0" * 400 + "1", "2.00000000000000001", "1E-400"]
)
def test_what_float64_rounds_to_a_whole_number_is_none(
    text_file: TextFile, value: str, form: str, block_size: int
) -> None:
    path = text_file(form.format(value), "a.jsonl" if "{{" in form else "a.csv")
    assert "is not a whole number" in refused(path, ["y"], block_size=block_size).problem


def test_long_numbers_that_are_whole(text_file: TextFile) -> None:
    values = ["3." + "0" * 40, "9007199254740991.0", "50e-1", "0.0e-400", "0" * 30 + "7"]
    expected = {3: 1, 2**53 - 1: 1, 5: 1, 0: 1, 7: 1}
    assert counts(text_file("y\n1.0\n" + "\n".join(values) + "\n")) == expected | {1: 1}
    lines = [f'{{"y": {value}}}\n' for value in values[:4]]
    assert counts(text_file("".join(lines), "a.jsonl")) == {key: 1 for key in expected if key != 7}


@pytest.mark.parametrize("depth", [101, 1_000, 20_000])
@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize(("begin", "end"), ["[]", ('{"a":', "}")])
def test_deep_json_is_refused(text_file: TextFile, begin: str, end: str, needed: bool, depth: int) -> None:
    nested = begin * depth + "1" + end * depth
    path = text_file('{"y": 1}\n' + f'{{"{"y" if needed else "z"}": {nested}}}\n', "a.jsonl")
    error = refused(path, ["y"])
    assert "row 2 (line 2): " in error.problem
    assert "nested more than 100 deep" in error.problem


def test_json_that_is_wide_but_not_deep(text_file: TextFile) -> None:
    rows = [{"y": 1, "z": [{}] * 500}, {"y": 2, "z": "[" * 500}, {"y": 3, "z": json.loads("[" * 98 + "]" * 98)}]
    path = text_file("".join(json.dumps(row) + "\n" for row in rows), "a.jsonl")
    assert counts(path, ["y"]) == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("line", ['{"y": 2, "g": "\\ud800"}', '{"y": "\\uDFFF"}', '{"\\ud800x": 1}', '{"y":"\\ud83d"}'])
@pytest.mark.parametrize("by", [[], ["g"]])
def test_half_a_character_in_json(text_file: TextFile, line: str, by: list[str]) -> None:
    path = text_file('{"y": 1, "g": "a"}\n' + line + "\n", "a.jsonl")
    assert "row 2 (line 2): " in (error := refused(path, ["y"], by)).problem
    assert "half a character" in error.problem
    whole = text_file('{"y": 1, "g": "\\ud83d\\ude00"}\n', "whole.jsonl")
    assert counts(whole, ["y"], by) == {1: 1}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("null", "is not a JSON object"),
        ('{"y": 1} null', "is not valid JSON"),
        ('{"y": 1} {"y": 2}', "is not valid JSON"),
        ('{"y": 1\n}', "is not valid JSON"),
        ('{"y": 1, "y": 2}', 'holds the key "y" twice'),
        ('{"g": "\\"", "y": 1, "y": 2}', 'holds the key "y" twice'),
    ],
)
@pytest.mark.parametrize("block_size", BLOCKS)
def test_lines_that_are_not_one_object(text_file: TextFile, line: str, problem: str, block_size: int) -> None:
    path = text_file('{"y": 1}\n' * 3 + line + "\n", "a.jsonl")
    assert problem in (error := refused(path, ["y"], block_size=block_size)).problem
    assert "row 4 (line 4): " in error.problem


def test_a_first_line_of_json_that_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"y": 1}\n')
    with (tmp_path / "b.jsonl").open("wb") as file:
        file.write(b'{"z": "' + b"x" * (1 << 26) + b'", "y": 2}\n{"y": 3}\n')
    for source in (tmp_path, tmp_path / "b.jsonl"):
        error = refused(str(source), ["y"])
        assert error.problem == f"{tmp_path / 'b.jsonl'}: the first line has more than 64 MiB"


def test_a_header_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"y," + b"x" * (1 << 26) + b"\n1,2\n")
    assert refused(str(path), ["y"]).problem == f"{path}: the first row has more than 64 MiB"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_many_blank_lines_take_linear_time(tmp_path: Path, end: str) -> None:
    """2**24 bytes of them: quadratic time would be a minute."""
    blank = end.encode() * ((1 << 24) // len(end))
    path = tmp_path / "a.csv.gz"
    begun = time.process_time()
    for before, after, expected in ((b"a,y\nx,1\n", b"x,2\n", {1: 1, 2: 1}), (b"a,y\nx,1\n", b"", {1: 1})):
        path.write_bytes(gzip.compress(before + blank + after, 1))
        assert counts(str(path), ["y"]) == expected
    path.write_bytes(gzip.compress(blank + b"a,y\nx,1\nx,2\n", 1))
    assert counts(str(path), ["y"]) == {1: 1, 2: 1}
    assert time.process_time() - begun < 15


def test_a_million_blank_lines_before_the_header(text_file: TextFile) -> None:
    blank = "\n" * 1_000_000
    assert counts(text_file(blank + "y\n1\n2\n")) == {1: 1, 2: 1}
    assert "row 2 (line 1000003), column" in refused(text_file(blank + "a,y\nx,1\nx,-2\n", "b.csv"), ["y"]).problem
    assert "row 2 (line 1000002), column" in refused(text_file(blank + '{"y":1}\n{"y":-1}\n', "a.jsonl")).problem
    (column,) = read_source(text_file("y\n1\n" + blank + "2\n", "c.csv"))
    assert (column.histogram.n, column.histogram.n_missing) == (2, 1_000_000)
    assert "has no data rows" in refused(text_file(blank, "d.csv")).problem


@pytest.mark.parametrize("block_size", [100, 1 << 22])
def test_a_quote_that_closes_thousands_of_rows_later(text_file: TextFile, block_size: int) -> None:
    rows = "x,3\n" * 4_000
    path = text_file(f'a,y\nx,1\n"x,2\n{rows}x",4\nx,5\n')
    error = refused(path, ["y"], block_size=block_size)
    assert error.problem == f"{path}, row 2 (line 3): a field in quotes spans 4,002 lines"
    header = text_file(f'"a,y\n{rows}x",y\nx,5\n', "header.csv")
    assert "a name in the header spans 4,002 lines" in refused(header, ["y"], block_size=block_size).problem


@pytest.mark.parametrize("block_size", BLOCKS)
def test_a_long_cell_of_prose_is_a_cell(text_file: TextFile, block_size: int) -> None:
    note = "It rained, so we took the bus, the old one.\n" * 300
    assert counts(text_file(f'y,note\n1,"{note}"\n2,"{note}"\n'), ["y"], block_size=block_size) == {1: 1, 2: 1}


@pytest.mark.parametrize("block_size", BLOCKS)
def test_text_after_a_closing_quote(text_file: TextFile, block_size: int) -> None:
    """A quote is missing, and two rows would be one."""
    path = text_file('a,y\n"w",1\n"x,2\n"y",3\n"z",4\n')
    error = refused(path, ["y"], block_size=block_size)
    assert error.problem == f"{path}, row 2 (line 3): text follows the closing quote of a field"
    blank = text_file('a,y\n"w" ,1\n"x" ,2\n', "blank.csv")
    assert counts(blank, ["y"], block_size=block_size) == {1: 1, 2: 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a;n\nx;1.000\ny;15.000\nz;3\n", "1.000"),
        ("a;n\nx;3\ny;15.000\n", "15.000"),
        ('a,n\n"3,5",1.000\n"4,5",15.000\n', "1.000"),
        ("a\tn\n3,5\t1.000\n4,5\t2\n", "1.000"),
    ],
)
def test_dots_where_commas_are_decimal(text_file: TextFile, text: str, value: str) -> None:
    error = refused(text_file(text), ["n"])
    assert f"{value} may be {value.partition('.')[0]} or {value.replace('.', '')}" in error.problem
    assert value.replace(".", "") in str(error.hint)


@pytest.mark.parametrize(
    "text", ["a,n\nx,1.000\ny,15.000\n", "a;n\nx;1.0\ny;15.00\n", 'a,n\n"1,234",1.000\nx,15.000\n']
)
def test_decimal_places_that_can_only_be_such(text_file: TextFile, text: str) -> None:
    assert counts(text_file(text), ["n"]) == {1: 1, 15: 1}


@pytest.mark.parametrize("text", ["1\n7\n0\n", "1,5\n7,2\n0,3\n", "5;1\n2;7\n3;0\n"])
def test_a_first_row_of_numbers_is_no_header(text_file: TextFile, text: str) -> None:
    path = text_file(text)
    error = refused(path, ["1"])
    assert "the first row holds only numbers" in error.problem
    place = str(error.hint).split("--column ")[1].split(";")[0]
    assert counts(path, [place]) == {0: 1, 1: 1, 7: 1}


def test_a_first_row_of_text_and_numbers_may_be_either() -> None:
    error = refused(str(HERE / "no_header.tsv"))
    assert "no_header.tsv: the first row (A1, 5) may be a header or data" in error.problem


def test_years_as_names(text_file: TextFile) -> None:
    path = text_file("country,2019,2020\nFR,3,4\nDE,5,6\n")
    assert counts(path, ["2020"]) == {4: 1, 6: 1}
    assert "may be a header or data" in refused(path).problem
    assert [column.group for column in read_source(path, ["2019"], ["country"])] == [
        {"country": "DE"},
        {"country": "FR"},
    ]


def test_comments_before_the_header(text_file: TextFile) -> None:
    path = str(HERE / "featurecounts.txt")
    assert sum(counts(path, ["sampleA.bam"]).values()) == 9
    many = text_file("# made by x, on a day\n# with: a lot\n" * 300 + "a,y\nx,1\nx,-2\n")
    assert "row 2 (line 603), column" in refused(many, ["y"]).problem
    assert counts(text_file("# one column\ny\n1\n2\n", "b.csv")) == {1: 1, 2: 1}
    # These are headers.
    assert counts(text_file("##x=1\n#CHROM\tPOS\nc1\t5\nc2\t7\n", "a.vcf"), ["POS"]) == {5: 1, 7: 1}
    assert counts(text_file("#n\n5\n7\n", "c.csv"), ["#n"]) == {5: 1, 7: 1}


@pytest.mark.parametrize("word", ["Total", "sum", " ALL ", "Gesamt"])
@pytest.mark.parametrize("arguments", [[["n"]], [[]], [["k"], [], "n"]])
def test_a_total_is_no_row(text_file: TextFile, word: str, arguments: list[object]) -> None:
    path = text_file(f"k,n\n0,5\n1,7\n2,0\n{word},12\n")
    assert (
        f'{path}, row 4 (line 5), column "n": 12 is the total of all rows above it' in refused(path, *arguments).problem
    )
    other = text_file(f"shop,n\na,5\nb,7\n{word},13\n", "other.csv")
    assert counts(other, ["n"]) == {5: 1, 7: 1, 13: 1}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_what_says_how_often_is_asked(tmp_path: Path, kind: str) -> None:
    table = pa.table({"policies": [50, 20, 10, 4, 4], "claims": [0, 1, 2, 3, 4]})
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "csv":
        pc.write_csv(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    hint = str(refused(str(path)).hint)
    assert "if policies says how often each value of claims occurs: --column claims --weights policies" in hint
    (column,) = read_source(str(path), ["claims"])
    assert column.histogram.frequencies == "policies"
    assert "data.frequency_table" in [verdict.code for verdict in fit(str(path), "poisson", column="claims").verdicts]
    (column,) = read_source(str(path), ["claims"], weights="policies")
    assert column.histogram.frequencies is None


def test_counts_that_only_begin_like_a_table_of_frequencies(text_file: TextFile) -> None:
    for rows in ("0,1\n1,2\n2,2\n2,5\n3,1\n4,1\n", "0,1\n2,1\n4,6\n6,1\n"):
        (column,) = read_source(text_file("y,x\n" + rows), ["y"])
        assert column.histogram.frequencies is None
    (alone,) = read_source(text_file("y\n0\n1\n2\n3\n4\n"))
    assert alone.histogram.frequencies is None


def test_no_part_of_a_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y\n1\n")
    (tmp_path / "README.md").write_text("about these")
    assert counts(str(tmp_path)) == {1: 1}
    for name in ("b.csv.xz", "b.XLSX"):
        (tmp_path / name).write_bytes(b"x")
        assert f"{tmp_path / name} is of a kind that is not read" in refused(str(tmp_path)).problem
        assert counts(str(tmp_path / "*.csv")) == {1: 1}
        (tmp_path / name).unlink()
    (tmp_path / "b.jsonl").write_text("{}\n{}\n")
    assert "b.jsonl: the objects of its first lines hold no keys" in refused(str(tmp_path)).problem


def test_many_columns_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    # A value that is no count lies in the first row: what is not read is not complained about.
    path.write_text(",".join(f"y{i}" for i in range(20_000)) + "\n" + ",".join(["-1"] * 20_000) + "\n")
    done = CliRunner().invoke(
        app, ["fit", str(path), "-c", "*", "-f", "poisson", "--memory", "20MB", "--format", "json"]
    )
    assert done.exit_code == 2
    assert "fits of 20,000 columns or groups take about 50 MB of memory, and 20 MB are planned for" in done.stderr


def test_what_may_be_a_header_is_shown_in_one_line(text_file: TextFile) -> None:
    problem = refused(text_file('"two\nlines",5\nx,7\n')).problem
    assert problem.endswith("the first row (two lines, 5) may be a header or data: it holds text and numbers")
