"""What every engine is asked through, and how its complaints become a DataError."""

from __future__ import annotations

import difflib
import logging
import re
import shlex
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from distfit_counts.data.engines.address import Address
from distfit_counts.data.engines.aside import Aside
from distfit_counts.data.engines.complaints import in_one_line, remedy
from distfit_counts.data.engines.statement import one_query
from distfit_counts.errors import DataError, DistfitError

T = TypeVar("T")
_SHOWN = 20
# Their loggers, with those below them, quote queries as they were given, and Python prints what nobody handles.
_LOGGERS = ("sqlglot", "ibis", "psycopg", "duckdb", "py4j")
# What a query may take to end.
PATIENCE = 15.0


class Engine(ABC):
    """One connection, made by ``open``. Whatever reaches a driver goes through ``ask``.

    ``memory``: bytes for an engine that counts in this process. ``waiting``: called while an engine is at work.
    """

    extra = "engines"
    dialect: str
    # Whether y and Y are one name.
    folds_names = False

    def __init__(self, address: Address, memory: int | None = None, waiting: Callable[[], None] = lambda: None) -> None:
        self._address, self._memory = address, memory
        self._aside = Aside(self._cancel, waiting)
        self._asked = "--table"
        self._con: Any = None

    def open(self) -> None:
        self._con = self.ask(self._connect)

    @abstractmethod
    def _connect(self) -> Any:
        """The ibis connection."""

    @abstractmethod
    def _cancel(self) -> float:
        """Called in another thread: ends what the engine does, within the seconds that are worth waiting for it."""

    @abstractmethod
    def _disconnect(self) -> None: ...

    @abstractmethod
    def _query(self, sql: str) -> Any:
        """The ibis table that a query makes, whose columns ``_check_names`` has seen."""

    @abstractmethod
    def _fetch(self, expression: Any) -> Any:
        """The rows of an ibis expression as a pyarrow Table."""

    def close(self) -> None:
        self._aside.end(lambda: self._guarded(self._disconnect))

    def table(self, name: str) -> Any:
        """The ibis table of this name; ``schema.table`` and ``"quoted"."parts"`` are understood."""
        parts = self._parts(name)
        found = self.ask(lambda: self._find(parts))
        if found is None:
            raise DataError(f'{self._address.shown}: no table "{self._address.clean(name)}"', self._known(parts))
        return found

    def query(self, sql: str) -> Any:
        """The ibis table that a SELECT makes."""
        self._asked = "--sql"
        return self.ask(lambda: self._query(one_query(sql, self.dialect, self._address)))

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
        """``action()``, in the thread of the engine; Ctrl-C ends it."""
        return self._aside.do(lambda: self._guarded(action))

    def _guarded(self, action: Callable[[], T]) -> T:
        """``action()``; DataError, clean of passwords, for whatever a driver raises.

        It is raised after the handler has ended: ``raise ... from None`` inside would keep the driver's exception,
        which may hold the password, as its context.
        """
        problem: DistfitError
        try:
            # Drivers and ibis warn about each other's versions, which the user of this command cannot mend.
            with warnings.catch_warnings(), _unlogged():
                warnings.simplefilter("ignore")
                return action()
        except MemoryError:
            raise
        except DistfitError as error:
            problem = error.with_traceback(None)  # whose local variables hold the path or the query as it was given
        except ImportError as error:
            hint = f'pip install "distfit-counts[{self.extra}]"'
            problem = DataError(f"{self._address.shown} needs the package {error.name or 'psycopg'}", hint)
        except Exception as error:
            said = self._address.clean(in_one_line(error))
            problem = DataError(f"{self._address.shown}: {said}", remedy(said, self._asked))
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

    def _check_names(self, names: Sequence[str]) -> None:
        """Raises DataError where two columns have one name: one engine takes the first, another one complains."""
        keys = [name.casefold() if self.folds_names else name for name in names]
        counts = Counter(keys)
        twins = [self._address.clean(name) for name, key in zip(names, keys, strict=True) if counts[key] > 1]
        if twins:
            problem = f'{self._address.shown}: two columns of the query are called "{twins[0]}"'
            raise DataError(problem, f'call one of them otherwise: SELECT ... AS "{twins[0]}_2"')

    def _parts(self, name: str) -> list[str]:
        part = r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|[^."`]+'
        if not re.fullmatch(rf"(?:{part})(?:\.(?:{part})){{0,2}}", name):
            hint = 'write TABLE, SCHEMA.TABLE or CATALOG.SCHEMA.TABLE; put a part with a dot in quotes: "a.b"'
            raise DataError(f'{self._address.shown}: "{self._address.clean(name)}" is no name of a table', hint)
        return [_unquoted(part) for part in re.findall(part, name)]

    def _known(self, parts: Sequence[str]) -> str:
        schema = list(parts[:-1])
        found = self.tables(schema) if schema else []
        if not found:
            schema, found = [], self.tables()
        if not found:
            return "name it as SCHEMA.TABLE; the engine shows no table to choose from here"
        # As --table takes them: with their schema, a part with a dot in quotes.
        written = {".".join([*schema, name]).lower(): ".".join(map(_quoted, [*schema, name])) for name in found}
        near = difflib.get_close_matches(".".join(parts).lower(), written, n=1, cutoff=0.5)
        names = list(written.values())
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        listed = f"tables: {', '.join(names[:_SHOWN])}{more}"
        if not schema and (others := self._other_schemas()):
            listed += f"; other schemas: {', '.join(others[:_SHOWN])}"
        return f"did you mean --table {shlex.quote(written[near[0]])}? {listed}" if near else listed

    def _other_schemas(self) -> list[str]:
        """The schemas that --table has to name, the engine's own left out; [] where it does not tell."""
        try:
            names = self.ask(lambda: {*self._con.list_databases()} - {self._con.current_database})
        except DataError:
            return []
        return sorted(name for name in names if not name.startswith(("pg_", "information_schema")))


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"' if re.search(r'[."`]', part) else part


def _unquoted(part: str) -> str:
    mark = part[0]
    return part[1:-1].replace(mark * 2, mark) if mark in '"`' else part


@contextmanager
def _unlogged() -> Iterator[None]:
    """Nothing that the drivers log: what went wrong is said without the query, which may hold a password."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
