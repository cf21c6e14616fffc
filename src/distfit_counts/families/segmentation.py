"""Optimal segmentation of sorted counts into runs that each have a Poisson rate of their own.

Of all ways to cut the distinct counts into M runs, the one with the largest sum over runs of S log(S/W), with W the
weight of a run and S the sum of its counts: all that depends on the cuts of sum_v w_v log Poisson(k_v; S/W). Exact by
dynamic programming in O(M V^2) (Fisher 1958).
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array

Ints = npt.NDArray[np.int64]

# Distinct counts of a column that are told apart; of more, neighbours are merged first.
_VALUES = 128
# Runs that are joined to fewer, at most.
_RUNS = 24


def segments(k: Array, w: Array, runs: int) -> Ints:
    """The places [C, runs + 1] at which the runs of the counts ``k`` [C, V] begin, and where the last one ends.

    ``k`` ascending, ``w`` >= 0 its weights [C, V]; what follows the last positive weight is padding. Where a column has
    fewer distinct counts than ``runs``, some runs are empty.
    """
    place, weight, total = _merged(k, w)
    columns, width = weight.shape
    above = np.zeros((2, columns, width + 1))
    np.cumsum(weight, axis=1, out=above[0, :, 1:])
    np.cumsum(total, axis=1, out=above[1, :, 1:])
    value = np.zeros((runs + 1, columns, width + 1))
    value[0, :, 1:] = -np.inf
    came = np.zeros(value.shape, dtype=np.int64)
    for end in range(1, width + 1):
        inside = above[:, :, end : end + 1] - above[:, :, : end + 1]
        reached = value[:-1, :, : end + 1] + _gain(*inside)
        # No run, or one run fewer that ends here already.
        reached[0, :, end], reached[1:, :, end] = -np.inf, value[1:-1, :, end]
        came[1:, :, end] = reached.argmax(axis=2)
        value[1:, :, end] = np.take_along_axis(reached, came[1:, :, end, None], axis=2)[:, :, 0]
    edges = np.empty((columns, runs + 1), dtype=np.int64)
    edges[:, -1], every = width, np.arange(columns)
    for run in range(runs, 0, -1):
        edges[:, run - 1] = came[run, every, edges[:, run]]
    return np.take_along_axis(place, edges, axis=1)


def joined(edges: Ints, runs: int) -> Ints:
    """All ways to join neighbours of the runs between ``edges`` [C, M + 1] to ``runs`` of them: [C, ways, runs + 1]."""
    last = edges.shape[1] - 1
    ways = [(0, *cuts, last) for cuts in combinations(range(1, last), runs - 1)]
    return np.asarray(edges[:, np.array(ways)])


def finest(runs: int, ways: int) -> int:
    """Into how many runs to cut first so that there are at most so many ``ways`` to join them to ``runs``."""
    most = runs
    while most < _RUNS and comb(most, runs - 1) <= ways:
        most += 1
    return most


def _gain(weight: Array, total: Array) -> Array:
    """S log(S/W) of runs of ``weight`` W and sum of counts ``total`` S; 0 of those without either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((weight > 0.0) & (total > 0.0), total * (np.log(total) - np.log(weight)), 0.0)


def _merged(k: Array, w: Array) -> tuple[Ints, Array, Array]:
    """Where each cell of counts begins [C, B + 1], its weight and its sum of counts [C, B]: a cell for each count, or
    neighbours together where there are too many.

    Cells are equally long in the mean of three measures, the weights, the distinct counts and the square root, so that
    neither the bulk nor a few counts far out lose their shape.
    """
    columns, width = k.shape
    if width <= _VALUES:
        return np.broadcast_to(np.arange(width + 1), (columns, width + 1)), w, w * k
    seen, root = w > 0.0, np.sqrt(k)
    largest = np.where(seen, root, 0.0).max(axis=1, keepdims=True)
    by_root = (root - root[:, :1]) / np.maximum(largest - root[:, :1], 1e-300)
    by_weight = np.cumsum(w, axis=1) / w.sum(axis=1, keepdims=True)
    by_number = np.cumsum(seen, axis=1) / seen.sum(axis=1, keepdims=True)
    measure = np.maximum.accumulate(by_root + by_weight + by_number, axis=1) / 3.0
    cell = np.ceil(measure * _VALUES).astype(np.int64)
    begins = np.stack([(cell < number).sum(axis=1) for number in range(1, _VALUES + 2)], axis=1)
    begins[:, 0] = 0
    sums = np.zeros((2, columns, width + 1))
    np.cumsum([w, w * k], axis=2, out=sums[:, :, 1:])
    weight, total = np.diff(np.take_along_axis(sums, np.broadcast_to(begins, (2, *begins.shape)), axis=2), axis=2)
    return begins, weight, total
