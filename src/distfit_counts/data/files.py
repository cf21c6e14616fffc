"""Files, directories, globs and stdin -> histograms. Every byte is read once, and only a few blocks are held."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import BinaryIO, Literal

from distfit_counts.data.column import Column, RowsOf
from distfit_counts.data.data_set import DataSet
from distfit_counts.data.groups import joined
from distfit_counts.data.locate import files_of
from distfit_counts.data.matrix.tenx import without_companions
from distfit_counts.data.request import BLOCK_SIZE, Request
from distfit_counts.data.side_by_side import side_by_side
from distfit_counts.data.source import Reader
from distfit_counts.data.stream import Meter
from distfit_counts.data.tables import Tables
from distfit_counts.errors import DataError

Progress = Callable[[int, int | None], None]

__all__ = ["Column", "read_source", "read_sources"]


def read_source(
    source: str,
    columns: Sequence[str] = (),
    by: Sequence[str] = (),
    weights: str | None = None,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    block_size: int = BLOCK_SIZE,
    variables: Literal["rows", "columns"] | None = None,
    layer: str | None = None,
) -> Sequence[Column]:
    """Count the columns of one source: a file, a directory or quoted glob (one data set), or ``-`` for stdin.

    ``columns``: names or globs; none: the only column that can be meant. ``by``: one Column per combination of
    their values, sorted. ``weights``: the column that says how often each row counts. ``progress(done, total)``
    is told bytes of the files; total is None for pipes. ``block_size``: bytes of text parsed at a time.

    For a matrix (.mtx, .h5ad) ``variables`` says what is fitted, its rows or its columns (None: as the kind of file
    has it); ``columns`` then chooses among their names (none: all), and ``by`` and ``weights`` name columns of the
    table of the other axis. ``layer``: a layer of an AnnData file, or ``raw.X``, instead of X.

    Raises DataError, and nothing else, for whatever is wrong with the input. A group without values comes back
    with an empty histogram, and so does a whole column that a glob chose beside others; else it is an error.
    """
    request = Request(columns, by, weights, variables, layer, block_size=block_size)
    return read_sources([source], request, progress=progress, stdin=stdin)


def read_sources(
    sources: Sequence[str],
    request: Request | None = None,
    together: bool = False,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> Sequence[Column]:
    """Every source on its own, in order; ``together``: all of them as one data set, named "a.csv, b.csv"."""
    request = request or Request()
    sets = [(source, without_companions(files_of(source))) for source in sources]
    if together:
        sets = [(", ".join(sources), [path for _, paths in sets for path in paths])]
    every = [path for _, paths in sets for path in paths]
    meter = Meter(progress, _size(every))

    def read(name: str, paths: list[str], request: Request) -> Sequence[Column]:
        return DataSet(name, paths, request, meter, stdin).columns()

    if len(sets) == 1 or request.side_by_side == 1 or not all(map(os.path.isfile, every)):
        return joined(read(name, paths, request) for name, paths in sets)
    alone = request.shared(len(sets))
    return joined(side_by_side(lambda named: read(*named, alone), sets, request.side_by_side))


def count_reader(
    reader: Reader,
    source: str,
    columns: Sequence[str],
    by: Sequence[str],
    weights: str | None,
    rows: RowsOf | None = None,
) -> Sequence[Column]:
    """Count a source that is open already; otherwise as ``read_source``. ``rows``: see ``Column``."""
    tables = Tables(Request(columns, by, weights), rows=rows)
    tables.add(reader)
    if not tables.rows:
        raise DataError(f"{source} has no data rows", "check what made it")
    return tables.columns(source)


def _size(paths: Sequence[str]) -> int | None:
    """Bytes of all files; None where a pipe is among them."""
    if not all(os.path.isfile(path) for path in paths):
        return None
    return sum(os.path.getsize(path) for path in paths)
