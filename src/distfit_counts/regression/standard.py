"""A matrix of covariates on the scale on which they are fitted.

Columns have mean 0 and standard deviation 1 where an intercept takes up the mean, so that a year of birth does not hide
a 0/1 covariate below the rounding of the Hessian. Outliers do not count for either: one row in thousands of units would
leave all others in a corner, where steps of ordinary length move nothing. Columns that others make up already are left
out and named; where others nearly do, as a year, its square and its cube, the columns are made orthogonal: the Hessian
squares the condition number of a matrix, and would have nothing left of what tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.ending import Ints

# Share of a column's length, on the standard scale, that must remain beside the other columns.
_INDEPENDENT = 1e-9
# Condition number of the standardised columns from which on they are nearly collinear.
NEARLY = 100.0
# Of the largest: the share of a column in what is nearly 0.
_PART = 0.05
_PIECE = 1 << 14
# Share of the rows, on either side, that may lie anywhere; rows beyond so many of the others' standard deviations count
# as if they lay there; and how many rows are looked at, at most.
_ASIDE, _BEYOND, _LOOKED_AT = 0.15, 8.0, 1 << 13


@dataclass(frozen=True, eq=False)
class Standard:
    """``matrix`` [N, q]: the ``kept`` [q] of p columns, standardised, or orthogonal combinations of them. beta =
    ``back`` [p, q] theta on their own scale; the columns that are left out have beta = 0. ``intercept``: the place of a
    column of ones or minus ones, if any. ``condition``: the condition number of the standardised columns; ``nearly``:
    those of them that make up each other nearly.
    """

    matrix: Array
    kept: tuple[int, ...]
    back: Array
    intercept: int | None = None
    condition: float = 1.0
    nearly: tuple[int, ...] = ()

    @classmethod
    def of(cls, raw: Array, weights: Array) -> Standard:
        p, share = raw.shape[1], weights / weights.sum()
        constant = [j for j in range(p) if raw[0, j] != 0.0 and (raw[:, j] == raw[0, j]).all()]
        intercept = constant[0] if constant else None
        matrix, mean, scale = np.empty_like(raw, order="F"), np.zeros(p), np.ones(p)
        for j in range(p):
            lower, upper = _ordinary(raw[:, j], share)
            own = np.clip(raw[:, j], lower, upper, out=matrix[:, j])
            if intercept not in (None, j):
                mean[j] = np.einsum("i,i", share, own)
            own -= mean[j]
            spread = np.sqrt(np.einsum("i,i,i", share, own, own))
            np.subtract(raw[:, j], mean[j], out=own)
            # A second constant column, or a column of zeros, is aliased: no scale would help it.
            if spread > 0.0:
                scale[j] = spread
                own /= spread
        kept, triangle = _independent(matrix, share)
        back = np.zeros((p, len(kept)))
        for place, j in enumerate(kept):
            back[j, place] = 1.0 / scale[j]
            if intercept is not None and j != intercept:
                back[intercept, place] -= mean[j] / scale[j] / raw[0, intercept]
        one = None if intercept is None else kept.index(intercept)
        standard = cls(matrix if len(kept) == p else np.asfortranarray(matrix[:, kept]), tuple(kept), back, one)
        return standard if triangle is None else standard._orthogonal(triangle)

    def _orthogonal(self, triangle: Array) -> Standard:
        """The same with orthogonal columns where they are nearly collinear; ``triangle`` [q, q]: R of their QR."""
        # The intercept first: it stays a column of its own.
        order = sorted(range(len(self.kept)), key=lambda place: place != self.intercept)
        triangle = np.asarray(np.linalg.qr(triangle[:, order], mode="r"))
        _, values, right = np.linalg.svd(triangle / np.linalg.norm(triangle, axis=0))
        condition = float(values[0] / values[-1])
        if condition < NEARLY:
            return replace(self, condition=condition)
        # Of all directions that are nearly 0.
        parts = np.abs(right[values < values[0] / NEARLY]).max(axis=0)
        nearly = tuple(sorted(self.kept[order[j]] for j in np.flatnonzero(parts > _PART)))
        inverse = np.linalg.solve(triangle, np.eye(len(order))) * np.sign(np.diag(triangle))
        return replace(
            self,
            matrix=np.asfortranarray(self.matrix[:, order] @ inverse),
            back=self.back[:, order] @ inverse,
            intercept=None if self.intercept is None else 0,
            condition=condition,
            nearly=nearly,
        )

    def at(self, rows: Ints) -> Standard:
        """Some of the rows."""
        return replace(self, matrix=np.asfortranarray(self.matrix[rows]))

    def constant(self, value: float, weights: Array) -> Array:
        """theta [q] with which the predictor is as near as can be to ``value`` for every row."""
        if self.intercept is not None:
            theta = np.zeros(len(self.kept))
            theta[self.intercept] = value * self.matrix[0, self.intercept]
            return theta
        root = np.sqrt(weights / weights.sum())
        found = np.linalg.lstsq(self.matrix * root[:, None], value * root, rcond=None)[0]
        return np.asarray(found, dtype=np.float64)


def _ordinary(column: Array, share: Array) -> tuple[float, float]:
    """The ends between which values are ordinary: around the median, by the spread of the middle."""
    step = -(-len(column) // _LOOKED_AT)
    column, share = column[::step], share[::step]
    order = np.argsort(column, kind="stable")
    x, w = column[order], share[order]
    median = float(x[np.searchsorted(np.cumsum(w), 0.5 * w.sum()).clip(max=len(x) - 1)])
    # Of a column that is nearly always the same, the spread is that of the rest.
    other = x != median
    if w @ other < 2.0 * _ASIDE * w.sum():
        x, w = x[other], w[other]
    if not len(x):
        return median, median
    before = np.cumsum(w) - w
    middle = (before + w > _ASIDE * w.sum()) & (before < (1.0 - _ASIDE) * w.sum())
    spread = float(np.sqrt(w[middle] @ (x[middle] - median) ** 2 / w[middle].sum()))
    # A value that is the only other one is nobody's outlier.
    reach = max(_BEYOND * spread, float(np.abs(x[middle] - median).max()))
    return (median - reach, median + reach) if reach > 0.0 else (-np.inf, np.inf)


def _independent(matrix: Array, share: Array) -> tuple[list[int], Array | None]:
    """Columns that are no linear combination of those before them, each row counting for its ``share``; and where they
    may nearly be one, R of their QR.
    """
    gram = _gram(matrix, share)
    length = np.sqrt(np.diag(gram))
    # Squared, that is far from the rounding of the sums: nothing to look for.
    if (length > _INDEPENDENT).all():
        values = np.linalg.eigvalsh(gram / np.outer(length, length))
        if values[0] * NEARLY**2 > values[-1]:
            return list(range(matrix.shape[1])), None
    triangle = _triangle(matrix * np.sqrt(share)[:, None])
    kept: list[int] = []
    for j in range(matrix.shape[1]):
        # Rounding leaves something of any column; there are no more than rows.
        if len(kept) == len(triangle):
            break
        own = triangle[:, j]
        others = triangle[:, kept]
        rest = own - others @ np.linalg.lstsq(others, own, rcond=None)[0] if kept else own
        if np.linalg.norm(rest) > _INDEPENDENT * max(1.0, float(np.linalg.norm(own))):
            kept.append(j)
    return kept, triangle[:, kept]


def _gram(matrix: Array, share: Array) -> Array:
    """X' diag(share) X, of pieces that fit the cache."""
    columns, weights = torch.from_numpy(matrix.T), torch.from_numpy(share)
    parts = zip(columns.split(_PIECE, dim=1), weights.split(_PIECE), strict=True)
    total = torch.zeros(len(columns), len(columns), dtype=torch.float64)
    for part, own in parts:
        total += (part * own) @ part.mT
    return np.asarray(total.numpy())


def _triangle(matrix: Array) -> Array:
    """R of QR: its columns have the lengths and angles of the matrix's, without squaring as X'X does.

    Of pieces that fit the cache, and then of their Rs.
    """
    while len(matrix) > _PIECE + matrix.shape[1]:
        pieces = [matrix[i : i + _PIECE] for i in range(0, len(matrix), _PIECE)]
        matrix = np.concatenate([np.linalg.qr(piece, mode="r") for piece in pieces])
    return np.asarray(np.linalg.qr(matrix, mode="r"))
