"""PostgreSQL, a real server on loopback: the histograms are those of the file, and nothing secret is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from engine_data import CASES, content, table, write
from engine_servers import PostgreSQL, postgresql, require_packages

from distfit_counts.data.distinct import Limits
from distfit_counts.data.engines.reading import read_table
from distfit_counts.data.files import read_source
from distfit_counts.errors import DataError

require_packages("ibis", "psycopg", extra="engines")

PASSWORD = "hunter2-Grüße"
TYPES = {
    pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint", pa.float64(): "double precision",
    pa.string(): "text", pa.bool_(): "boolean", pa.date32(): "date", pa.decimal128(20, 3): "numeric(20, 3)",
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with postgresql(PASSWORD) as running:
        data = table()
        quoted = ['"' + name.replace('"', '""') + '"' for name in data.column_names]
        kinds = [TYPES[kind] for kind in data.schema.types]
        db = running.connection
        db.execute(f"CREATE TABLE visits ({', '.join(map(' '.join, zip(quoted, kinds, strict=True)))})")
        with db.cursor().copy("COPY visits FROM STDIN") as copy:
            for row in data.to_pylist():
                copy.write_row(list(row.values()))
        db.execute("CREATE TABLE exact AS SELECT 2::numeric AS y UNION ALL SELECT 2.00 UNION ALL SELECT 'NaN'")
        db.execute("CREATE TABLE inexact AS SELECT 2.0000000001::numeric AS y")
        db.execute("CREATE TYPE colour AS ENUM ('red', 'blue')")
        db.execute("CREATE TABLE kinds AS SELECT 'red'::colour AS e, gen_random_uuid() AS u, 3 AS y, now() AS t")
        db.execute("CREATE DOMAIN visit_count AS integer CHECK (VALUE >= 0)")
        db.execute(
            "CREATE TABLE own AS SELECT i::visit_count AS y, '10.0.0.1'::inet AS ip FROM generate_series(1, 3) i"
        )
        db.execute('CREATE SCHEMA "Ward 5"; CREATE TABLE "Ward 5"."Odd.Name" AS SELECT 5 AS y')
        db.execute("CREATE MATERIALIZED VIEW seen AS SELECT visits FROM visits")
        db.execute('GRANT USAGE ON SCHEMA "Ward 5" TO ana')
        db.execute('GRANT SELECT ON ALL TABLES IN SCHEMA public, "Ward 5" TO ana')
        db.execute("CREATE TABLE secret AS SELECT 1 AS y")
        db.execute("ANALYZE")
        yield running


def refused(*arguments: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(*arguments)  # type: ignore[arg-type]
    error: BaseException | None = caught.value
    while error is not None:
        assert PASSWORD not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert caught.value.hint, "says what to do"
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_postgres_counts_as_the_file_does(server: PostgreSQL, tmp_path: Path, case: str) -> None:
    expected = content(read_source(write(tmp_path / "visits.parquet"), *CASES[case]))
    assert content(read_table(server.address(), "visits", None, *CASES[case])) == expected
    assert content(read_table(server.address(), None, "SELECT * FROM visits; -- all", *CASES[case])) == expected


def test_the_source_shows_no_password(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"127.0.0.1:{server.port}/hospital"
    shown = f'postgres://ana@{place}, table "visits"'
    assert read_table(server.address(), "visits", None, ["visits"])[0].source == shown
    in_query = f"postgres://ana@{place}?password={PASSWORD}&application_name=test"
    assert read_table(in_query, "visits", None, ["visits"])[0].source == shown
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert read_table(f"postgres://ana@{place}", "visits", None, ["visits"])[0].source == shown
    secret = f"SELECT y, '{PASSWORD}' AS word FROM exact"
    assert PASSWORD not in read_table(f"postgres://ana@{place}", None, secret, ["y"])[0].source


def test_exact_numbers_of_any_length(server: PostgreSQL) -> None:
    (exact,) = read_table(server.address(), "exact", None)
    assert (exact.histogram.values.tolist(), exact.histogram.weights.tolist()) == ([2], [2])
    assert exact.histogram.n_missing == 1
    assert "2.0000000001 is not a whole number (in 1 row)" in refused(server.address(), "inexact", None).problem


def test_types_that_only_postgres_has(server: PostgreSQL) -> None:
    assert read_table(server.address(), "kinds", None, ["y"], ["e"])[0].group == {"e": "red"}
    (by_id,) = read_table(server.address(), None, "SELECT y, u, t, e FROM kinds", ["y"], ["u", "t", "e"])
    assert len(str(by_id.group["u"])) == 36
    assert "not whole numbers" in refused(server.address(), "kinds", None, ["t"]).problem
    (of_a_domain,) = read_table(server.address(), "own", None)
    assert of_a_domain.histogram.values.tolist() == [1, 2, 3]
    for name, column, kind in (("kinds", "u", "uuid"), ("own", "ip", "inet"), ("kinds", "e", "colour")):
        assert refused(server.address(), name, None, [column]).problem.endswith(f"holds {kind}, not whole numbers")


def test_queries(server: PostgreSQL) -> None:
    assert read_table(server.address(), None, "VALUES (1), (2)")[0].histogram.values.tolist() == [1, 2]
    error = refused(server.address(), None, "SELECT visits, visits FROM visits")
    assert 'two columns of the query are called "visits"' in error.problem
    # Here capitals tell names apart.
    sql = 'SELECT 1 AS y, 2 AS "Y"'
    assert [column.histogram.values.tolist() for column in read_table(server.address(), None, sql, ["y", "Y"])] == [
        [1],
        [2],
    ]


def test_many_distinct_values_end_it(server: PostgreSQL) -> None:
    sql = "SELECT i AS y FROM generate_series(1, 1000000) i"
    error = refused(server.address(), None, sql, ["y"], [], None, Limits(10**9, 1000, 1))
    assert error.problem.endswith('column "y": more than 1,000 distinct values')


def test_a_connection_that_ends_in_mid_query(server: PostgreSQL) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ana' AND query ILIKE '%pg_sleep%'"

    def terminate() -> None:
        until = time.monotonic() + 20
        while not server.connection.execute(end).fetchall() and time.monotonic() < until:
            time.sleep(0.05)

    other = threading.Thread(target=terminate)
    other.start()
    error = refused(server.address(), None, "SELECT 1 AS y FROM pg_sleep(30)")
    assert "the server ended it" in error.hint
    other.join()


def test_names(server: PostgreSQL) -> None:
    assert read_table(server.address(), '"Ward 5"."Odd.Name"', None)[0].histogram.values.tolist() == [5]
    assert read_table(server.address(), 'hospital."Ward 5"."Odd.Name"', None)[0].histogram.values.tolist() == [5]
    assert read_table(server.address(), "public.seen", None)[0].histogram.n > 0
    error = refused(server.address(), "Visits", None)
    assert 'no table "Visits"' in error.problem
    assert error.hint.startswith("did you mean --table visits?")
    assert 'no column "vists"' in refused(server.address(), "visits", None, ["vists"]).problem
    assert "tables: exact" in refused(server.address(), None, None).hint
    assert "tables: exact" in refused(server.address(), "nowhere.thing", None).hint
    assert "name that database" in refused(server.address(), "clinic.public.visits", None).hint
    assert 'relation "visit" does not exist' in refused(server.address(), None, "SELECT * FROM visit").problem


def test_bad_values_name_how_many_rows_hold_them(server: PostgreSQL) -> None:
    assert "-2 is negative (in 6 rows)" in refused(server.address(), "visits", None, ["negative"]).problem
    assert "holds bool" in refused(server.address(), "visits", None, ["open"]).problem


def test_what_cannot_be_opened(server: PostgreSQL) -> None:
    error = refused(server.address(password="hunter3"), "visits", None)
    assert 'password authentication failed for user "ana"' in error.problem
    assert error.hint == "give the password in PGPASSWORD or in ~/.pgpass"
    assert "password authentication failed" in refused(server.address("bob"), "visits", None).problem
    error = refused(server.address().replace("/hospital", "/clinic"), "visits", None)
    assert 'database "clinic" does not exist' in error.problem
    assert error.hint == "check the user and the database in the address"
    error = refused(server.address(), "secret", None)
    assert "permission denied for table secret" in error.problem
    assert "SELECT" in error.hint
    assert "leave out sslmode" in refused(server.address() + "?sslmode=require", "visits", None).hint


def test_nothing_is_written(server: PostgreSQL) -> None:
    for sql in ("DELETE FROM visits", "WITH x AS (DELETE FROM visits RETURNING visits) SELECT visits FROM x"):
        refused(server.address("boss"), None, sql)
    assert server.connection.execute("SELECT count(*) FROM visits").fetchone() == (600,)


def test_all_columns_are_counted_in_one_state(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    from distfit_counts.data.engines.postgres import Postgres

    server.connection.execute("CREATE TABLE growing AS SELECT 1 AS a, 1 AS b; GRANT SELECT ON growing TO ana")
    fetch = Postgres._fetch

    def and_grow(self: Postgres, expression: object) -> object:
        found = fetch(self, expression)
        server.connection.execute("INSERT INTO growing VALUES (2, 2)")
        return found

    monkeypatch.setattr(Postgres, "_fetch", and_grow)
    found = read_table(server.address(), "growing", None, ["a", "b"])
    assert [column.histogram.n for column in found] == [1, 1]


@pytest.mark.slow
def test_ctrl_c_ends_the_query_on_the_server(server: PostgreSQL) -> None:
    sql = "SELECT (i * j) % 7 AS y FROM generate_series(1, 1000000) AS i, generate_series(1, 1000000) AS j"
    code = (
        "import json, sys\n"
        "from distfit_counts.data.engines.reading import read_table\n"
        "read_table(*json.load(sys.stdin))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdin is not None
        child.stdin.write(json.dumps([server.address(), None, sql]))
        child.stdin.close()
        running = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ana' AND state = 'active'"
        end = time.monotonic() + 60
        while server.connection.execute(running).fetchone() == (0,):
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        child.stdin = None
        assert "KeyboardInterrupt" in child.communicate(timeout=30)[1]
        assert server.connection.execute(running).fetchone() == (0,)
    finally:
        child.kill()
        child.wait()
