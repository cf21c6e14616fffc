"""A distribution summed into a table: small counts one by one, large ones in pieces of many."""

from __future__ import annotations

import numpy as np

from distfit_counts.data.histogram import Counts
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.quadrature import FEWEST, fitted, nodes, positions
from distfit_counts.inference.fitted.table import END, Table

# Counts below are listed.
_LISTED = 4096
# Pieces around a peak: whole standard deviations, then growing with the distance.
_STEPS = np.concatenate([np.arange(4.0), 4.0 * 1.25 ** np.arange(190)])
# A piece is cut again while it is rougher than this share of the mass between the two edges that it lies between,
_ROUGH = 1e-9
# and, where it shall be straight, while it holds more than _HEAVY, or its cumulative probability leaves the straight
# line by more than _BENT.
_HEAVY, _BENT = 1e-3, 1e-7


def tabulate(pmf: Pmf, values: Counts) -> Table:
    """The table in which each of ``values`` is a piece of its own, and all pieces are so small (at most 1e-3) that the
    cumulative probability is straight in each, to 1e-7.
    """
    return split(pmf, np.union1d(values, values + 1), straight=True)


def split(pmf: Pmf, edges: Counts, straight: bool = False) -> Table:
    """The table in which each of ``edges`` (whole numbers from 0 on) begins a piece; ``straight``: see ``tabulate``.

    Exact up to count 4,096. Above, a piece of 16 counts or more is the sum of the polynomial through eight of them, and
    halved until that follows the pmf: what lies between two neighbouring edges, and above the last, is right to about
    1e-10 of itself, in the tails too, as far as float64 reaches (1e-300).
    """
    asked = np.unique(np.concatenate([np.arange(_LISTED), edges]))
    starts = np.unique(np.concatenate([asked, *(_around(*peak) for peak in ((0.0, 1.0), *pmf.peaks))]))
    sizes = np.diff(starts, append=END)
    settled, done = np.zeros(len(asked)), []
    while len(starts):
        masses, rough, bent = _summed(pmf, starts, sizes)
        cell = np.searchsorted(asked, starts, side="right") - 1
        # What is known for certain: a node that hits a peak promises its whole piece far too much.
        known = np.bincount(cell, weights=np.maximum(masses - rough, 0.0), minlength=len(asked)) + settled
        again = rough > _ROUGH * known[cell]
        if straight:
            again |= (sizes > 1) & ((bent > _BENT) | (masses > _HEAVY))
        settled += np.bincount(cell[~again], weights=masses[~again], minlength=len(asked))
        done.append((starts[~again], sizes[~again], masses[~again]))
        starts, sizes = _halves(starts[again], sizes[again])
    starts, sizes, masses = (np.concatenate(column) for column in zip(*done, strict=True))
    order = np.argsort(starts)
    return Table(pmf, starts[order], sizes[order], masses[order])


def _around(mean: float, deviation: float) -> Counts:
    reach = max(deviation, 1.0) * _STEPS
    found: Counts = np.floor(np.concatenate([mean - reach, mean + reach])).clip(0.0, END // 2).astype(np.int64)
    return found


def _summed(pmf: Pmf, starts: Counts, sizes: Counts) -> tuple[Array, Array, Array]:
    """Mass of every piece, how rough it is (0 where all its counts are summed), and how far its cumulative probability
    leaves the straight line, as of a linear pmf.
    """
    masses, rough, bent = (np.zeros(len(starts)) for _ in range(3))
    short = sizes < FEWEST
    if short.any():
        first = np.cumsum(sizes[short]) - sizes[short]
        p = pmf((np.repeat(starts[short], sizes[short]) + positions(sizes[short])).astype(np.float64))
        masses[short] = np.add.reduceat(p, first)
        bent[short] = 0.125 * sizes[short] * np.abs(p[first + sizes[short] - 1] - p[first])
    if not short.all():
        long, many = starts[~short], sizes[~short]
        at = nodes(many)
        p = pmf((long[:, None] + at).ravel().astype(np.float64)).reshape(at.shape)
        masses[~short], rough[~short] = fitted(p, at, many)
        bent[~short] = 0.125 * many * np.abs(p[:, -1] - p[:, 0])
    # Where the polynomial fails it may sum below 0.
    return np.maximum(masses, 0.0), rough, bent


def _halves(starts: Counts, sizes: Counts) -> tuple[Counts, Counts]:
    half = sizes // 2
    return np.stack([starts, starts + half], axis=1).ravel(), np.stack([half, sizes - half], axis=1).ravel()
