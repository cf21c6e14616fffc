"""Running counts by group: batches of values and labels go in, one histogram per combination of labels comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distfit_counts.data.arrays import as_numpy, int64_array
from distfit_counts.data.counting import Ints
from distfit_counts.data.crosstab import Crosstab
from distfit_counts.data.groups import Groups
from distfit_counts.data.labels import as_numbers, ends_alike, group_starts
from distfit_counts.data.pairs import Pairs

_MERGE_AT = 1 << 20
# Rows per call of Arrow's group_by: many, for a call costs a millisecond and joining its answers more. Where
# nearly every row is a pair of its own, the merge would only do the same again: then more.
_GROUP_AT, _GROUP_AT_MOST = 1 << 21, 1 << 24
_VALUE, _N = "\x00value", "\x00n"


class GroupTally:
    """Counts of one column for every combination of the ``by`` columns.

    While groups and values are few they are counted in an array. From the first batch that does not fit on, pairs
    with a whole number as label are sorted, and Arrow's hash tables count all others. ``most``: as of ``Pairs``.
    """

    def __init__(self, by: Sequence[str], most: int | None = None) -> None:
        self._by, self._most = list(by), most
        self._crosstab: Crosstab | None = Crosstab(len(self._by))
        self._pairs: Pairs | None = Pairs(most) if len(self._by) == 1 else None
        self._raw: list[Any] = []
        self._raw_rows = 0
        self._group_at = _GROUP_AT
        self._parts: list[Any] = []
        self._merged = 0
        self.rows = 0

    @property
    def distinct(self) -> int:
        """Pairs of a group and a value, at least so many; a crosstab's are counted where they may be more than most."""
        if self._crosstab is not None:
            return self._crosstab.distinct if self._most is not None and self._crosstab.cells > self._most else 0
        parts: list[int] = [part.num_rows - part.column(_VALUE).null_count for part in self._parts]
        return max([0 if self._pairs is None else self._pairs.distinct, *parts])

    def add(self, column: Any, labels: Sequence[Any], weights: Ints | None = None) -> None:
        """Count an int64 Arrow array by the label columns that go with it, as ``labels.plain`` makes them."""
        self.rows += len(column)
        if self._crosstab is not None:
            if self._crosstab.add(labels, column, weights):
                return
            self._end_crosstab()
        if self._pairs is None or not self._pairs.add(labels[0], column, weights):
            self._add_raw(column, labels, weights)

    def absorb(self, other: GroupTally) -> None:
        """Add what another tally has counted."""
        self._parts += other._counted()
        self.rows += other.rows
        self._merge_if_many()

    def _counted(self) -> list[Any]:
        """All that was counted, as tables of labels, value and number."""
        self._end_crosstab()
        self._group_raw()
        if self._pairs is not None:
            self._add_part(*self._pairs.columns())
            self._pairs = Pairs(self._most)
        return self._parts

    def _add_raw(self, column: Any, labels: Sequence[Any], weights: Ints | None) -> None:
        import pyarrow as pa

        table = pa.table([*labels, column], names=[*self._labels, _VALUE])
        if weights is not None:
            table = table.append_column(_N, int64_array(weights))
        self._raw.append(table)
        self._raw_rows += table.num_rows
        if self._raw_rows >= self._group_at:
            self._group_raw()

    def _end_crosstab(self) -> None:
        if self._crosstab is None:
            return
        labels, values, numbers = self._crosstab.columns()
        # Among pairs, where it goes: two parts would have to be merged in the end.
        if self._pairs is None or not self._pairs.add(labels[0], values, as_numpy(numbers)):
            self._add_part(labels, values, numbers)
        self._crosstab = None

    def _add_part(self, labels: list[Any], values: Any, numbers: Any) -> None:
        import pyarrow as pa

        if len(values):
            self._parts.append(pa.table([*labels, values, numbers], names=[*self._labels, _VALUE, _N]))

    def _group_raw(self) -> None:
        if not self._raw:
            return
        names = [*self._labels, _VALUE, *([_N] if _N in self._raw[0].column_names else [])]
        part = self._grouped(_joined(self._raw, names))
        if part.num_rows > self._raw_rows // 2:
            self._group_at = min(2 * self._group_at, _GROUP_AT_MOST)
        self._parts.append(part)
        self._raw, self._raw_rows = [], 0
        self._merge_if_many()

    def _merge_if_many(self) -> None:
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
        if len(self._parts) > 1:
            self._parts = [self._grouped(_joined(self._parts, [*self._labels, _VALUE, _N]))]
        self._merged = self._parts[0].num_rows

    def histograms(self) -> Groups:
        """Each group in sorted order, missing labels last."""
        if not self._counted():
            none = np.zeros(0, dtype=np.int64)
            return Groups(self._by, [], none, none, none, none.astype(bool))
        self._merge()
        table, self._parts = self._parts[0], []
        one = False
        for i, label in enumerate(self._labels):
            named = table.column(label).combine_chunks()
            table = table.set_column(i, label, as_numbers(named))
            one = one or ends_alike(named, table.column(label))
        if one:
            table = self._grouped(table)
        table = table.sort_by([(name, "ascending") for name in [*self._labels, _VALUE]]).combine_chunks()
        starts = group_starts([table.column(label) for label in self._labels], table.num_rows)
        labels = [table.column(label).combine_chunks().take(int64_array(starts)) for label in self._labels]
        value = table.column(_VALUE)
        values, counts = np.asarray(value.fill_null(0)), np.asarray(table.column(_N))
        return Groups(self._by, labels, starts, values, counts, np.asarray(value.is_null()))


def _joined(parts: list[Any], names: list[str]) -> Any:
    """The parts below each other; a label that is a number in one file and text in another becomes text."""
    import pyarrow as pa

    parts = [part.select(names) for part in parts]
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        text = pa.schema([(name, pa.int64() if name in (_VALUE, _N) else pa.string()) for name in names])
        return pa.concat_tables([part.cast(text) for part in parts])
