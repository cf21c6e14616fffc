"""DuckDB: a database file, opened read-only, or a database in memory that reads files by itself."""

from __future__ import annotations

import difflib
import os
from typing import Any

from distfit_counts.data.engines.engine import Engine
from distfit_counts.errors import DataError


class DuckDB(Engine):
    dialect = "duckdb"

    def _connect(self) -> Any:
        import duckdb  # noqa: F401
        import ibis

        path = self._address.target
        if not path:
            return ibis.duckdb.connect()
        if not os.path.isfile(path):
            raise DataError(f"{self._address.shown}: no such file", self._address.clean(_near(path)))
        return ibis.duckdb.connect(path, read_only=True)

    def close(self) -> None:
        # After Ctrl-C the query goes on in DuckDB's own threads, and closing would wait for its end.
        self._con.con.interrupt()
        super().close()

    def _fetch(self, expression: Any) -> Any:
        return self._con.to_pyarrow(expression)


def _near(path: str) -> str:
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        return f"there is no directory {folder}"
    near = difflib.get_close_matches(os.path.basename(path), sorted(os.listdir(folder)), n=1)
    return f"did you mean {os.path.join(os.path.dirname(path), near[0])}?" if near else f"looked in {folder}"
