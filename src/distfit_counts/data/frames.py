"""Files -> pandas frames with the columns that a regression names: the rows themselves, in their order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from distfit_counts.data.choose import require
from distfit_counts.data.covariates import (
    ABSENCES,
    Absence,
    absence,
    covariate,
    dates,
    is_absent,
    is_number,
    is_ordered,
    levels,
    remedy,
    text_as_numbers,
    together,
    truth,
    words,
)
from distfit_counts.data.kinds import open_matrix, open_reader
from distfit_counts.data.locate import STDIN, files_of
from distfit_counts.data.request import BLOCK_SIZE
from distfit_counts.data.source import BadRow, Batch, RowError, row_error
from distfit_counts.data.stream import Meter, open_bytes
from distfit_counts.data.whole import MISSING, NotNumbers, all_whole, decoded, type_error, whole_numbers
from distfit_counts.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int | None], None]
# A column of counts, of numbers, of levels that are words, or of the levels false and true; None: numbers if every
# value is one, otherwise levels.
Kind = Literal["count", "number", "level", "truth"] | None


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of one file; the index of ``frame`` counts the rows of the file from 0."""

    frame: pd.DataFrame
    batch: Batch

    def error(self, bad: RowError) -> DataError:
        """The whole message of an error in ``frame``."""
        bad.bad.index = bad.row - self.batch.first_row
        return self.batch.error(bad.bad)


