"""The cone of directions that all rows allow, by linear programming."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.regression.directions import RANK, null_space

Bools = npt.NDArray[np.bool_]
Bounds = tuple[float | None, float | None]
# Rows that a linear programme begins with, and takes more of at a time.
_ROWS = 2_000
# Rows that are looked at first: where they leave no direction, all rows leave none.
_FIRST = 20_000
# Of unit rows: what is no more than rounding, and the share of the farthest moved that is moved at all.
_ROUNDING, _STRICT = 1e-8, 1e-9
# Extreme directions are sought where there are no more rows and coefficients than this.
_EXTREMES = 5_000


@dataclass(frozen=True, eq=False)
class Cone:
    """``unbounded`` [q, m]: directions that no row forbids and some row gains from; the first moves every row that any
    of them moves, the others are extreme in single coefficients, and together they span the cone. ``unidentified``
    [q, k]: directions that only rows that do not care are moved by.
    """

    unbounded: Array
    unidentified: Array

    @classmethod
    def of(cls, matrix: Array, up: Bools, down: Bools, back: Array, rank: float = RANK) -> Cone | None:
        """``up``, ``down`` [N]: whether the predictor of a row of ``matrix`` [N, q] may rise, may fall; a row that may
        do both does not care. ``back`` [p, q] gives the coefficients on their own scale. None where there is nothing.
        """
        space = _unseen(matrix, ~up & ~down, rank)
        if not space.shape[1]:
            return None
        one_sided = up ^ down
        rows = (matrix[one_sided] @ space) * np.where(up[one_sided], 1.0, -1.0)[:, None]
        length = np.linalg.norm(rows, axis=1)
        seen = length > _ROUNDING * np.maximum(np.linalg.norm(matrix[one_sided], axis=1), 1.0)
        rows = rows[seen] / length[seen, None]
        unseen = null_space(rows, rank=_ROUNDING)
        known = null_space(unseen.T) if unseen.shape[1] else np.eye(space.shape[1])
        # Equal rows, as levels make them, once.
        rows = rows @ known
        rows = rows[np.unique(np.round(rows, 9), axis=0, return_index=True)[1]] if len(rows) else rows
        inside, free = _interior(rows) if known.shape[1] else (np.zeros(0), np.zeros((0, 0)))
        found = [inside, *_extremes(rows, free, inside, back @ space @ known)] if free.shape[1] else []
        unbounded = space @ known @ np.array(found).T if found else np.zeros((matrix.shape[1], 0))
        unidentified = space @ unseen
        return cls(unbounded, unidentified) if found or unseen.shape[1] else None


def _unseen(matrix: Array, fixed: Bools, rank: float) -> Array:
    """Directions [q, k] that move no row that is ``fixed``."""
    places = np.flatnonzero(fixed)
    few = matrix[places[:: max(len(places) // _FIRST, 1)]]
    space = null_space(few, rank=rank)
    if space.shape[1] and len(few) < len(places):
        every = matrix[places]
        space = space @ null_space(every @ space, float(np.linalg.norm(every)), rank)
    return space


def _interior(rows: Array) -> tuple[Array, Array]:
    """A direction [m] with ``rows`` [n, m] d >= 0, and > 0 in every row in which that can be had; and the space [m, k]
    of the directions that move no other row. No space where there is none.
    """
    width = rows.shape[1]
    none = np.zeros(width), np.zeros((width, 0))
    direction = _solved(rows)
    reach = rows @ direction
    strict = reach > _STRICT * np.abs(reach).max(initial=0.0)
    # What the programme calls 0 within its tolerance is made exactly 0, and what is left of the rest looked at again.
    while strict.any():
        space = null_space(rows[~strict], 1.0, _ROUNDING)
        inside = space @ (space.T @ direction)
        reach = rows @ inside
        still = strict & (reach > _STRICT * max(np.abs(reach).max(), 1e-300))
        if (still == strict).all():
            return inside / np.abs(reach).max(), space
        strict = still
    return none


def _solved(rows: Array) -> Array:
    """d [m] of the largest sum of s with ``rows`` d >= s and 0 <= s <= 1; rows are added until none is missing."""
    n, width = rows.shape
    if width == 1:
        return np.ones(1) if (rows > 0.0).all() else -np.ones(1) if (rows < 0.0).all() else np.zeros(1)
    chosen = np.arange(n) if n <= _ROWS else np.linspace(0, n - 1, _ROWS).astype(np.int64)
    while True:
        own = rows[chosen]
        count = len(own)
        costs = np.concatenate([np.zeros(width), -np.ones(count)])
        bounds: list[Bounds] = [(None, None)] * width + [(0.0, 1.0)] * count
        direction = _programme(costs, np.hstack([-own, np.eye(count)]), bounds)[:width]
        reach = rows @ direction
        if not (reach[chosen] > 0.5).any():
            return np.zeros(width)
        missing = np.setdiff1d(np.flatnonzero(reach <= _STRICT * np.abs(reach).max()), chosen)
        if not len(missing):
            return direction
        chosen = np.concatenate([chosen, missing[np.argsort(reach[missing])[:_ROWS]]])


def _extremes(rows: Array, space: Array, inside: Array, coefficients: Array) -> list[Array]:
    """Directions of the cone within ``space`` [m, k] that are extreme in one of the ``coefficients`` [p, m], and as
    many beside ``inside`` as span it.
    """
    if space.shape[1] == 1:
        return []
    own = rows @ space
    own = own[np.linalg.norm(own, axis=1) > _ROUNDING]
    reduced = coefficients @ space
    length = np.linalg.norm(reduced, axis=1)
    reduced = reduced[length > _ROUNDING * length.max(initial=0.0)]
    found: list[Array] = []
    if len(own) * len(reduced) <= _EXTREMES**2 and len(own) <= _EXTREMES:
        for costs in np.concatenate([reduced, -reduced]):
            corner = _programme(costs / np.linalg.norm(costs), -own, [(-1.0, 1.0)] * space.shape[1])
            if np.abs(corner).max() > _ROUNDING and (own @ corner >= -_ROUNDING).all():
                found.append(space @ corner)
    reach = float((own @ (space.T @ inside)).min()) if len(own) else 1.0
    # So near to the interior that every row is still moved the same way.
    return [*found, *(inside + 0.5 * reach * axis for axis in space.T)]


def _programme(costs: Array, left: Array, bounds: Sequence[Bounds]) -> Array:
    """x that minimises costs'x with ``left`` x <= 0 within ``bounds``, by the dual simplex method of HiGHS."""
    from scipy.optimize import linprog

    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(costs, A_ub=left, b_ub=np.zeros(len(left)), bounds=bounds, method="highs-ds", options=options)
    return np.zeros(len(costs)) if found.x is None else np.asarray(found.x, dtype=np.float64)
