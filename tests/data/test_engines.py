"""The law of engines: whoever counts, the histograms are those of the file. DuckDB, addresses and passwords."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from engine_data import CASES, ODD, content, write
from engine_servers import require_packages

from distfit_counts.data.engines.address import parse, redacted
from distfit_counts.data.engines.reading import read_table
from distfit_counts.data.files import read_source
from distfit_counts.errors import DataError

require_packages("ibis", "duckdb", "psycopg", extra="engines")

import duckdb  # noqa: E402


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("engines") / "visits.parquet")


@pytest.fixture(scope="module")
def file_db(parquet: str) -> str:
    path = str(Path(parquet).with_name("file.db"))
    with duckdb.connect(path) as db:
        db.execute(f"CREATE TABLE visits AS SELECT * FROM '{parquet}'")
        db.execute("CREATE TABLE frequencies AS SELECT 3 AS y, 4 AS n")
        db.execute("CREATE TABLE nothing (y INT, n INT)")
        db.execute("CREATE TABLE gaps AS SELECT NULL::INT AS y, 1 AS n FROM range(17)")
        db.execute('CREATE SCHEMA "my.ward"; CREATE TABLE "my.ward"."the ""table""" AS SELECT 5 AS y')
        db.execute("CREATE TABLE kinds (e ENUM ('x', 'y'), y INT, t TIMESTAMP, h HUGEINT)")
        db.execute("INSERT INTO kinds VALUES ('y', 1, '2024-01-01', 2), ('x', 2, '2024-01-01', 3)")
    return f"duckdb://{path}"


