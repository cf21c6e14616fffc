"""Running counts: batches of values go in, one histogram (or one per group) comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.arrays import as_numpy, int64_array, is_null
from distfit_counts.data.histogram import Histogram
from distfit_counts.data.whole import LARGEST, decoded
from distfit_counts.errors import DataError

# Values below are counted by index, with one array per column; the few above by sorting.
_DENSE = 1 << 20
_MERGE_AT = 1 << 20
# Rows per call of Arrow's group_by: many, for a call costs a millisecond and joining its answers more.
_GROUP_AT = 1 << 21
_VALUE, _N = "\x00value", "\x00n"
Ints = npt.NDArray[np.int64]


class Tally:
    """Counts of one column."""

    def __init__(self) -> None:
        self._dense: Ints = np.zeros(0, dtype=np.int64)
        self._large: list[Histogram] = []
        self._merged = 0
        self._missing = 0
        self.rows = 0

    def add(self, column: Any, weights: Ints | None = None) -> None:
        """Count an int64 Arrow array (null = missing), each value ``weights`` times."""
        self.rows += len(column)
        if column.null_count:
            if weights is None:
                self._missing += column.null_count
            else:
                nulls = is_null(column)
                self._missing += int(weights[nulls].sum())
                weights = weights[~nulls]
            column = column.drop_null()
        values = as_numpy(column)
        if not len(values):
            return
        if int(values.max()) >= _DENSE:
            large = values >= _DENSE
            self._add_large(values[large], None if weights is None else weights[large])
            values, weights = values[~large], None if weights is None else weights[~large]
        self._add_dense(_sums(values, weights))

    def _add_dense(self, counts: Ints) -> None:
        if len(counts) > len(self._dense):
            grown = np.zeros(max(len(counts), min(2 * len(self._dense), _DENSE)), dtype=np.int64)
            grown[: len(self._dense)] = self._dense
            self._dense = grown
        self._dense[: len(counts)] += counts

    def _add_large(self, values: Ints, weights: Ints | None) -> None:
        self._large.append(Histogram.of(values, weights))
        # Merged when as much is new as is old: each value is sorted again only a few times.
        if sum(part.distinct for part in self._large) > max(_MERGE_AT, 2 * self._merged):
            self._large = [Histogram.merge(self._large)]
            self._merged = self._large[0].distinct

    def histogram(self) -> Histogram:
        values = np.flatnonzero(self._dense).astype(np.int64)
        dense = Histogram(values, self._dense[values], self._missing)
        return Histogram.merge([dense, *self._large])


def _sums(values: Ints, weights: Ints | None) -> Ints:
    """For 0, 1, ..., max: how often it occurs, or the sum of its weights."""
    if weights is None:
        return np.bincount(values)
    # bincount adds in float64: exact as long as no sum can pass 2**53.
    if float(weights.sum(dtype=np.float64)) < LARGEST:
        return np.bincount(values, weights=weights).astype(np.int64)
    sums = np.zeros(int(values.max()) + 1, dtype=np.int64)
    np.add.at(sums, values, weights)
    return sums


class GroupTally:
    """Counts of one column for every combination of the ``by`` columns; Arrow's hash tables do the grouping."""

    def __init__(self, by: Sequence[str]) -> None:
        self._by = list(by)
        self._raw: list[Any] = []
        self._raw_rows = 0
        self._parts: list[Any] = []
        self._merged = 0
        self.rows = 0

    def add(self, column: Any, labels: Sequence[Any], weights: Ints | None = None) -> None:
        """Count an int64 Arrow array by the label columns that go with it."""
        import pyarrow as pa

        self.rows += len(column)
        arrays = [*(_plain(label) for label in labels), column]
        table = pa.table(arrays, names=[*self._labels, _VALUE])
        if weights is not None:
            table = table.append_column(_N, int64_array(weights))
        self._raw.append(table)
        self._raw_rows += table.num_rows
        if self._raw_rows >= _GROUP_AT:
            self._group_raw()

    def _group_raw(self) -> None:
        if not self._raw:
            return
        names = [*self._labels, _VALUE, *([_N] if _N in self._raw[0].column_names else [])]
        self._parts.append(self._grouped(_joined(self._raw, names)))
        self._raw, self._raw_rows = [], 0
        if sum(part.num_rows for part in self._parts) > max(_MERGE_AT, 2 * self._merged):
            self._merge()

    @property
    def _labels(self) -> list[str]:
        # Not the names of the file: one of them could be the name of another column here.
        return [f"\x00by{i}" for i in range(len(self._by))]

    def _grouped(self, table: Any) -> Any:
        how = (_N, "sum") if _N in table.column_names else ([], "count_all")
        grouped = table.group_by([*self._labels, _VALUE]).aggregate([how])
        return grouped.rename_columns(
            [_N if name in (f"{_N}_sum", "count_all") else name for name in grouped.column_names]
        )

    def _merge(self) -> None:
        self._parts = [self._grouped(_joined(self._parts, [*self._labels, _VALUE, _N]))]
        self._merged = self._parts[0].num_rows

    def histograms(self) -> Iterator[tuple[dict[str, object], Histogram]]:
        """Each group in sorted order, missing labels last."""
        self._group_raw()
        if not self._parts:
            return
        self._merge()
        table = self._parts[0]
        for i, label in enumerate(self._labels):
            table = table.set_column(i, label, _as_numbers(table.column(label).combine_chunks()))
        table = table.sort_by([(name, "ascending") for name in [*self._labels, _VALUE]]).combine_chunks()
        yield from self._split(table)

    def _split(self, table: Any) -> Iterator[tuple[dict[str, object], Histogram]]:
        starts = _group_starts([table.column(label) for label in self._labels], table.num_rows)
        labels = [table.column(label).take(starts).to_pylist() for label in self._labels]
        value = table.column(_VALUE)
        values, counts = np.asarray(value.fill_null(0)), np.asarray(table.column(_N))
        # At most one row of a group has no value, and it is sorted last.
        last = np.append(starts[1:], table.num_rows) - 1
        some_missing = np.asarray(value.is_null())[last]
        missing = np.where(some_missing, counts[last], 0).tolist()
        ends = (last + 1 - some_missing).tolist()
        no_zeros = bool(counts.all())
        for start, end, n_missing, *label in zip(starts.tolist(), ends, missing, *labels, strict=True):
            histogram = Histogram(values[start:end], counts[start:end], n_missing)
            group = dict(zip(self._by, label, strict=True))
            yield group, histogram if no_zeros else _without_zeros(histogram)


