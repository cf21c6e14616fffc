"""What is asked of a source: which columns, in which groups, weighted how, within which limits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Bytes of text that are parsed at a time.
BLOCK_SIZE = 4 << 20


@dataclass(frozen=True)
class Request:
    """``columns``: names or globs, none: what can only be meant. ``by``: one histogram for each combination of their
    values. ``weights``: the column that says how often a row counts. ``max_distinct``: where to stop (None: nowhere).
    ``workers``: files that are read side by side (None: one per core).

    Of matrices: ``variables``, the axis that is fitted, and ``layer`` of an AnnData file.
    """

    columns: Sequence[str] = ()
    by: Sequence[str] = ()
    weights: str | None = None
    variables: Literal["rows", "columns"] | None = None
    layer: str | None = None
    max_distinct: int | None = None
    workers: int | None = None
    block_size: int = BLOCK_SIZE

    @property
    def names(self) -> set[str]:
        """All names that the user gave."""
        return {*self.columns, *self.by, *([self.weights] if self.weights is not None else [])}

    @property
    def side_by_side(self) -> int:
        return self.workers or os.cpu_count() or 1
