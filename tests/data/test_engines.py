"""The law of engines: whoever counts, the histograms are those of the file. DuckDB, addresses and passwords."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from engine_data import CASES, ODD, content, write
from engine_servers import require_packages
from hypothesis import given
from hypothesis import strategies as st

from distfit_counts.data.distinct import Limits
from distfit_counts.data.engines.address import parse
from distfit_counts.data.engines.complaints import remedy
from distfit_counts.data.engines.duck import DuckDB
from distfit_counts.data.engines.reading import read_table
from distfit_counts.data.engines.redaction import redacted
from distfit_counts.data.engines.spark_session import OwnSession
from distfit_counts.data.files import read_source, read_sources
from distfit_counts.data.request import Request
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


def test_a_column_without_values_that_a_pattern_chose_is_empty() -> None:
    query = "SELECT 1 AS a, NULL::INT AS b, 2 AS g"
    for by in ([], ["g"]):
        found = read_table("duckdb://", None, query, ["[ab]"], by)
        assert [(own.column, own.histogram.n, own.histogram.n_missing) for own in found] == [("a", 1, 0), ("b", 0, 1)]
    for columns in (["a", "b"], ["[b]"]):
        assert "only missing values (1 of 1 rows)" in refused("duckdb://", None, query, columns).problem


def test_names_that_do_not_exist(file_db: str) -> None:
    error = refused(file_db, "Visit", None)
    assert error.problem == f'{file_db}: no table "Visit"'
    listed = "tables: frequencies, gaps, kinds, nothing, visits; other schemas: my.ward"
    assert error.hint == f"did you mean --table visits? {listed}"
    assert refused(file_db, "zzz", None).hint == listed, "in one order always"
    for name in ("nowhere.visits", "My.Schema.Odd"):
        error = refused(file_db, name, None)
        assert error.problem == f'{file_db}: no table "{name}"'
        assert "visits" in error.hint
    # Found as --table takes it: with its schema, and a dot within quotes.
    assert refused("duckdb://", "nowhere.x", None).hint.startswith("name it as")
    assert refused(file_db, '"my.ward".od', None).hint.startswith("did you mean --table '")
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


def test_a_query_may_be_written_as_values_or_table(file_db: str) -> None:
    assert read_table(file_db, None, "VALUES (1), (2), (2);")[0].histogram.weights.tolist() == [1, 2]
    assert read_table(file_db, None, "TABLE frequencies", ["y"])[0].histogram.values.tolist() == [3]


def test_what_is_wrong_with_a_query_is_said_in_plain_words(file_db: str) -> None:
    hint = refused(file_db, None, "selec y from visits").hint
    assert hint == "Invalid expression / Unexpected token: line 1, column 12 of the query"
    assert refused(file_db, None, "select from").hint == "not understood: line 1, column 11 of the query"


def test_two_columns_of_one_name_are_refused(file_db: str) -> None:
    joined = "SELECT * FROM frequencies a, frequencies b"
    for sql in ("SELECT visits, visits FROM visits", "SELECT 1 AS visits, 2 AS Visits", joined.replace("y", "visits")):
        error = refused(file_db, None, sql)
        assert "two columns of the query are called" in error.problem
        assert "SELECT ... AS" in error.hint


def test_no_database_is_ever_made_or_changed(file_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("duckdb://new.db", "visits", None).problem == "duckdb://new.db: no such file"
    assert "no directory" in refused("duckdb://nowhere/new.db", "visits", None).hint
    (tmp_path / "file.txt").write_text("y\n1\n")
    assert refused("duckdb://fil.txt", "visits", None).hint == "did you mean file.txt?"
    (tmp_path / "parts.db").write_bytes(bytes(100))
    assert "not a valid DuckDB database" in refused("duckdb://parts.db", "visits", None).problem
    for name in ("file.txt", "y.parquet"):
        write(tmp_path / "y.parquet")
        error = refused(f"duckdb://{name}", "visits", None)
        assert error.problem == f"duckdb://{name}: a data file, not a valid DuckDB database"
        assert error.hint.endswith(f"\"SELECT * FROM '{name}'\"")
    assert "a directory, not a DuckDB file" in refused(f"duckdb://{tmp_path}", "visits", None).problem
    assert {path.name for path in tmp_path.iterdir()} == {"file.txt", "parts.db", "y.parquet"}
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
        ("pyspark://localhost:1", "no Spark master answers there"),
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
    """Whether the error, all that it came from, and their tracebacks are free of the secret; with the local variables
    of our own code, which some programs show.
    """
    shown = [*traceback.format_exception(error)]
    following: list[BaseException | None] = [error]
    while following:
        part = following.pop()
        if part is not None:
            shown += [str(part), repr(part), repr(part.args), repr(vars(part))]
            following += [part.__cause__, part.__context__]
            frames = [frame for frame, _ in traceback.walk_tb(part.__traceback__)]
            own = [frame for frame in frames if "distfit_counts" in frame.f_code.co_filename]
            shown += [repr(value) for frame in own for value in frame.f_locals.values()]
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
        "SELECT 'AccountKey=hunter2;api_key=hunter2'",
        "SELECT 'x;AccountKey=hun/ter2+hunter2==;Port=1'",
        "SELECT f(api_key => 'hunter2')",
        "SELECT f(api_key='hunter2')",
        "SELECT 'api_key = ''hunter2'' b'",
        "SELECT $$AccountKey=hunter2$$",
        "SELECT 'password=hunter1),hunter2'",
        """SELECT '{"password": "hunter2"}'""",
        """SELECT '{"access": {"api_key":"hunter2"}}'""",
        """SELECT {'secret': 'hunter2', 'storage_key' : 'hunter2'}""",
        """SELECT "{\\"password\\": \\"hunter2\\"}" """,
        """SELECT '{"password": 1234hunter2, "pin": 1}'""",
        """said {"password": "hunter2"}""",
        "CREATE SECRET (TYPE s3, SECRET 'hunter2')",
        "SELECT * FROM postgres_query('x', 'CREATE SECRET (TYPE s3, SECRET ''hunter2'')')",
        "spark.hadoop.fs.s3a.session.token=hunter2",
        "SELECT 'AccountKey=hunter2",
        "SELECT * FROM 'https://x.org/a?sig=hunter2&se=3'",
        "SELECT 'Authorization: Bearer hunter2'",
        """SELECT '{"Authorization": "Basic hunter2"}'""",
        "SELECT 'Bearer hunter2.hunter2'",
        "SELECT f('passphrase=hunter2')",
    ):  # fmt: skip
        assert "hunter2" not in redacted(text)
        assert "hunter2" not in parse("duckdb://").clean(text)


@pytest.mark.parametrize(
    "sql",
    ["ALTER ROLE x PASSWORD 'hunter2'", "CREATE USER x WITH PASSWORD 'hunter2'", "VACUUM hunter2", "GRANT hunter2"],
)
def test_refused_statements_are_not_logged(sql: str, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    error = refused("duckdb://", None, sql)
    assert "not understood as one query" in error.problem
    assert "hunter2" not in str(error)
    assert not caplog.records
    assert "hunter2" not in "".join(capfd.readouterr())


_PARTS = st.text("aZ0.-_~+ %:@/?#[]=&'é\\", min_size=1, max_size=8)


@given(user=_PARTS, password=_PARTS, database=_PARTS, option=_PARTS, raw=st.text("aZ0+-._~!$*", max_size=8))
def test_addresses_of_postgres_are_those_of_libpq(
    user: str, password: str, database: str, option: str, raw: str
) -> None:
    conninfo = pytest.importorskip("psycopg.conninfo")
    coded = [quote(part, safe="+") for part in (user, password, database, option)]
    address = "postgres://{}:{}@h:1/{}?application_name={}&options={}".format(*coded, raw)
    try:
        expected = conninfo.conninfo_to_dict(address)
    except Exception:
        return  # libpq itself refuses it: a blank at an end, as some versions do
    settings = parse(address).settings
    assert dict(settings) == {name: str(value) for name, value in expected.items() if value != ""}


def test_a_plus_in_a_password_is_a_plus() -> None:
    assert parse("postgres://h/d?password=a+b").settings["password"] == "a+b"
    assert parse("postgres://u:a+b%2B@h/d").settings["password"] == "a+b+"


@pytest.mark.parametrize("part", ["hunter2%", "hunter2%zz", "hunter2%00", "hunter2%e9"])
def test_percents_that_libpq_does_not_read(part: str) -> None:
    for address in (f"postgres://u:{part}@h/d", f"postgres://h/d?password={part}"):
        error = refused(address, "visits", None)
        assert "a % in the address" in error.problem
        assert no_secret(error, "hunter2")


def test_ordinary_queries_are_shown_as_they_are() -> None:
    for text in (
        "SELECT y FROM tokens WHERE day > '2024'",
        "SELECT y FROM a JOIN b ON a.key = b.key WHERE key = 3 AND token_count > 3 ORDER BY sort_key",
        "SELECT y FROM a JOIN b ON a.sort_key=b.sort_key AND x = 'it''s' AND a.sort_key=b.sort_key",
        "SELECT y FROM a JOIN b ON a.token_id = b.token_id WHERE token_count = 3 AND password_length = 8",
        'SELECT y FROM a JOIN b ON "a"."key" = "b"."key" AND "a"."token" = "b"."token"',
        "SELECT key, y AS secret FROM 'keys.csv' WHERE name = 'monkey'",
        "SELECT y FROM a WHERE key IN ('a', 'b') AND password LIKE 'x%'",
        'column "sort_key": -1 is negative',
        "SELECT y FROM a WHERE plan = 'basic plan' AND bearer = 'x' AND sigma = 3",
        'did you mean "api_key"? tables: api_key, tokens',
    ):
        assert redacted(text) == text


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


@pytest.mark.parametrize("by", [[], ["g"]])
def test_many_distinct_values_end_it_as_with_a_file(
    by: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "y.parquet")
    duckdb.sql(f"COPY (SELECT CASE WHEN range < 50 THEN range END AS y, 0 AS g FROM range(60)) TO '{path}'")
    sql = f"SELECT * FROM '{path}'"
    fetched: list[int] = []
    fetch = DuckDB._fetch

    def counted(self: DuckDB, expression: object) -> object:
        answer = fetch(self, expression)
        fetched.append(answer.num_rows)
        return answer

    monkeypatch.setattr(DuckDB, "_fetch", counted)
    assert read_table("duckdb://", None, sql, ["y"], by, None, Limits(10**9, 50, 1))[0].histogram.n_missing == 10
    for most in (49, 3):
        with pytest.raises(DataError) as caught:
            read_sources([path], Request(["y"], by, max_distinct=most))
        said = caught.value.problem.removeprefix(path).replace(" after 60 rows", "")
        error = refused("duckdb://", None, sql, ["y"], by, None, Limits(10**9, most, 1))
        assert error.problem.endswith(said)
        assert "--max-distinct" in error.hint
    assert fetched[-1] < 10, "no more than was needed to know it"


def test_weights_may_have_many_values(file_db: str) -> None:
    sql = "SELECT 1 AS y, range AS n FROM range(100)"
    limits = Limits(10**9, 1, 100)
    assert read_table(file_db, None, sql, ["y"], [], "n", limits)[0].histogram.n == 4950
    error = refused(file_db, None, sql, ["y"], [], "n", Limits(10**9, 1, 40))
    assert error.problem.endswith('column "n": more than 40 distinct values')


def test_duckdb_keeps_to_the_memory_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = DuckDB(parse("duckdb://"), 2 * 10**8)
    engine.open()
    asked = "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
    memory, folder = engine.ask(lambda: engine._con.raw_sql(asked).fetchone())
    assert memory == "190.7 MiB"
    assert Path(folder).is_dir()
    engine.close()
    assert not Path(folder).exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_column_of_identifiers_ends_before_memory_does() -> None:
    code = (
        "import re\n"
        "from pathlib import Path\n"
        "from distfit_counts.data.distinct import Limits\n"
        "from distfit_counts.data.engines.reading import read_table\n"
        "from distfit_counts.errors import DataError\n"
        "try:\n"
        "    sql, limits = 'SELECT range AS y FROM range(3000000)', Limits(10**8, 10**5, 10**5)\n"
        "    read_table('duckdb://', None, sql, limits=limits)\n"
        "except DataError as error:\n"
        # Not ru_maxrss: that begins at what the process had that started this one.
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "    print('more than 100,000 distinct' in error.problem, peak)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ended, kilobytes = done.stdout.splitlines()[-1].split()
    assert ended == "True", done.stdout
    assert int(kilobytes) < 450_000


@pytest.mark.parametrize(
    ("said", "asked", "hint"),
    [
        ("the connection is lost", "--table", "the server ended it"),
        ("terminating connection due to administrator command", "--sql", "the server ended it"),
        ("connection failed: server does not support SSL, but SSL was required", "--table", "leave out sslmode"),
        ("cross-database references are not implemented", "--table", "name that database in the address"),
        ("[FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER] Encountered error", "--table", "give a Parquet file"),
        ("Out of Memory Error: could not allocate block", "--sql", "raise --memory"),
        ('column "x" does not exist', "--sql", "check the query given with --sql"),
        ('Catalog "My" does not exist!', "--table", "check the name given with --table"),
        ("something else", "--sql", "its own client"),
    ],
)
def test_what_to_do_about_a_complaint(said: str, asked: str, hint: str) -> None:
    assert hint in remedy(said, asked)


def test_a_port_where_no_master_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(self: OwnSession) -> object:
        raise RuntimeError("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.")

    monkeypatch.setattr(OwnSession, "_begun", stopped)
    with pytest.raises(DataError, match="pyspark://h:1: no Spark master answers there") as caught:
        OwnSession("h:1").begin()
    assert caught.value.__context__ is None
    with pytest.raises(RuntimeError):  # no master was named: it is something else
        OwnSession("").begin()


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB fetches an extension from a server that takes the call and never answers."""
    monkeypatch.setenv("HOME", str(tmp_path))

    calls: list[tuple[socket.socket, float]] = []

    def press() -> None:
        with suppress(BlockingIOError):
            calls.append((server.accept()[0], time.monotonic()))
            raise KeyboardInterrupt

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(KeyboardInterrupt):
            read_table("duckdb://", None, "SELECT y FROM postgres_scan('', 'a', 'b')", ["y"], waiting=press)
    for call, pressed in calls:
        assert time.monotonic() - pressed < 8.0
        call.close()
