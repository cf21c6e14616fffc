"""What every engine is asked through, and how its complaints become a DataError."""

from __future__ import annotations

import difflib
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from distfit_counts.data.engines.address import Address
from distfit_counts.errors import DataError, DistfitError

T = TypeVar("T")
_SHOWN = 20
_LONGEST = 300
# What PostgreSQL, DuckDB and Spark say, and what to do about it; the first that matches.
_REMEDIES = (
    (r"password authentication failed|no password supplied", "give the password in PGPASSWORD or in ~/.pgpass"),
    (r"connection refused|timeout expired|could not translate host|failed to resolve|No route to host|unreachable",
     "check host and port, and that the server runs and lets you in"),
    (r"(database|role) \".*\" does not exist", "check the user and the database in the address"),
    (r"invalid connection option", "the options after the ? are those of libpq, such as sslmode=require"),
    (r"permission denied", "ask the owner of the table for the right to SELECT"),
    (r"Could not set lock|Conflicting lock", "another program is writing to the file; close it, or read a copy"),
    (r"not a valid DuckDB database", "read a data file as SOURCE, or duckdb:// --sql \"SELECT * FROM 'FILE'\""),
    (r"JAVA_GATEWAY_EXITED|Java gateway process exited", "Spark needs Java 17 or newer: install it, or set JAVA_HOME"),
    (r"PATH_NOT_FOUND", "check the path; without a scheme it is one of Spark's default file system"),
    (r"UNABLE_TO_INFER_SCHEMA|not a Parquet file", "give a Parquet file, or a directory of Parquet or Delta files"),
    (r"data source: delta", "this is a Delta table: add io.delta:delta-spark to spark.jars.packages of your Spark"),
    (r"Job aborted|SparkContext was shut down|stopped SparkContext|ExecutorLost|Connection reset|ANSWER_FROM_JAVA",
     "the cluster gave up; look at its log, and run it again"),
    (r"does ?n[o']t exist|cannot be found|not found|UNRESOLVED|pars|syntax|Binder", "check the query given with --sql"),
)  # fmt: skip


