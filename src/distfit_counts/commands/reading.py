"""Reading the sources of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from distfit_counts.errors import DataError

if TYPE_CHECKING:
    from distfit_counts.data.column import Column
    from distfit_counts.report.progress import Watch


def read(
    sources: list[str],
    columns: list[str] | None,
    by: list[str] | None,
    weights: str | None,
    together: bool,
    watch: Watch,
    quiet: bool,
) -> list[Column]:
    """The columns that hold values, with progress on stderr; those without are named there."""
    from distfit_counts.data.files import read_sources

    def progress(done: int, total: int | None) -> None:
        size = f"{done / 1e6:,.0f} MB" + (f" of {total / 1e6:,.0f} MB" if total else "")
        watch.show("reading", done, total, size)

    found = read_sources(sources, columns or [], by or [], weights, together, progress)
    empty = [column for column in found if column.histogram.distinct == 0]
    for column in empty:
        if not quiet:
            typer.echo(f"distfit: {column.label} has only missing values: left out", err=True)
    if len(empty) == len(found):
        raise DataError("every group has only missing values", "choose another column, or another --by")
    return [column for column in found if column.histogram.distinct]
