"""What is asked of a source: which columns, in which groups, weighted how, within which limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from distfit_counts.settings import processors

# Bytes of text that are parsed at a time.
BLOCK_SIZE = 4 << 20


@dataclass(frozen=True)
class Request:
    """``columns``: names or globs, none: what can only be meant. ``by``: one histogram for each combination of their
    values. ``weights``: the column that says how often a row counts. ``max_distinct``: where to stop (None: nowhere).
    ``max_pairs``: likewise, of groups and pairs of a group and a value together.
    ``threads``: of reading and counting together (None: one per processor).

    ``columns_chosen``: told how many columns there are, before they are read; it may raise to end the work.

    Of matrices: ``variables``, the axis that is fitted, and ``layer`` of an AnnData file.
    """

    columns: Sequence[str] = ()
    by: Sequence[str] = ()
    weights: str | None = None
    variables: Literal["rows", "columns"] | None = None
    layer: str | None = None
    max_distinct: int | None = None
    max_pairs: int | None = None
    threads: int | None = None
    block_size: int = BLOCK_SIZE
    columns_chosen: Callable[[int], None] | None = None

    @property
    def names(self) -> set[str]:
        """All names that the user gave."""
        return {*self.columns, *self.by, *([self.weights] if self.weights is not None else [])}

    @property
    def side_by_side(self) -> int:
        """How many files may be read at a time."""
        return self.threads or processors()

    @property
    def helped(self) -> bool:
        """Whether other threads may read ahead and parse while this one counts."""
        return self.side_by_side > 1

    def shared(self, files: int) -> Request:
        """The request of one of ``files`` that are read side by side: they share the threads."""
        return replace(self, threads=max(self.side_by_side // min(files, self.side_by_side), 1))
