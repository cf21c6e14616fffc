"""Grouped goodness of fit: neighbouring cells pooled, Pearson's X² and the likelihood ratio G²."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array

Ints = npt.NDArray[np.int64]


def pool(expected: Array, minimum: float = 5.0) -> npt.NDArray[np.bool_]:
    """Where a pooled bin begins [C, J], so that every bin expects at least ``minimum``; the first cell always.

    ``expected`` [C, J]: the expected numbers of neighbouring cells. From the left, a bin is closed as soon as it
    expects enough; what is left over on the right joins the last bin. Closing at the first chance never costs a later
    bin its place, so no other way of pooling neighbours has more bins: nothing is merged without need. If even the sum
    is too small, one bin is left. All this is of cells: where ``Cells`` makes them of several counts (beyond 4,096),
    single counts could have given more bins.
    """
    columns, cells = expected.shape
    begins = np.zeros((cells + 1, columns), dtype=bool)
    begins[0] = True
    held = np.zeros(columns)
    for cell, value in enumerate(np.ascontiguousarray(expected.T)):
        held += value
        np.greater_equal(held, minimum, out=begins[cell + 1])
        held[begins[cell + 1]] = 0.0
    # The last start opens the remainder: an unfinished bin, or nothing at all.
    begins[cells - np.argmax(begins[::-1], axis=0), np.arange(columns)] = False
    begins[0] = True
    return begins[:-1].T


def grouped(cells: Array, starts: Ints) -> Array:
    """``cells`` [..., J] summed into the bins that begin at ``starts`` [B]: [..., B]."""
    result: Array = np.add.reduceat(cells, starts, axis=-1)
    return result


def pearson(observed: Array, expected: Array) -> Array:
    """X² = Σ (O − E)²/E over the last axis (Pearson 1900).

    ``observed``, ``expected`` [..., B], broadcast. An observation where none is expected makes it infinite.
    """
    # A single observation where 1e-310 is expected overflows: infinite is the right answer.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        terms = (observed - expected) ** 2 / expected
    empty = (expected == 0.0) & (observed == 0.0)
    result: Array = np.where(empty, 0.0, terms).sum(axis=-1)
    return result


def g_squared(observed: Array, expected: Array) -> Array:
    """G² = 2 Σ O log(O/E) over the last axis, with 0 log 0 = 0 (Wilks 1938).

    A likelihood ratio against the saturated model where both sides have the same sum: the cells must cover all counts,
    the last one open. Infinite where something is observed and nothing expected.
    """
    seen = observed > 0.0
    # Two logarithms: the ratio O/E overflows where E is below 1e-308.
    with np.errstate(divide="ignore"):
        ratio = np.log(np.where(seen, observed, 1.0)) - np.log(np.where(seen, expected, 1.0))
    # A failed fit (NaN) must not pass as perfect because its NaN cells were empty.
    failed = np.isnan(expected) | np.isnan(observed)
    # Never negative where both sides have the same sum (Gibbs' inequality): below 0 is the rounding of a perfect fit.
    result: Array = np.maximum(2.0 * np.where(failed, np.nan, observed * ratio).sum(axis=-1), 0.0)
    return result
