"""--connect on the command line: limits reach the engine, who waits is told, and passwords are not shown."""

from __future__ import annotations

import time
from typing import Any

import pytest
from engine_servers import require_packages

from distfit_counts.commands.data import Data
from distfit_counts.errors import DataError
from distfit_counts.report.progress import Watch

require_packages("ibis", "duckdb", extra="engines")

SQL = "SELECT range AS y FROM range(30)"


class Told(Watch):
    """Keeps what a terminal would show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[Any, ...]] = []

    def show(self, *what: Any) -> None:
        self.shown.append(what)


def test_max_distinct_and_memory_bound_what_an_engine_sends() -> None:
    data = Data(connect="duckdb://", sql=SQL, max_distinct=30)
    data.check()
    assert data.read(Told(), quiet=True)[0].histogram.n == 30
    with pytest.raises(DataError, match="more than 29 distinct values"):
        Data(connect="duckdb://", sql=SQL, max_distinct=29).read(Told(), quiet=True)
    many = "SELECT range AS y FROM range(20000)"
    with pytest.raises(DataError, match="more than 5,000 distinct values"):
        Data(connect="duckdb://", sql=many, memory="1MB").read(Told(), quiet=True)


def test_whoever_waits_for_an_engine_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from distfit_counts.data.engines.duck import DuckDB

    fetch = DuckDB._fetch

    def slowly(self: DuckDB, expression: object) -> object:
        time.sleep(0.25)
        return fetch(self, expression)

    monkeypatch.setattr(DuckDB, "_fetch", slowly)
    watch = Told()
    Data(connect="duckdb://", sql=SQL).read(watch, quiet=True)
    assert ("counting", 0, None, "in the database", "") in watch.shown[:-1]
    assert watch.shown[-1] == ("counting", 1, 1, "in the database", "")


def test_the_options_as_python_shows_them_hold_no_password() -> None:
    assert "hunter2" not in repr(Data(connect="postgres://ana:hunter2@host/db"))
