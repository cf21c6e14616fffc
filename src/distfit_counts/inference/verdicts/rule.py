"""When something is said, and what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.result import Verdict


@dataclass(frozen=True)
class Rule:
    """``which`` columns [C] of a chunk may have something said of them, and the sentences that ``say`` finds for one.

    With a ``code``, ``which`` is exact: of each of these columns one thing is said, under that code; or a function
    finds the code of each, if any, for all of them together. So the codes of 20,000 columns are known without their
    sentences.
    """

    which: Callable[[Chunk], Bools]
    say: Callable[[Facts], list[Verdict]]
    code: str | Callable[[Sequence[Facts]], list[str | None]] | None = None