def read_frame(
    sources: Sequence[str],
    kinds: Mapping[str, Kind],
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> pd.DataFrame:
    """The columns ``kinds`` of all rows of all sources, one after the other; missing values are NaN or None.

    Raises DataError for a source that cannot be read, a column that it lacks and a value that is not of its kind.
    """
    import pandas as pd
    import pyarrow as pa

    parts: dict[str, list[Any]] = {name: [] for name in kinds}
    absences: list[Absence] = []
    rows = 0
    for batch in _batches(sources, list(kinds), progress, stdin):
        for name, kind in kinds.items():
            parts[name].append(_typed(batch, name, kind, absences, rows))
        rows += batch.rows
    if not any(len(part) for part in next(iter(parts.values()), [])):
        raise _no_rows(sources)
    columns = {}
    for name, kind in kinds.items():
        found = parts.pop(name)
        columns[name] = _whichever(found, name, absences) if kind is None else _values(pa.chunked_array(found))
    frame = pd.DataFrame(columns)
    frame.attrs[ABSENCES] = together(absences)
    return frame


def _whichever(found: list[Any], name: str, absences: list[Absence]) -> Any:
    """A column of any kind from those of its batches; what stands for missing values among numbers is noted."""
    import pyarrow as pa

    if all(is_ordered(part.type) for part in found):
        return levels(found)
    found = [decoded(part) if is_ordered(part.type) else part for part in found]
    texts = [pa.types.is_string(part.type) for part in found]
    if any(texts) and not all(texts):
        found = [part.cast(pa.string()) for part in found]
    whole = pa.chunked_array(found)
    if not any(texts):
        return _values(whole)
    numbers = text_as_numbers(whole)
    if numbers is None or numbers.null_count == len(numbers):
        return _values(words(whole))
    if noted := absence(whole, numbers, name):
        absences.append(noted)
    return _values(numbers)


def stream_frames(
    sources: Sequence[str],
    kinds: Mapping[str, Kind],
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Part]:
    """The same in blocks of rows, each kind being known. Raises DataError where there are no rows too."""
    import pandas as pd

    rows = 0
    for batch in _batches(sources, list(kinds), progress, stdin):
        columns = {name: _values(_typed(batch, name, kind)) for name, kind in kinds.items()}
        yield Part(pd.DataFrame(columns, index=pd.RangeIndex(batch.first_row, batch.first_row + batch.rows)), batch)
        rows += batch.rows
    if not rows:
        raise _no_rows(sources)


def placed(sources: Sequence[str], names: Sequence[str], bad: RowError) -> DataError:
    """The whole message of an error in a row of all sources together, which are read again for its file and line."""
    if STDIN in sources:
        return row_error("stdin", bad.row, None, bad.bad)
    first = 0
    for batch in _batches(sources, list(names), None, None):
        if bad.row < first + batch.rows:
            bad.bad.index = bad.row - first
            return batch.error(bad.bad)
        first += batch.rows
    return bad


def column_names(sources: Sequence[str]) -> list[str]:
    """The columns of the first file. Raises DataError for stdin, which can be read once only."""
    if STDIN in sources:
        raise DataError("the columns of stdin are not known beforehand", "name them: y ~ x1 + x2, not y ~ .")
    (path, *_) = [path for source in sources for path in files_of(source)]
    with open_bytes(path, path, None, Meter(None, None)) as stream:
        return open_reader(stream, [], BLOCK_SIZE).names


def _no_rows(sources: Sequence[str]) -> DataError:
    names = ", ".join("stdin" if source == STDIN else source for source in sources)
    return DataError(f"{names} has no data rows", "check the program or the filter that wrote it")


def _batches(
    sources: Sequence[str], names: list[str], progress: Progress | None, stdin: BinaryIO | None
) -> Iterator[Batch]:
    paths = [path for source in sources for path in files_of(source)]
    regular = all(map(os.path.isfile, paths))
    meter = Meter(progress, sum(map(os.path.getsize, paths)) if regular else None)
    for path in paths:
        name = "stdin" if path == STDIN else path
        with open_bytes(name, None if path == STDIN else path, stdin, meter) as stream:
            if not stream.peek(1):
                raise DataError(f"{name} is empty (0 bytes)", "nothing was written to it; check the program")
            if open_matrix(stream, BLOCK_SIZE, None):
                raise DataError(
                    f"{name}: a matrix has no columns for a formula", "write a table, a row per observation"
                )
            reader = open_reader(stream, names, BLOCK_SIZE)
            require(reader, *names)
            yield from reader.batches([], names)


def _typed(batch: Batch, name: str, kind: Kind, absences: list[Absence] | None = None, first: int = 0) -> Any:
    """One column of a batch as float64, text or a dictionary of it, null = missing.

    ``absences`` notes the words that stand for missing values in a column of numbers; ``first``: the rows before.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch.columns[name]
    try:
        if kind == "count":
            return whole_numbers(column, batch.thousands).cast(pa.float64())
        column = covariate(column)
    except NotNumbers as bad:
        raise type_error(batch.source, name, bad) from None
    except BadRow as bad:
        bad.column = name
        raise batch.error(bad) from None
    if is_ordered(column.type):
        if kind is None:
            return column
        column = decoded(column)
    if pa.types.is_string(column.type):
        column = pc.if_else(pc.is_in(column, pa.array(MISSING)), None, column)
        if kind == "truth":
            return truth(column)
        if kind != "number":
            return dates(column) if kind == "level" else column
        numbers = text_as_numbers(column)
        if numbers is None:
            raise batch.error(_not_a_number(column, name))
        if absences is not None and (noted := absence(column, numbers, name)):
            absences.append(replace(noted, first=first + noted.first))
        return numbers
    if kind == "level":
        # As words: 1, also where missing values have made it 1.0.
        whole = pa.types.is_floating(column.type) and all_whole(pa.chunked_array([column]))
        return (column.cast(pa.int64()) if whole else column).cast(pa.string())
    return column.cast(pa.float64())


def _not_a_number(column: Any, name: str) -> BadRow:
    texts = column.to_pylist()
    index = next(i for i, text in enumerate(texts) if text is not None and not is_number(text) and not is_absent(text))
    return BadRow(index, f"{texts[index]!r} is not a number", remedy(texts[index]), name)


def _values(column: Any) -> Any:
    """A NumPy array: numbers, float64 with NaN where some are missing, or objects with None."""
    return column.to_numpy(zero_copy_only=False)
