"""Directions in which coefficients can move though the likelihood does not, or never falls."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array

# A predictor that runs to infinity is this, or minus this: exp of it is as good as infinite or 0, and divides.
FAR = 600.0
# Singular values below this share of the largest are 0.
RANK = 1e-9
# How far, of at most 1 in the data, a direction moves the predictor of a row that it moves at all; and beside the terms
# of the sum that it is.
_MOVED, _ROUNDING = 1e-7, 1e-12


def null_space(matrix: Array, scale: float | None = None, rank: float = RANK) -> Array:
    """Orthonormal directions [q, k] that no row of ``matrix`` [N, q] sees.

    Singular values below the share ``rank`` of ``scale``, or of the largest, are 0.
    """
    width = matrix.shape[1]
    if not len(matrix) or not width:
        return np.eye(width)
    _, values, right = np.linalg.svd(np.linalg.qr(matrix, mode="r"))
    seen = int((values > rank * (values[0] if scale is None else scale)).sum())
    return np.asarray(right[seen:].T)


def complement(directions: Array) -> Array:
    """Orthonormal directions [q, q - k] beside the ``directions`` [q, m] of rank k."""
    if not directions.shape[1]:
        return np.eye(len(directions))
    return null_space((directions / np.linalg.norm(directions, axis=0)).T)


def signs(matrix: Array, directions: Array) -> Array:
    """Where ``directions`` [p, m] move the rows [N] of ``matrix`` [N, p]: -1 or 1; 0 where they do not, and NaN where
    some move a row up and some down.
    """
    reach = matrix @ directions
    seen = np.abs(reach) > np.maximum(_MOVED, _ROUNDING * (np.abs(matrix) @ np.abs(directions)))
    up, down = (seen & (reach > 0.0)).any(axis=1), (seen & (reach < 0.0)).any(axis=1)
    return np.where(up & down, np.nan, up.astype(np.float64) - down)


def moved(matrix: Array, directions: Array) -> np.ndarray:
    """Which rows [N] of ``matrix`` [N, p] any of ``directions`` [p, m] moves."""
    return np.asarray(signs(matrix, directions) != 0.0)
