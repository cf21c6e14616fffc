"""DuckDB: a database file, opened read-only, or a database in memory that reads files by itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any

from distfit_counts.data.engines.engine import Engine
from distfit_counts.data.locate import EXTENSIONS, extension, nearest
from distfit_counts.errors import DataError

# With less, DuckDB cannot even begin to count.
_LEAST_MEMORY = 10**8
# Seconds that an interrupted query may take to end. A download of an extension goes on: it is not waited for.
_PATIENCE = 3.0


class DuckDB(Engine):
    dialect = "duckdb"
    folds_names = True
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def _connect(self) -> Any:
        import duckdb  # noqa: F401
        import ibis

        path = self._address.target
        if path:
            self._check(path)
        settings: dict[str, Any] = {"read_only": True} if path else {}
        if self._memory is not None:
            # It counts in this very process. What does not fit goes to disk, and not into the working directory.
            self._folder = tempfile.TemporaryDirectory(prefix="distfit-")
            settings["memory_limit"] = f"{max(self._memory, _LEAST_MEMORY)}B"
            settings["temp_directory"] = self._folder.name
        return ibis.duckdb.connect(path or ":memory:", **settings)

    def _check(self, path: str) -> None:
        shown, clean = self._address.shown, self._address.clean
        if os.path.isdir(path):
            raise DataError(f"{shown}: a directory, not a DuckDB file", "name the file in it")
        if not os.path.isfile(path):
            raise DataError(f"{shown}: no such file", clean(_near(path)))
        # DuckDB opens some data files in a database in memory, and then complains that it is read-only.
        with open(path, "rb") as file:
            is_database = file.read(12)[8:] == b"DUCK"
        if not is_database and extension(path) in EXTENSIONS:
            hint = f"read it as SOURCE, distfit fit {path}, or with duckdb:// --sql \"SELECT * FROM '{path}'\""
            raise DataError(f"{shown}: a data file, not a valid DuckDB database", clean(hint))

    def _cancel(self) -> float:
        if self._con is not None:
            self._con.con.interrupt()
        return _PATIENCE

    def _disconnect(self) -> None:
        if self._con is not None:
            self._con.disconnect()
        if self._folder is not None:
            self._folder.cleanup()

    def _find(self, parts: Sequence[str]) -> Any:
        import duckdb

        try:
            return super()._find(parts)
        except duckdb.BinderException as error:
            if "does not exist" in str(error):  # the catalog
                return None
            raise

    def _query(self, sql: str) -> Any:
        self._check_names([name for name, *_ in self._con.raw_sql(f"DESCRIBE {sql}").fetchall()])
        return self._con.sql(sql)

    def _fetch(self, expression: Any) -> Any:
        return self._con.to_pyarrow(expression)


def _near(path: str) -> str:
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        return f"there is no directory {folder}"
    near = nearest(os.path.basename(path), sorted(os.listdir(folder)))
    return f"did you mean {os.path.join(os.path.dirname(path), near)}?" if near else f"looked in {folder}"
