"""Label columns, by which counts are grouped: as Arrow can group and join them, as people read them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from distfit_counts.data.whole import decoded
from distfit_counts.errors import DataError

Ints = npt.NDArray[np.int64]

_REMEDY = "group by text, whole numbers, dates or times"


def plain(label: Any) -> Any:
    """A label column as an Array that Arrow can group by and join: dictionaries decoded, odd types as text, which is
    the text that databases make of them. Raises DataError for a type that has none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(label, pa.ChunkedArray):
        label = label.chunk(0) if label.num_chunks == 1 else label.combine_chunks()
    kind = label.type
    if pa.types.is_dictionary(kind):
        return plain(decoded(label))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or kind == pa.string():
        return label
    if isinstance(label, pa.ExtensionArray):
        return _uuids(label.storage) if kind.extension_name == "arrow.uuid" else plain(label.storage)
    if pa.types.is_time(kind):
        # Without the zeros that end a fraction.
        text = pc.replace_substring_regex(label.cast(pa.string()), r"(\.[0-9]*?)0+$", r"\1")
        return pc.replace_substring_regex(text, r"\.$", "")
    if pa.types.is_fixed_size_binary(kind):
        raise DataError(f"holds {kind}", _REMEDY)
    if pa.types.is_floating(kind):
        # One missing label, not two: NaN like null.
        return pc.if_else(pc.is_nan(label), None, label).cast(pa.float64())
    try:
        return label.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(f"holds {kind}", _REMEDY) from error


def _uuids(label: Any) -> Any:
    """16 bytes each as text, once for each that is distinct."""
    import pyarrow as pa

    coded = label.dictionary_encode()
    names = [str(UUID(bytes=value)) for value in coded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(coded.indices)


def as_numbers(label: Any) -> Any:
    """Text labels that are all whole numbers, as such: CSV and Parquet then name their groups alike. Also where they
    are written 1.0, as tables are that had a missing one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if label.type != pa.string():
        return label
    label = pc.if_else(pc.equal(label, ""), None, label)
    # No leading zeros: "007" is a name.
    whole = pc.match_substring_regex(label, r"^(0|-?[1-9][0-9]{0,17})(\.0)?$")
    if label.null_count < len(label) and pc.all(whole).as_py():
        return pc.replace_substring_regex(label, r"\.0$", "").cast(pa.int64())
    return label


def ends_alike(label: Any, numbers: Any) -> bool:
    """Whether ``numbers``, made of ``label``, may have made one of two: of "" and null, or of 1 and 1.0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    written = label.type == pa.string() and numbers.type != pa.string()
    return label.null_count != numbers.null_count or (written and bool(pc.any(pc.ends_with(label, ".0")).as_py()))


def group_starts(labels: list[Any], n: int) -> Ints:
    """First row of each run of equal labels in a sorted table."""
    new = np.zeros(n, dtype=bool)
    new[0:1] = True
    for label in labels:
        codes = np.asarray(label.combine_chunks().dictionary_encode(null_encoding="encode").indices)
        new[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(new).astype(np.int64)
