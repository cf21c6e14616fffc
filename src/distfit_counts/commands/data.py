"""The options that say which counts are meant, and the columns that they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from distfit_counts.commands import options
from distfit_counts.commands.messages import say
from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from distfit_counts.budget import Budget
    from distfit_counts.data.column import Column
    from distfit_counts.report.progress import Watch


@dataclass(frozen=True)
class Data:
    """What every command that reads counts takes."""

    sources: options.Sources = None
    column: options.Columns = None
    by: options.By = None
    weights: options.Weights = None
    together: options.Together = False
    variables: options.Variables = None
    layer: options.Layer = None
    connect: options.Connect = field(default=None, repr=False)  # it may hold a password
    table: options.Table = None
    sql: options.Sql = None
    max_distinct: options.MaxDistinct = None
    memory: options.Memory = None
    threads: options.Threads = None

    @property
    def files(self) -> list[Path]:
        """The sources that are files; what a directory or a glob holds is not looked up."""
        return [Path(source) for source in self.sources or [] if source != "-"]

    def check(self) -> None:
        """Raises for options that contradict each other, before any work."""
        if bool(self.sources) == (self.connect is not None):
            if self.sources:
                raise DistfitError("both a SOURCE and --connect are given", "the counts lie in one or the other")
            raise typer.BadParameter("name a file, or - for stdin; or --connect to a database", param_hint="SOURCE...")
        if self.connect is None and (self.table is not None or self.sql is not None):
            option = "--table" if self.table is not None else "--sql"
            raise DistfitError(f"{option} does nothing without --connect", "add --connect ADDRESS, or name a file")
        if self.connect is not None and (self.layer is not None or self.variables is not None):
            option = "--layer" if self.layer is not None else "--variables"
            raise DistfitError(f"{option} does nothing with --connect", "it is for .mtx and .h5ad files: leave it out")
        _ = self.budget

    @property
    def budget(self) -> Budget:
        """Raises DistfitError where --memory is no size."""
        from distfit_counts.budget import Budget

        return Budget.of(self.memory, self.max_distinct)

    def read(self, watch: Watch, quiet: bool, columns_chosen: Callable[[int], None] | None = None) -> Sequence[Column]:
        """The columns that hold values, with progress on stderr; those without are named there.

        ``columns_chosen``: told how many columns a file has, before they are read.
        """
        from distfit_counts.data.valueless import with_values

        return with_values(self._found(watch, columns_chosen), lambda text: None if quiet else say(text))

    def _found(self, watch: Watch, columns_chosen: Callable[[int], None] | None) -> Sequence[Column]:
        columns, by = self.column or [], self.by or []
        import pyarrow as pa

        if self.threads is not None:
            # One of them counts while pyarrow's parse.
            pa.set_cpu_count(max(self.threads - 1, 1))
            pa.set_io_thread_count(max(self.threads - 1, 1))
        found = self._counted(columns, by, watch, columns_chosen)
        # A hundred megabytes that Arrow keeps for blocks to come, and none come: the fits have use for them.
        pa.default_memory_pool().release_unused()
        return found

    def _counted(
        self, columns: list[str], by: list[str], watch: Watch, columns_chosen: Callable[[int], None] | None
    ) -> Sequence[Column]:
        if self.connect is not None:
            return self._counted_by_engine(self.connect, watch)
        from distfit_counts.data.distinct import BYTES_PER_DISTINCT
        from distfit_counts.data.files import read_sources
        from distfit_counts.data.request import Request

        def progress(done: int, total: int | None) -> None:
            size = f"{done / 1e6:,.0f} MB"
            watch.show("reading", done, total, *([f"{size} of {total / 1e6:,.0f} MB"] if total else []), size)

        request = Request(
            columns,
            by,
            self.weights,
            self.variables,
            self.layer,
            self.budget.max_distinct,
            self.budget.memory // BYTES_PER_DISTINCT if self.max_distinct is None else None,
            self.threads,
            columns_chosen=columns_chosen,
        )
        return read_sources(self.sources or [], request, self.together, progress)

    def _counted_by_engine(self, address: str, watch: Watch) -> Sequence[Column]:
        from distfit_counts.budget import Budget
        from distfit_counts.data.distinct import Limits
        from distfit_counts.data.engines.reading import read_table

        where = "in Spark" if address.startswith("pyspark") else "in the database"

        def waiting() -> None:
            watch.show("counting", 0, None, where, "")

        columns, by = self.column or [], self.by or []
        # Weights may have any number of values: what --max-distinct says is about the counts.
        limits = Limits(self.budget.memory, self.budget.max_distinct, Budget.of(self.memory).max_distinct)
        found = read_table(address, self.table, self.sql, columns, by, self.weights, limits, waiting)
        watch.show("counting", 1, 1, where, "")
        return found