class Engine(ABC):
    """One open connection. Whatever reaches a driver goes through ``ask``."""

    extra = "engines"
    dialect: str

    def __init__(self, address: Address) -> None:
        self._address = address
        self._con = self.ask(self._connect)

    @abstractmethod
    def _connect(self) -> Any:
        """The ibis connection."""

    @abstractmethod
    def _fetch(self, expression: Any) -> Any:
        """The rows of an ibis expression as a pyarrow Table."""

    def close(self) -> None:
        self.ask(self._con.disconnect)

    def table(self, name: str) -> Any:
        """The ibis table of this name; ``schema.table`` and ``"quoted"."parts"`` are understood."""
        parts = self._parts(name)
        found = self.ask(lambda: self._find(parts))
        if found is None:
            raise DataError(f'{self._address.shown}: no table "{self._address.clean(name)}"', self._known(name, parts))
        return found

    def query(self, sql: str) -> Any:
        """The ibis table that a SELECT makes."""
        return self.ask(lambda: self._query(self._select(sql)))

    def answer(self, expression: Any) -> Any:
        """The rows of an ibis expression as a pyarrow Table."""
        return self.ask(lambda: self._fetch(expression))

    def tables(self, schema: Sequence[str] = ()) -> list[str]:
        """The names of the tables, those of a schema or those that need none; [] where the engine does not tell."""
        try:
            return sorted(self.ask(lambda: self._con.list_tables(database=tuple(schema) or None)))
        except DataError:
            return []

    def ask(self, action: Callable[[], T]) -> T:
        """``action()``; DataError, clean of passwords, for whatever a driver raises.

        It is raised after the handler has ended: ``raise ... from None`` inside would keep the driver's exception,
        which may hold the password, as its context.
        """
        problem: DataError | None
        try:
            # Drivers and ibis warn about each other's versions, which the user of this command cannot mend.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return action()
        except (DistfitError, MemoryError):
            raise
        except ImportError as error:
            hint = f'pip install "distfit-counts[{self.extra}]"'
            problem = DataError(f"{self._address.shown} needs the package {error.name or 'psycopg'}", hint)
        except Exception as error:
            said = self._address.clean(_said(error))
            problem = None if _interrupted(error) else DataError(f"{self._address.shown}: {said}", _remedy(said))
        if problem is None:
            raise KeyboardInterrupt
        raise problem

    def _find(self, parts: Sequence[str]) -> Any:
        """The table, or None."""
        from ibis.common.exceptions import TableNotFound

        schema = tuple(parts[:-1])
        if len(schema) == 1:
            schema = (self._con.current_catalog, *schema)
        try:
            return self._con.table(parts[-1], database=schema or None)
        except TableNotFound:
            return None

    def _query(self, sql: str) -> Any:
        return self._con.sql(sql)

    def _select(self, sql: str) -> str:
        """The one SELECT that ``sql`` holds, as ibis's parser writes it. Nothing else is sent to an engine."""
        import sqlglot

        why = "give one SELECT"
        try:
            found = sqlglot.parse(sql, read=self.dialect)
            statements = [part for part in found if part is not None and not isinstance(part, sqlglot.exp.Semicolon)]
        except sqlglot.errors.ParseError as error:  # its text quotes the query, in colours
            statements, where = [], error.errors[0]
            why = f"{where['description'].rstrip('.')}: line {where['line']}, column {where['col']} of the query"
        except sqlglot.errors.SqlglotError:
            statements, why = [], "look for a quote that is never closed"
        if len(statements) != 1 or not isinstance(statements[0], sqlglot.exp.Query):
            raise DataError(f"{self._address.shown}: --sql is not understood as one query", self._address.clean(why))
        return str(statements[0].sql(dialect=self.dialect))

    def _parts(self, name: str) -> list[str]:
        part = r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|[^."`]+'
        if not re.fullmatch(rf"(?:{part})(?:\.(?:{part})){{0,2}}", name):
            hint = 'write TABLE, SCHEMA.TABLE or CATALOG.SCHEMA.TABLE; put a part with a dot in quotes: "a.b"'
            raise DataError(f'{self._address.shown}: "{self._address.clean(name)}" is no name of a table', hint)
        return [_unquoted(part) for part in re.findall(part, name)]

    def _known(self, name: str, parts: Sequence[str]) -> str:
        names = self.tables(parts[:-1])
        if not names:
            return "name it as SCHEMA.TABLE; the engine shows no table to choose from here"
        near = difflib.get_close_matches(parts[-1].lower(), [other.lower() for other in names], n=3, cutoff=0.5)
        names.sort(key=lambda other: near.index(other.lower()) if other.lower() in near else len(near))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        listed = f"tables: {', '.join(names[:_SHOWN])}{more}"
        return f'did you mean "{names[0]}"? {listed}' if near else listed


def _remedy(said: str) -> str:
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, said, re.IGNORECASE):
            return remedy
    return "that is what the engine says; try the query in its own client"


def _interrupted(error: BaseException | None) -> bool:
    """Whether it is Ctrl-C: DuckDB has its own word for it, and Spark fails while it cleans up after it."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or str(error) == "Query interrupted":
            return True
        error = error.__cause__ or error.__context__
    return False


def _unquoted(part: str) -> str:
    mark = part[0]
    return part[1:-1].replace(mark * 2, mark) if mark in '"`' else part


def _said(error: Exception) -> str:
    """What a driver says in one line: the first paragraph, without the query, a plan or a Java stack."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    if lines and lines[0].startswith("An error occurred while calling"):  # py4j
        lines = [lines[1].removeprefix(": ")] if len(lines) > 1 else []
    kept: list[str] = []
    for line in lines:
        if not line or re.match(r"LINE \d|at |==|'|\+-|\^", line):
            break
        kept.append(line)
    text = re.sub(r"; line \d+ pos \d+;.*", "", " ".join(kept)) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
