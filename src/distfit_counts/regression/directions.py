"""Directions in which coefficients can move though the likelihood does not, or hardly: to infinity, or anywhere."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array

# Singular values below this share of the largest are 0.
_RANK = 1e-9
# How far, of at most 1 in the data, a direction moves the predictor of a row that it moves at all.
_MOVED = 1e-4


def null_space(matrix: Array) -> Array:
    """Orthonormal directions [q, k] that no row of ``matrix`` [N, q] sees."""
    width = matrix.shape[1]
    if not len(matrix):
        return np.eye(width)
    _, values, right = np.linalg.svd(np.linalg.qr(matrix, mode="r"))
    rank = int((values > _RANK * values.max()).sum()) if values.max() > 0.0 else 0
    return np.asarray(right[rank:].T)


def beside(directions: Array, others: Array) -> Array:
    """What is left of ``directions`` [q, m] once the orthonormal ``others`` [q, k] are taken out."""
    left: Array = directions - others @ (others.T @ directions)
    return left


def in_units_of_rows(directions: Array, matrix: Array) -> Array:
    """``directions`` [q, m] such that they move the predictors of the rows of ``matrix`` [N, q], which is standardised,
    by at most 1; without those that move none.
    """
    reach = np.abs(matrix @ directions).max(axis=0)
    seen = reach > _MOVED
    return np.asarray(directions[:, seen] / reach[seen])


def moved(matrix: Array, directions: Array) -> np.ndarray:
    """Which rows [N] of ``matrix`` [N, p] any of ``directions`` [p, m] moves."""
    return np.asarray((np.abs(matrix @ directions) > _MOVED).any(axis=1))
