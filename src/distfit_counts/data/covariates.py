"""Columns of a formula as the same values whatever format they come in: numbers, text, or levels in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distfit_counts.data.labels import plain
from distfit_counts.data.whole import MISSING, is_text

if TYPE_CHECKING:
    import pandas as pd

# The levels of what is true or false.
TRUTH = ("false", "true")
_MIDNIGHT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00:00(\.0+)?$"


def covariate(column: Any) -> Any:
    """An Array of numbers, of text, null = missing, or a dictionary of text, whose levels have an order.

    Truth is the text false and true; a date or a time is ISO text, as CSV has it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_ordered(column.type):
        column = _whole(column)
        levels = column.dictionary.cast(pa.string())
        return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int64()), levels)
    temporal = pa.types.is_temporal(column.type)
    column = plain(column)
    if pa.types.is_boolean(column.type):
        return column.cast(pa.string())
    if temporal:
        column = dates(pc.replace_substring_regex(column, r"(\.[0-9]*[1-9])0+$|\.0+$", r"\1"))
    return column


def frame_of(table: Any) -> pd.DataFrame:
    """An Arrow table in memory as a frame of the same values as from a file."""
    import pandas as pd
    import pyarrow as pa

    for i, field in enumerate(table.schema):
        if pa.types.is_boolean(field.type) or pa.types.is_temporal(field.type):
            table = table.set_column(i, field.name, covariate(table.column(i)))
    # Blocks of their own are views of the data: nothing else is copied.
    frame: pd.DataFrame = table.to_pandas(split_blocks=True)
    for name, kind in frame.dtypes.items():
        if isinstance(kind, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame


def is_ordered(kind: Any) -> bool:
    """Whether a column says which levels it has, and in which order: pandas' and Arrow's categories, R's factors."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(kind) and is_text(kind.value_type))


def words(column: Any) -> Any:
    """All of a text column as levels: True and TRUE are true where nothing else is said."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lower = truth(column)
    said = pc.is_in(lower, pa.array([*TRUTH, None], pa.string()))
    return lower if pc.all(said).as_py() else dates(column)


def dates(column: Any) -> Any:
    """Text, midnight left out of a time."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(column, _MIDNIGHT, r"\1")


def truth(column: Any) -> Any:
    """Text in lower case, without blanks around it."""
    import pyarrow.compute as pc

    return pc.utf8_lower(pc.utf8_trim_whitespace(column))


def levels(columns: list[Any]) -> Any:
    """The dictionaries of several batches as one pandas column: the first one's levels, then what others add."""
    import pyarrow as pa

    found = pa.chunked_array(columns).unify_dictionaries().to_pandas()
    absent = [level for level in found.cat.categories if level in MISSING]
    return found.cat.remove_categories(absent).cat.remove_unused_categories()


def _whole(column: Any) -> Any:
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    unified = column.unify_dictionaries()
    return unified.chunk(0) if unified.num_chunks == 1 else unified.combine_chunks()
