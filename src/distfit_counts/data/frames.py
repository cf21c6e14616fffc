"""Files -> pandas frames with the columns that a regression names: the rows themselves, in their order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from distfit_counts.data.choose import require
from distfit_counts.data.kinds import open_matrix, open_reader
from distfit_counts.data.labels import plain
from distfit_counts.data.locate import STDIN, files_of
from distfit_counts.data.request import BLOCK_SIZE
from distfit_counts.data.source import BadRow, Batch
from distfit_counts.data.stream import Meter, open_bytes
from distfit_counts.data.whole import MISSING, NotNumbers, type_error, whole_numbers
from distfit_counts.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int | None], None]
# A column of counts, of numbers, or of levels; None: numbers if every value is one, otherwise levels.
Kind = Literal["count", "number", "level"] | None


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
    for batch in _batches(sources, list(kinds), progress, stdin):
        for name, kind in kinds.items():
            parts[name].append(_typed(batch, name, kind))
    if not any(len(part) for part in next(iter(parts.values()), [])):
        raise DataError(f"{', '.join(sources)} has no data rows", "check the program or the filter that wrote it")
    columns = {}
    for name, kind in kinds.items():
        found = parts.pop(name)
        if kind is None:
            texts = [pa.types.is_string(part.type) for part in found]
            if any(texts) and not all(texts):
                found = [part.cast(pa.string()) for part in found]
            whole = pa.chunked_array(found)
            numbers = _as_numbers(whole) if any(texts) else whole
            columns[name] = _values(whole if numbers is None else numbers)
        else:
            columns[name] = _values(pa.chunked_array(found))
    return pd.DataFrame(columns)


def stream_frames(
    sources: Sequence[str],
    kinds: Mapping[str, Kind],
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[pd.DataFrame]:
    """The same in blocks of rows, each kind being known; the index counts the rows of all sources from 0."""
    import pandas as pd

    first = 0
    for batch in _batches(sources, list(kinds), progress, stdin):
        columns = {name: _values(_typed(batch, name, kind)) for name, kind in kinds.items()}
        yield pd.DataFrame(columns, index=pd.RangeIndex(first, first + batch.rows))
        first += batch.rows


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


def _typed(batch: Batch, name: str, kind: Kind) -> Any:
    """One column of a batch as float64 or text, null = missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch.columns[name]
    try:
        if kind == "count":
            return whole_numbers(column).cast(pa.float64())
        column = plain(column)
    except NotNumbers as bad:
        raise type_error(batch.source, name, bad) from None
    except BadRow as bad:
        bad.column = name
        raise batch.error(bad) from None
    if pa.types.is_string(column.type):
        column = pc.if_else(pc.is_in(column, pa.array(MISSING)), None, column)
        if kind != "number":
            return column
        numbers = _as_numbers(column)
        if numbers is None:
            raise batch.error(_not_a_number(column, name))
        return numbers
    if kind == "level" and not pa.types.is_floating(column.type):
        return column.cast(pa.int64())
    return column.cast(pa.float64())


def _as_numbers(column: Any) -> Any:
    """Text as float64, None where one of the values is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.utf8_trim_whitespace(column).cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _not_a_number(column: Any, name: str) -> BadRow:
    for index, text in enumerate(column.to_pylist()):
        try:
            float("0" if text is None else text)
        except ValueError:
            return BadRow(index, f"{text!r} is not a number", "recode it, or leave the row out", name)
    return BadRow(0, "not a number", "recode it, or leave the row out", name)


def _values(column: Any) -> Any:
    """A NumPy array: numbers, float64 with NaN where some are missing, or objects with None."""
    return column.to_numpy(zero_copy_only=False)