def _without_zeros(histogram: Histogram) -> Histogram:
    """Without the values that only rows of weight 0 hold."""
    kept = histogram.weights > 0
    return Histogram(histogram.values[kept], histogram.weights[kept], histogram.n_missing)


def _plain(label: Any) -> Any:
    """A label column that Arrow can group by and join: dictionaries decoded, odd types as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = label.type
    if pa.types.is_dictionary(kind):
        label = label.combine_chunks() if isinstance(label, pa.ChunkedArray) else label
        return _plain(decoded(label))
    simple = pa.types.is_integer(kind) or pa.types.is_boolean(kind) or kind == pa.string()
    if simple:
        return label
    if pa.types.is_floating(kind):
        # One missing label, not two: NaN like null.
        return pc.if_else(pc.is_nan(label), None, label).cast(pa.float64())
    try:
        return label.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(f"cannot group by a column of {kind}", "group by text or whole numbers") from error


def _joined(parts: list[Any], names: list[str]) -> Any:
    """The parts below each other; a label that is a number in one file and text in another becomes text."""
    import pyarrow as pa

    parts = [part.select(names) for part in parts]
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        text = pa.schema([(name, pa.int64() if name in (_VALUE, _N) else pa.string()) for name in names])
        return pa.concat_tables([part.cast(text) for part in parts])


def _as_numbers(label: Any) -> Any:
    """Text labels that are all whole numbers, as such: CSV and Parquet then name their groups alike."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if label.type != pa.string():
        return label
    label = pc.if_else(pc.equal(label, ""), None, label)
    # No leading zeros: "007" is a name.
    whole = pc.match_substring_regex(label, r"^(0|-?[1-9][0-9]{0,17})$")
    if label.null_count < len(label) and pc.all(whole).as_py():
        return label.cast(pa.int64())
    return label


def _group_starts(labels: list[Any], n: int) -> Ints:
    """First row of each run of equal labels in a sorted table."""
    new = np.zeros(n, dtype=bool)
    new[0:1] = True
    for label in labels:
        codes = np.asarray(label.combine_chunks().dictionary_encode(null_encoding="encode").indices)
        new[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(new).astype(np.int64)
