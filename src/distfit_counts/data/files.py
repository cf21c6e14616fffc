"""Files, directories, globs and stdin -> histograms. Every byte is read once, and only a few blocks are held."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from distfit_counts.data.arrays import as_numpy, is_null
from distfit_counts.data.choose import choose, require
from distfit_counts.data.column import Column
from distfit_counts.data.counting import GroupTally, Ints, Tally
from distfit_counts.data.delimited import BLOCK_SIZE
from distfit_counts.data.dialect import DELIMITER_HINT
from distfit_counts.data.kinds import open_reader
from distfit_counts.data.locate import STDIN, files_of
from distfit_counts.data.source import BadRow, Batch, Reader
from distfit_counts.data.stream import Meter, open_bytes
from distfit_counts.data.whole import LARGEST, NotNumbers, type_error, whole_numbers
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
) -> list[Column]:
    """Count the columns of one source: a file, a directory or quoted glob (one data set), or ``-`` for stdin.

    ``columns``: names or globs; none: the only column that can be meant. ``by``: one Column per combination of
    their values, sorted. ``weights``: the column that says how often each row counts. ``progress(done, total)``
    is told bytes of the files; total is None for pipes. ``block_size``: bytes of text parsed at a time.

    Raises DataError, and nothing else, for whatever is wrong with the input. A group without values comes back
    with an empty histogram; a whole column without values is an error.
    """
    return _read_set([source], columns, by, weights, progress, stdin, block_size)


def read_sources(
    sources: Sequence[str],
    columns: Sequence[str] = (),
    by: Sequence[str] = (),
    weights: str | None = None,
    together: bool = False,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> list[Column]:
    """Every source on its own, in order; ``together``: all of them as one data set, named "a.csv, b.csv"."""
    if together:
        return _read_set(sources, columns, by, weights, progress, stdin, BLOCK_SIZE)
    total = _size([path for source in sources for path in files_of(source)])
    found: list[Column] = []
    before = 0
    for source in sources:
        so_far = 0

        def advance(done: int, _total: int | None, start: int = before) -> None:
            nonlocal so_far
            so_far = done
            if progress is not None:
                progress(start + done, total)

        found += read_source(source, columns, by, weights, advance if progress else None, stdin)
        before += so_far
    return found


def _read_set(
    sources: Sequence[str],
    columns: Sequence[str],
    by: Sequence[str],
    weights: str | None,
    progress: Progress | None,
    stdin: BinaryIO | None,
    block_size: int,
) -> list[Column]:
    paths = [path for source in sources for path in files_of(source)]
    meter = Meter(progress, _size(paths))
    counting = _Counting(tuple(columns), tuple(dict.fromkeys(by)), weights)
    empty: list[DataError] = []
    for path in paths:
        name = "stdin" if path == STDIN else path
        with open_bytes(name, None if path == STDIN else path, stdin, meter) as stream:
            if not stream.peek(1):
                hint = "nothing was written to it; check the program that makes it"
                empty.append(DataError(f"{name} is empty (0 bytes)", hint))
                continue
            reader = open_reader(stream, {*columns, *by, weights or ""}, block_size)
            counting.add(reader)
    source = ", ".join(sources)
    if not counting.rows:
        # One empty part of a data set says nothing; all of them do.
        if empty and len(empty) == len(paths):
            raise empty[0]
        raise DataError(f"{source} has no data rows", "check the program or the filter that wrote it")
    return list(counting.columns(source))


def count_reader(
    reader: Reader, source: str, columns: Sequence[str], by: Sequence[str], weights: str | None
) -> list[Column]:
    """Count a source that is open already; otherwise as ``read_source``."""
    counting = _Counting(tuple(columns), tuple(dict.fromkeys(by)), weights)
    counting.add(reader)
    if not counting.rows:
        raise DataError(f"{source} has no data rows", "check what made it")
    return list(counting.columns(source))


def _size(paths: Sequence[str]) -> int | None:
    """Bytes of all files; None where a pipe is among them."""
    if not all(os.path.isfile(path) for path in paths):
        return None
    return sum(os.path.getsize(path) for path in paths)


class _Counting:
    """The tallies of one data set, fed file after file."""

    def __init__(self, columns: Sequence[str], by: Sequence[str], weights: str | None) -> None:
        self._asked = columns
        self._by = by
        self._weights = weights
        self._tallies: dict[str, Tally | GroupTally] = {}
        self._weight = 0
        self.rows = 0

    def add(self, reader: Reader) -> None:
        if not reader.names:  # JSON Lines without a line
            return
        if not self._tallies:
            chosen = choose(reader, self._asked, self._by, self._weights)
            self._tallies = {name: GroupTally(self._by) if self._by else Tally() for name in chosen}
        weights = [self._weights] if self._weights is not None else []
        for name in [*self._tallies, *self._by, *weights]:
            require(reader, name)
        for batch in reader.batches([*self._tallies, *weights], self._by):
            self._add_batch(batch, reader)
            self.rows += batch.rows

    def _add_batch(self, batch: Batch, reader: Reader) -> None:
        weights = self._row_weights(batch, reader)
        for name, tally in self._tallies.items():
            values = _numbers(batch, name, reader)
            if isinstance(tally, GroupTally):
                tally.add(values, [batch.columns[label] for label in self._by], weights)
            else:
                tally.add(values, weights)

    def _row_weights(self, batch: Batch, reader: Reader) -> Ints | None:
        if self._weights is None:
            return None
        weights = _numbers(batch, self._weights, reader)
        if weights.null_count:
            index = int(is_null(weights).argmax())
            hint = "give every row a weight; 0 leaves a row out"
            raise batch.error(BadRow(index, "a missing weight", hint, self._weights))
        numbers: Ints = as_numpy(weights)
        self._weight += int(numbers.sum(dtype="float64"))
        if self._weight > LARGEST:
            raise DataError(
                f'{batch.source}, column "{self._weights}": the weights add up to more than 2**53',
                "divide them by a common factor",
            )
        return numbers

    def columns(self, source: str) -> Iterator[Column]:
        for name, tally in self._tallies.items():
            if isinstance(tally, GroupTally):
                found = [Column(source, name, group, part) for group, part in tally.histograms()]
            else:
                found = [Column(source, name, {}, tally.histogram())]
            if not any(column.histogram.distinct for column in found):
                raise _nothing(source, name, sum(column.histogram.n_missing for column in found), tally.rows)
            yield from found


def _numbers(batch: Batch, name: str, reader: Reader) -> Any:
    try:
        return whole_numbers(batch.columns[name])
    except NotNumbers as bad:
        raise type_error(batch.source, name, bad) from None
    except BadRow as bad:
        bad.column = name
        looks_undivided = getattr(reader, "looks_undivided", None)
        # Only the value itself is judged: 'abc', out of "'abc' is not a number".
        value = bad.problem.split("'")[1] if bad.problem.startswith("'") else ""
        if looks_undivided is not None and looks_undivided(value):
            bad.hint = DELIMITER_HINT
        raise batch.error(bad) from None


def _nothing(source: str, name: str, missing: int, rows: int) -> DataError:
    if missing == rows:
        problem = f'column "{name}" of {source} has only missing values ({missing} of {rows} rows)'
        return DataError(problem, "choose another column with --column, or check how missing values were written")
    return DataError(f'column "{name}" of {source} has no value with a weight above 0', "check the --weights column")
