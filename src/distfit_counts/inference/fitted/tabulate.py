"""A fitted distribution as a table of probabilities: every count, or pieces of them where they are large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Counts
from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.frequencies import Pmf

# Up to here every count is listed; above, every doubling of the counts is cut into _PIECES at first.
_EVERY = 2**17
_PIECES = 2**12
# The table ends where no more than this is left above.
_TAIL = 1e-8
# No count beyond is read.
_LARGEST = 2**53
# A piece is cut again while its curvature adds more than _BENT to its probability, or holds more than _HEAVY.
_BENT, _HEAVY = 1e-7, 1e-3


@dataclass(frozen=True)
class Table:
    """Pieces of neighbouring counts: piece i holds ``starts[i]`` and the ``sizes[i] - 1`` counts that follow.

    ``masses[i]`` is its probability. The pieces cover 0, 1, ... up to where at most 1e-8 is left.
    """

    starts: Counts
    sizes: Counts
    masses: Array

    @property
    def reached(self) -> Array:
        """P(Y <= last count of the piece), for every piece."""
        return np.minimum(np.cumsum(self.masses), 1.0)

    def cdf(self, k: npt.ArrayLike) -> Array:
        """P(Y <= k) for whole numbers ``k``; straight inside a piece."""
        edges = np.append(self.starts, self.starts[-1] + self.sizes[-1])
        found: Array = np.interp(np.asarray(k, dtype=np.float64) + 1.0, edges, np.append(0.0, self.reached))
        return found


def tabulate(pmf: Pmf, values: Counts) -> Table:
    """The table that covers ``values`` (sorted, distinct), each of which is a piece of its own, and the whole ``pmf``.

    Exact below 131,072. Above, a piece is summed along the parabola through its two ends and its middle, and cut until
    that is straight: the probabilities are right to about 1e-6 in all. A peak that is narrower than 1/4096 of its
    counts and far from all ``values`` would be overlooked.
    """
    blocks: list[tuple[Counts, Counts, Array]] = []
    low, high = 0, max(64, min(int(values[-1]) + 1, _EVERY))
    total = 0.0
    while True:
        inside = values[(values >= low) & (values < high)]
        block = _listed(pmf, low, high) if high <= _EVERY else _cut(pmf, low, high, inside)
        blocks.append(block)
        total += float(block[2].sum())
        low, high = high, 2 * high
        if low > values[-1] and (1.0 - total <= _TAIL or low > _LARGEST):
            break
        # In pieces, the rounding of the sum may keep it from 1: a doubling that adds nothing is the end too.
        if low > values[-1] and 1.0 - total < 1e-4 and block[2].sum() < 1e-12:
            break
    starts, sizes, masses = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    # What little the pieces got wrong is put right: over many counts it would add up.
    return Table(starts, sizes, masses / total if low > _EVERY and abs(1.0 - total) < 1e-4 else masses)


def _listed(pmf: Pmf, low: int, high: int) -> tuple[Counts, Counts, Array]:
    starts = np.arange(low, high, dtype=np.int64)
    return starts, np.ones_like(starts), pmf(starts.astype(np.float64))


def _cut(pmf: Pmf, low: int, high: int, values: Counts) -> tuple[Counts, Counts, Array]:
    """The pieces of low <= k < high: odd sizes, whose middle is a count."""
    grid = np.linspace(low, high, _PIECES, endpoint=False).astype(np.int64)
    starts = _odd(np.unique(np.concatenate([grid, values, values + 1])), high)
    sizes = np.diff(starts, append=high)
    done: list[tuple[Counts, Counts, Array]] = []
    while len(starts):
        half = (sizes - 1) // 2
        first, middle, last = (pmf((starts + shift).astype(np.float64)) for shift in (0, half, 2 * half))
        # Sum of the parabola through the three over 2h + 1 counts: (2h + 1)(middle + bend (h + 1) / 6h).
        bend = (first + last - 2.0 * middle) * sizes * (half + 1) / np.maximum(6 * half, 1)
        masses = np.maximum(sizes * middle + bend, 0.0)
        again = (half > 0) & ((np.abs(bend) > _BENT) | (masses > _HEAVY))
        done.append((starts[~again], sizes[~again], masses[~again]))
        starts, sizes = _in_three(starts[again], sizes[again])
    starts, sizes, masses = (np.concatenate(parts) for parts in zip(*done, strict=True))
    order = np.argsort(starts)
    return starts[order], sizes[order], masses[order]


def _odd(starts: Counts, high: int) -> Counts:
    """``starts`` and, for pieces of an even size, the second count too; none at ``high`` or above."""
    starts = starts[starts < high]
    even = np.diff(starts, append=high) % 2 == 0
    return np.sort(np.concatenate([starts, starts[even] + 1]))


def _in_three(starts: Counts, sizes: Counts) -> tuple[Counts, Counts]:
    """Every piece of an odd size as three of odd sizes."""
    third = sizes // 3 | 1
    cut = np.stack([starts, starts + third, starts + 2 * third])
    return cut.T.ravel(), np.stack([third, third, sizes - 2 * third]).T.ravel()