def refused(*arguments: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(*arguments)  # type: ignore[arg-type]
    assert caught.value.hint, "says what to do"
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_duckdb_counts_as_the_file_does(parquet: str, file_db: str, case: str) -> None:
    expected = content(read_source(parquet, *CASES[case]))
    assert content(read_table(file_db, "visits", None, *CASES[case])) == expected
    query = f"SELECT * FROM '{parquet}' ; -- all of it"
    assert content(read_table("duckdb://", None, query, *CASES[case])) == expected


def test_the_source_says_where(file_db: str) -> None:
    assert read_table(file_db, "visits", None, ["visits"])[0].source == f'{file_db}, table "visits"'
    long = "SELECT visits\nFROM   visits WHERE clinic IN ('Bern', 'Basel', 'Zug', 'Chur', 'Olten')"
    source = read_table(file_db, None, long, [])[0].source
    assert source == f"{file_db}, query \"SELECT visits FROM visits WHERE clinic IN ('Bern', 'Basel',…\""


def test_quoted_and_qualified_names(file_db: str) -> None:
    for name in ('"my.ward"."the ""table"""', '"my.ward".`the "table"`', 'file."my.ward"."the ""table"""'):
        assert read_table(file_db, name, None)[0].histogram.values.tolist() == [5]
    for name in ("", ".", 'a"b', "a.b.c.d", '"open', "visits;--."):
        assert "is no name of a table" in refused(file_db, name, None).problem
    # A name is never read as SQL.
    assert "no table" in refused(file_db, "visits; DROP TABLE visits", None).problem
    assert "no table" in refused(file_db, "visits v", None).problem


def test_types_that_only_engines_have(file_db: str) -> None:
    found = read_table(file_db, "kinds", None, ["y"], ["e", "t"])
    assert [column.group["e"] for column in found] == ["x", "y"]
    assert read_table(file_db, "kinds", None, ["h"])[0].histogram.values.tolist() == [2, 3]


def test_the_only_column_that_can_be_meant(file_db: str) -> None:
    assert read_table(file_db, "frequencies", None, [], [], "n")[0].histogram.weights.tolist() == [4]
    query = "SELECT clinic, fraction, times_float FROM visits WHERE times_float < 3"
    assert read_table(file_db, None, query)[0].column == "times_float"
    error = refused(file_db, "visits", None)
    whole = "year, visits, large, as_float, as_decimal, times, times_float, negative, " + ODD
    assert error.problem == f'{file_db}, table "visits": 9 columns hold whole numbers: {whole}'
    assert error.hint == "choose with --column NAME"


def test_bad_values_name_the_value_and_how_many_rows_hold_it(file_db: str) -> None:
    error = refused(file_db, "visits", None, ["negative"], ["clinic"])
    assert error.problem == f'{file_db}, table "visits", column "negative": -2 is negative (in 6 rows)'
    error = refused(file_db, "visits", None, ["fraction"])
    assert error.problem.endswith('column "fraction": 0.5 is not a whole number (in 400 rows)')
    for value, problem in (
        ("2.0000000000001::DECIMAL(38, 20)", "2.00000000000010000000 is not a whole number (in 1 row)"),
        ("'inf'::DOUBLE", "inf is not a finite number (in 1 row)"),
        ("9007199254740993", "9007199254740993 is beyond 2**53"),
        ("9007199254740993::HUGEINT", "9007199254740993 is beyond 2**53"),
        ("'three'", "'three' is not a number (in 1 row)"),
        ("true", "holds bool, not whole numbers"),
        ("[1]", "not whole numbers"),
    ):
        assert problem in refused("duckdb://", None, f"SELECT {value} AS y", ["y"]).problem


def test_weights_are_checked_before_they_are_summed(file_db: str) -> None:
    assert (
        "0.5 is not a whole number (in 400 rows)"
        in refused(file_db, "visits", None, ["visits"], [], "fraction").problem
    )
    assert "-2 is negative" in refused(file_db, "visits", None, ["visits"], [], "negative").problem
    assert "a missing weight (in 47 rows)" in refused(file_db, "visits", None, ["times"], [], "large").problem
    assert "holds text" in refused(file_db, "visits", None, ["times"], [], "ward").problem
    query = "SELECT 1 AS y, 9007199254740992 AS n FROM range(3)"
    assert "add up to more than 2**53" in refused("duckdb://", None, query, ["y"], [], "n").problem
    assert "no value with a weight above 0" in refused("duckdb://", None, "SELECT 1 y, 0 n", ["y"], [], "n").problem


def test_nothing_to_count(file_db: str) -> None:
    assert refused(file_db, "nothing", None, ["y"]).problem == f'{file_db}, table "nothing" has no data rows'
    problem = f'column "y" of {file_db}, table "gaps" has only missing values (17 of 17 rows)'
    assert refused(file_db, "gaps", None, ["y"]).problem == problem
    assert refused(file_db, "gaps", None, ["y"], ["n"]).problem == problem


def test_names_that_do_not_exist(file_db: str) -> None:
    error = refused(file_db, "Visit", None)
    assert error.problem == f'{file_db}: no table "Visit"'
    assert error.hint == 'did you mean "visits"? tables: visits, frequencies, gaps, kinds, nothing'
    assert "no table" in refused(file_db, "nowhere.visits", None).problem
    assert refused(file_db, "visits", None, ["visit"]).hint.startswith('did you mean "visits"?')
    assert 'no column "town"' in refused(file_db, "visits", None, ["visits"], ["town"]).problem
    assert 'no column "w"' in refused(file_db, "visits", None, ["visits"], [], "w").problem
    assert "also to group or weight by" in refused(file_db, "visits", None, ["visits"], ["visits"]).problem
    assert "tables: frequencies" in refused(file_db, None, None).hint
    assert "both" in refused(file_db, "visits", "SELECT 1").problem


def test_sql_that_is_no_query(file_db: str, tmp_path: Path) -> None:
    copy = f"COPY visits TO '{tmp_path}/out.csv'"
    for sql in ("", "SELEC 1", "DROP TABLE visits", "SELECT 1 AS y; SELECT 2 AS y", copy, "INSTALL httpfs"):
        assert "--sql" in str(refused(file_db, None, sql))
    assert not list(tmp_path.iterdir())
    assert "nope" in refused(file_db, None, "SELECT nope FROM visits").problem
    assert 'Did you mean "visits"' in refused(file_db, None, "SELECT * FROM visit").problem
    assert "LINE" not in refused(file_db, None, "SELECT y FROM visits WHERE").problem


def test_no_database_is_ever_made_or_changed(file_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("duckdb://new.db", "visits", None).problem == "duckdb://new.db: no such file"
    assert "no directory" in refused("duckdb://nowhere/new.db", "visits", None).hint
    (tmp_path / "file.txt").write_text("y\n1\n")
    assert refused("duckdb://fil.txt", "visits", None).hint == "did you mean file.txt?"
    assert "not a valid DuckDB database" in refused("duckdb://file.txt", "visits", None).problem
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
    before = Path(file_db.removeprefix("duckdb://")).read_bytes()
    read_table(file_db, "visits", None, ["visits"])
    assert Path(file_db.removeprefix("duckdb://")).read_bytes() == before


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("visits.db", "the address names no engine"),
        ("host=h password=hunter2", "the address names no engine"),
        ("hunter2:@x://y", "unknown engine"),
        ("mysql://u:hunter2@h/d", 'unknown engine "mysql"'),
        ("duckdb://u:hunter2@h/x.db", "duckdb://u:***@h/x.db: no such file"),
        ("duckdb://x.db?password=hunter2", "duckdb://x.db: what follows the ?"),
        ("pyspark://u:hunter2@h", "no host and port"),
        ("pyspark://h?token=hunter2", "no host and port"),
        ("pyspark://localhost:1", "no Spark master listens there"),
        ("postgres://u:hunter2/x@h/d", "cannot stand there"),
        ("postgres://u:hunter2?@h/d", "cannot stand there"),
        ("postgres://u:hunter2", "not understood"),
        ("postgres://u:hunter2@localhost:1/d", "postgres://u@localhost:1/d: connection failed"),
        ("postgres://u@localhost:1/d?password=hunter2", "postgres://u@localhost:1/d: connection failed"),
        ("postgres://u@localhost:1/d?hunter2=x&password=hunter2", "invalid connection option"),
        ("postgresql://localhost/d?port=hunter2&password=hunter2", "postgresql://localhost/d: "),
    ],
)
def test_bad_addresses_keep_their_passwords(address: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    error = refused(address, "visits", None)
    assert problem in error.problem
    assert no_secret(error, "hunter2")


def no_secret(error: BaseException, secret: str) -> bool:
    """Whether the error, all that it came from, and their tracebacks are free of the secret."""
    shown = [*traceback.format_exception(error)]
    following: list[BaseException | None] = [error]
    while following:
        part = following.pop()
        if part is not None:
            shown += [str(part), repr(part), repr(part.args), repr(vars(part))]
            following += [part.__cause__, part.__context__]
    return not any(secret in text for text in shown)


def test_passwords_in_queries_and_paths() -> None:
    for text in (
        "postgres://u:hunter2@h/d",
        "s3a://key:hun/ter@hunter2@bucket/x",
        "SELECT * FROM postgres_scan('host=h password=hunter2', 'a', 'b')",
        "SELECT * FROM f(password => 'hunter2')",
        "SELECT * FROM f('dbname=x password=''my hunter2'' port=1')",
        "https://h/x?X-Amz-Signature=hunter2&a=b",
        "SELECT f(API_TOKEN := \"hunter2\")",
    ):  # fmt: skip
        assert "hunter2" not in redacted(text)
        assert "hunter2" not in parse("duckdb://").clean(text)
    assert redacted("SELECT y FROM tokens WHERE day > '2024'") == "SELECT y FROM tokens WHERE day > '2024'"


def test_an_address_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    place = parse("postgres://me:hun%40ter2@h:5433/d?sslmode=require")
    assert place.settings == {
        "host": "h", "port": "5433", "user": "me", "password": "hun@ter2", "dbname": "d", "sslmode": "require",
    }  # fmt: skip
    assert place.shown == "postgres://me@h:5433/d"
    assert "ter2" not in repr(place)
    assert "ter2" not in place.clean("hun@ter2 hun%40ter2")
    monkeypatch.setenv("PGPASSWORD", "hunter3")
    assert place.clean("it is hunter3") == "it is ***"


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [("duckdb://", "duckdb", "engines"), ("postgres://h/d", "psycopg", "engines"), ("pyspark://", "pyspark", "spark")],
)
def test_a_missing_driver_names_the_extra(
    address: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    error = refused(address, "visits", None)
    assert "needs the package" in error.problem
    assert error.hint == f'pip install "distfit-counts[{extra}]"'


def test_drivers_are_loaded_only_when_asked_for() -> None:
    code = (
        "import sys; import distfit_counts.data.engines.reading as r\n"
        "print(sorted({'ibis', 'duckdb', 'psycopg', 'pyspark', 'sqlglot', 'pyarrow', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_ends_a_query() -> None:
    code = (
        "import os, signal, threading\n"
        "from distfit_counts.data.engines.reading import read_table\n"
        "threading.Timer(4, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "sql = 'SELECT (a.range * b.range) % 7 AS y FROM range(10000000) a, range(100000) b'\n"
        "read_table('duckdb://', None, sql)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode in (-signal.SIGINT, 1)
    assert time.monotonic() - started < 20


def test_a_column_name_is_never_read_as_sql(file_db: str) -> None:
    for name in ('y" FROM frequencies; DROP TABLE frequencies; --', "1 AS y", "count(*)"):
        assert "no column" in refused(file_db, "frequencies", None, [name]).problem
    assert read_table(file_db, "visits", None, [ODD], ["clinic"], "times")
    assert read_table(file_db, "frequencies", None, ["y"])[0].histogram.n == 1
