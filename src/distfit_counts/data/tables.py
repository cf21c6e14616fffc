"""The histograms of one data set of tables, fed file after file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from distfit_counts.data.checked import Weighing, counts_of, labels_in
from distfit_counts.data.choose import choose, require
from distfit_counts.data.column import Column, RowsOf
from distfit_counts.data.counting import Tally
from distfit_counts.data.distinct import BYTES_PER_DISTINCT, check_distinct, too_much
from distfit_counts.data.grouping import GroupTally
from distfit_counts.data.groups import GroupColumns, Groups
from distfit_counts.data.request import Request
from distfit_counts.data.source import Batch, Reader
from distfit_counts.data.valueless import Valueless, each_of
from distfit_counts.data.whole import consecutive
from distfit_counts.errors import DataError

# Entries of the arrays that count small values, over all columns: 512 MB at most.
_DENSE_ENTRIES = 1 << 26
# Rows of a table of frequencies at most.
_FREQUENCIES = 1_000


class Tables:
    """One tally for each column. ``check``: called between batches; it may raise to end the work. ``rows``: finds the
    counts of a column and group in the order of the rows.
    """

    def __init__(self, request: Request, check: Callable[[], None] = lambda: None, rows: RowsOf | None = None) -> None:
        self._request = request
        self._check = check
        self._rows = rows
        self._by = list(dict.fromkeys(request.by))
        self._weighing = None if request.weights is None else Weighing(request.weights)
        self._tallies: dict[str, Tally | GroupTally] = {}
        self._beside: str | None = None
        self.rows = 0

    def add(self, reader: Reader) -> None:
        if not reader.names:  # JSON Lines without a line
            return
        if not self._tallies:
            self._tallies = self._new_tallies(choose(reader, self._request.columns, self._by, self._request.weights))
        weights = [] if self._weighing is None else [self._weighing.name]
        require(reader, *self._tallies, *self._by, *weights)
        for batch in reader.batches([*self._tallies, *weights], self._by):
            self._check()
            self.rows += batch.rows
            self._add_batch(batch, reader)
        if not self._by and not weights and self.rows <= _FREQUENCIES and len(self._tallies) == 1:
            others = [field.name for field in reader.fields() if field.whole and field.name not in self._tallies]
            self._beside = others[0] if len(others) == 1 else None

    def _new_tallies(self, names: list[str]) -> dict[str, Tally | GroupTally]:
        if self._request.columns_chosen is not None:
            self._request.columns_chosen(len(names))
        if self._by:
            return {name: GroupTally(self._by, self._request.max_distinct) for name in names}
        # Twenty thousand columns cannot have eight megabytes each.
        return {name: Tally(_DENSE_ENTRIES // len(names)) for name in names}

    def absorb(self, other: Tables) -> None:
        """Add what another part of the data set has counted."""
        if not self._tallies:
            self._tallies = other._tallies
        else:
            for name, tally in other._tallies.items():
                self._tallies[name].absorb(tally)  # type: ignore[arg-type]  # both are of one kind
        self.rows += other.rows
        if self._weighing is not None and other._weighing is not None:
            self._weighing.absorb(other._weighing)

    def _add_batch(self, batch: Batch, reader: Reader) -> None:
        weights = None if self._weighing is None else self._weighing.of(batch, reader)
        for name, tally in self._tallies.items():
            values = counts_of(batch, name, reader)
            if isinstance(tally, GroupTally):
                tally.add(values, [labels_in(batch, label) for label in self._by], weights)
            else:
                tally.add(values, weights)
            self._check_distinct(tally.distinct, batch.source, name)

    def _check_distinct(self, distinct: int, source: str, name: str) -> None:
        most, after = self._request.max_distinct, f" after {self.rows:,} rows"
        check_distinct(distinct, most, source, name, bool(self._by), after)

    def _check_groups(self, groups: Groups, source: str, name: str) -> None:
        most = self._request.max_pairs
        if most is not None and groups.distinct + len(groups) > most:
            sizes = too_much((groups.distinct + len(groups)) * BYTES_PER_DISTINCT, most * BYTES_PER_DISTINCT)
            raise DataError(
                f'{source}, column "{name}": {len(groups):,} groups with {groups.distinct:,} values take {sizes}',
                "raise --memory, or read a part of the groups at a time",
            )

    def columns(self, source: str) -> Sequence[Column]:
        """Column after column, each with its groups in sorted order. Afterwards nothing can be added."""
        return each_of(list(self._tallies), self._request.columns, partial(self._columns, source))

    def _columns(self, source: str, name: str) -> Sequence[Column]:
        found: Sequence[Column]
        tally = self._tallies[name]
        if isinstance(tally, GroupTally):
            groups = tally.histograms()
            self._check_groups(groups, source, name)
            found, distinct, missing = GroupColumns(source, name, groups, self._rows), groups.distinct, groups.missing
        else:
            histogram = tally.histogram()
            if self._beside is not None and consecutive(histogram.values) and histogram.n == histogram.distinct:
                histogram = replace(histogram, frequencies=self._beside)
            rows = None if self._rows is None else partial(self._rows, name, {})
            found = [Column(source, name, {}, histogram, rows)]
            distinct, missing = histogram.distinct, histogram.n_missing
        self._check_distinct(distinct, source, name)
        if not distinct:
            raise Valueless(source, name, missing, tally.rows if missing == tally.rows else None)
        return found
