"""Columns of a formula as the same values whatever format they come in: numbers, text, or levels in their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distfit_counts.data.labels import plain
from distfit_counts.data.whole import MISSING, is_text

if TYPE_CHECKING:
    import pandas as pd

# Words that stand for no value where all others are numbers, in lower case: of SAS and Stata, spreadsheets, people. Not
# "none", which may be a level beside 1 and 2.
ABSENT = (
    *("na", "n/a", "n.a.", "nan", "null", "<na>", "missing", "?", "*"),
    *(".", "..", "-", "--", "---", "–", "—", "#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
)
# Where a frame keeps what was said of its columns.
ABSENCES = "distfit.absences"
# The levels of what is true or false.
TRUTH = ("false", "true")
_MIDNIGHT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00:00(\.0+)?$"


@dataclass(frozen=True)
class Absence:
    """``words`` that stood for a missing value in ``rows`` rows of a column of numbers, first in row ``first``."""

    column: str
    words: tuple[str, ...]
    rows: int
    first: int


def text_as_numbers(column: Any) -> Any:
    """Text, null = missing, as float64; a word of ``ABSENT`` is missing too. None where any other word is there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # pyarrow's own parser refuses a leading plus.
    text = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+([0-9.])", r"\1")
    try:
        return text.cast(pa.float64())
    except pa.ArrowInvalid:
        absent = pc.or_(pc.is_in(pc.utf8_lower(text), pa.array(ABSENT)), pc.is_in(text, pa.array(MISSING)))
    try:
        return pc.if_else(absent, None, text).cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text.replace("_", "x"))
    except ValueError:
        return False
    return not is_absent(text)


def is_absent(text: str) -> bool:
    """Whether a text stands for a missing value among numbers."""
    return text.strip().lower() in ABSENT or text.strip() in MISSING


def has_decimal_comma(text: str) -> bool:
    """20,5 and the like; 1,234 may be thousands as well."""
    return re.fullmatch(r"\s*[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?\s*", text) is not None


def remedy(text: str) -> str:
    """What to do about a text that is no number."""
    if has_decimal_comma(text):
        return f"a number has a decimal point and no comma: {text.strip().replace(',', '.')}"
    return "recode it, or leave the row out"


def absence(column: Any, numbers: Any, name: str) -> Absence | None:
    """What stands for missing values in a text column that was read as ``numbers``."""
    import pyarrow.compute as pc

    gone = pc.and_(pc.is_valid(column), pc.is_null(numbers))
    rows = pc.indices_nonzero(gone)
    if not len(rows):
        return None
    words = pc.unique(column.filter(gone)).to_pylist()
    return Absence(name, tuple(sorted(words)), len(rows), rows[0].as_py())


def together(found: Sequence[Absence]) -> tuple[Absence, ...]:
    """What was noted of parts of columns, by column."""
    by: dict[str, list[Absence]] = {}
    for own in found:
        by.setdefault(own.column, []).append(own)
    return tuple(
        Absence(
            name,
            tuple(sorted({word for own in parts for word in own.words})),
            sum(own.rows for own in parts),
            min(own.first for own in parts),
        )
        for name, parts in by.items()
    )


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


def frame_of(table: Any, whole: bool = True) -> pd.DataFrame:
    """An Arrow table in memory as a frame of the same values as from a file; ``whole``: not a part of one only."""
    import pandas as pd
    import pyarrow as pa

    absences, made = [], {}
    for i, field in enumerate(table.schema):
        if pa.types.is_boolean(field.type) or pa.types.is_temporal(field.type):
            table = table.set_column(i, field.name, covariate(table.column(i)))
        elif pa.types.is_decimal(field.type):
            made[field.name] = table.column(i).cast(pa.float64()).to_numpy()
        elif whole and is_text(field.type):
            column = table.column(i).cast(pa.string())
            numbers = text_as_numbers(column)
            found = None if numbers is None else absence(column, numbers, field.name)
            # Text that is all numbers was meant as text, by who made the table.
            if found is not None and numbers.null_count < len(numbers):
                made[field.name] = numbers.to_numpy()
                absences.append(found)
    # pandas remembers its own types there (string[pyarrow], Int64), of which formulas know little.
    table = table.replace_schema_metadata(None)
    # Blocks of their own are views of the data: nothing else is copied.
    frame: pd.DataFrame = table.to_pandas(split_blocks=True)
    for name, values in made.items():
        # What Arrow keeps of the pandas types would make text of numbers again.
        frame[name] = values
    frame.attrs[ABSENCES] = tuple(absences)
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
