"""From any Arrow column to int64 counts with nulls for missing, or the first row that is none."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, int64_array, is_null
from distfit_counts.data.source import COUNT_HINT, BadRow
from distfit_counts.errors import DataError

# From here on float64, in which every likelihood is computed, no longer tells neighbouring counts apart.
LARGEST = 2**53
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A")
# With no more digits than this, and no negative exponent, what float64 makes a whole number is one.
_EXACT_DIGITS, _LOOKED_AT = 16, 1 << 18
# Groups of thousands, or three decimal places.
_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


class NotNumbers(Exception):
    """The column's type cannot hold counts; the reader's caller names source and column."""

    def __init__(self, type_text: str, hint: str) -> None:
        super().__init__(type_text)
        self.type_text = type_text
        self.hint = hint


def whole_numbers(column: Any, thousands: bool = False) -> Any:
    """``column`` (Array or ChunkedArray of any type) as an int64 Array, null = missing.

    ``thousands``: a dot in text may stand between thousands.
    Raises BadRow for the first value that is no whole number in 0..2**53, NotNumbers for a type that holds none.
    """
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # what combine_chunks makes of zero chunks in old versions
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return whole_numbers(column.storage, thousands)
    if pa.types.is_dictionary(kind):
        return whole_numbers(decoded(column), thousands)
    if pa.types.is_run_end_encoded(kind):
        from pyarrow.compute import run_end_decode

        return whole_numbers(run_end_decode(column), thousands)
    if pa.types.is_null(kind):
        return column.cast(pa.int64())
    if pa.types.is_integer(kind):
        return _from_integers(column)
    if pa.types.is_floating(kind):
        return _from_floats(column)
    if pa.types.is_decimal(kind):
        return _from_decimals(column)
    if is_text(kind):
        return _from_text(column, thousands)
    raise NotNumbers("dates" if pa.types.is_date(kind) else str(kind), _remedy(kind))


def decoded(column: Any) -> Any:
    """A dictionary-encoded Array as plain values."""
    import pyarrow as pa

    dictionary = column.dictionary
    # Polars writes categories as string views, which pyarrow can neither take from nor cast in a dictionary.
    if is_text(dictionary.type):
        dictionary = dictionary.cast(pa.string())
    return dictionary.take(column.indices)


def is_text(kind: Any) -> bool:
    import pyarrow as pa

    tests = ("is_string", "is_large_string", "is_string_view", "is_binary", "is_large_binary")
    return any(getattr(pa.types, test, lambda _: False)(kind) for test in tests)


def all_whole(column: Any) -> bool:
    """Whether a float column holds only exact whole numbers >= 0 below 2**53 and nulls (no NaN, no inf)."""
    return all(_whole_floats(as_numpy(chunk.drop_null())) for chunk in column.chunks)


def once_each(column: Any) -> bool:
    """Whether an integer Array or ChunkedArray holds K, ..., 1, 0 or 1 once each, in any order, and K is 3 or more."""
    import pyarrow as pa

    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if column.null_count or not len(column):
        return False
    return consecutive(np.sort(np.concatenate([as_numpy(chunk) for chunk in chunks])))


def consecutive(values: Any) -> bool:
    """Whether sorted numbers are those from 0 or 1 to K >= 3, once each."""
    return len(values) > 3 and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _whole_floats(values: Any) -> bool:
    # NaN fails both comparisons.
    return bool(((values >= 0) & (values < LARGEST)).all()) and bool((values == np.floor(values)).all())


def _from_integers(column: Any) -> Any:
    import pyarrow as pa

    # Not pyarrow's min_max and cast where nothing is missing: importing pyarrow.compute takes longer than a small file.
    values = as_numpy(column.drop_null() if column.null_count else column)
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if low < 0 or high > LARGEST:
        import pyarrow.compute as pc

        # Compared by pyarrow, not NumPy: nulls and uint64 keep their meaning.
        wrong = pc.greater(column, pa.scalar(LARGEST, column.type)) if high > LARGEST else None
        if low < 0:
            negative = pc.less(column, 0)
            wrong = negative if wrong is None else pc.or_(wrong, negative)
        index = pc.index(pc.fill_null(wrong, False), True).as_py()
        raise bad_number(index, str(column[index].as_py()))
    if column.type == pa.int64():
        return column
    return column.cast(pa.int64()) if column.null_count else int64_array(values.astype(np.int64))


def _from_floats(column: Any) -> Any:
    import pyarrow as pa

    values = as_numpy(column if column.type != pa.float16() else column.cast(pa.float32())).astype(np.float64)
    missing = np.isnan(values)
    if column.null_count:
        missing |= is_null(column)
    whole = (values >= 0) & (values <= LARGEST) & (values == np.floor(values))
    wrong = ~(whole | missing)
    if wrong.any():
        index = int(wrong.argmax())
        raise bad_number(index, _shown(float(values[index])))
    return int64_array(np.where(missing, 0, values).astype(np.int64), missing)


def _from_decimals(column: Any) -> Any:
    import pyarrow as pa

    try:
        return _from_integers(column.cast(pa.int64()))
    except pa.ArrowInvalid:  # digits after the point, or beyond int64: find which row
        for index, value in enumerate(column.to_pylist()):
            if value is not None and not (value == value.to_integral_value() and 0 <= value <= LARGEST):
                raise bad_number(index, f"{value:f}") from None
        raise


def _from_text(column: Any, thousands: bool) -> Any:
    """Strings, value by value but vectorised: blanks trimmed, missing tokens to null, ``3``, ``3.0``, ``1e3``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    text = pc.if_else(pc.is_in(text, value_set=pa.array(MISSING)), None, text)
    if thousands:
        _refuse_thousands(text)
    numeric = pc.fill_null(pc.match_substring_regex(text, _NUMBER), True)
    wrong = ~np.asarray(numeric)
    # pyarrow's own parser refuses a leading plus.
    numbers = pc.cast(pc.replace_substring_regex(pc.if_else(numeric, text, None), r"^\+", ""), pa.float64())
    values = np.asarray(numbers.to_numpy(zero_copy_only=False))
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        wrong |= ~missing & ~((values >= 0) & (values < LARGEST) & (values == np.floor(values)))
    rounded = pc.or_(pc.greater(pc.utf8_length(text), _EXACT_DIGITS), pc.match_substring_regex(text, "[eE]-"))
    wrong |= np.asarray(pc.fill_null(rounded, False))
    exact = np.where(missing | wrong, 0, values).astype(np.int64)
    for index in np.flatnonzero(wrong):
        # Few: either the first bad value, or one that float64 may have rounded, which Python decides exactly.
        exact[index] = _exact(int(index), text[int(index)].as_py())
    return int64_array(exact, missing & ~wrong)


def _refuse_thousands(text: Any) -> None:
    import pyarrow.compute as pc

    index = pc.index(pc.fill_null(pc.match_substring_regex(text, _THOUSANDS), False), True).as_py()
    if index >= 0:
        shown = text[index].as_py()
        small, large = shown.partition(".")[0], shown.replace(".", "")
        hint = (
            f"where a comma is the decimal point, a dot divides thousands: write {large} if it does here, else {small}"
        )
        raise BadRow(index, f"{shown} may be {small} or {large}", hint)


def may_round(text: bytes) -> bool:
    """Whether ``text`` may hold a number that float64 rounds to a whole one: one of many digits, or a tiny one."""
    if b"-" in text and (b"e-" in text or b"E-" in text) and re.search(rb"[0-9.][eE]-", text):
        return True
    codes = np.frombuffer(text, dtype=np.uint8)
    # In pieces that stay near the processor; they overlap by the length that is looked for.
    return any(
        _has_long_number(codes[start : start + _LOOKED_AT + _EXACT_DIGITS])
        for start in range(0, len(codes), _LOOKED_AT)
    )


def _has_long_number(codes: Any) -> bool:
    digits = codes - np.uint8(ord(".")) <= np.uint8(ord("9") - ord("."))
    # So many in a row fill a word.
    words = digits[: len(digits) // 8 * 8].view(np.uint64)
    if not (words == 0x0101010101010101).any():
        return False
    length = 1
    while length < _EXACT_DIGITS:
        digits, length = digits[:-length] & digits[length:], 2 * length
    return bool((digits[:-1] & digits[1:]).any())


def _exact(index: int, text: str) -> int:
    try:
        number = Decimal(text) if re.match(_NUMBER, text) else None
    except InvalidOperation:
        number = None
    # is_finite: an exponent like 1e999999999 must not be expanded to an integer.
    if number is None or not (0 <= number <= LARGEST and number == number.to_integral_value()):
        raise bad_number(index, text)
    return int(number)


def bad_number(index: int, text: str) -> BadRow:
    """The BadRow for a value that is no count: says in words what is wrong with it."""
    shown = text if len(text) <= 40 else text[:37] + "..."
    try:
        number = Decimal(text)
    except InvalidOperation:
        return BadRow(index, f"{shown!r} is not a number", COUNT_HINT)
    if number.is_infinite() or number.is_nan():
        return BadRow(index, f"{shown} is not a finite number", COUNT_HINT)
    if number < 0:
        return BadRow(index, f"{shown} is negative")
    if number > LARGEST:
        hint = "counts this large are not exact in floating point; divide them by a common unit, or drop the row"
        return BadRow(index, f"{shown} is beyond 2**53 = {LARGEST}", hint)
    return BadRow(index, f"{shown} is not a whole number")


def _shown(value: float) -> str:
    return str(int(value)) if np.isfinite(value) and value == int(value) else repr(value)


def _remedy(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "true/false is no count; convert it to 0 and 1 first, or choose another column with --column"
    if pa.types.is_temporal(kind):
        return "a date or time is no count; count the rows per date first, or choose another column with --column"
    if pa.types.is_nested(kind):
        return "flatten the column to one number per row first, or choose another column with --column"
    return "choose a column of whole numbers with --column"


def type_error(source: str, column: str, bad: NotNumbers) -> DataError:
    return DataError(f'{source}, column "{column}": holds {bad.type_text}, not whole numbers', bad.hint)
