"""A Poisson mixture with given components: its log-pmf, and the weights of the highest likelihood."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gradient_function import REACH
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_poisson

# Counts that are evaluated together: only the components near them enter.
_ROWS = 512
_STEPS = 100
# Sum of the products weight × slack, and largest error of the slacks, at which the weights are final. The first must be
# well below the squared share of the rarest count too, whose component's weight may be no larger than that share.
_PRODUCTS = 1e-20
_SLACK = 1e-10


def near(values: Array, s: Array) -> Iterator[tuple[slice, slice]]:
    """Blocks of ``values`` [V] and the components ``s`` = √rate [J] that reach them; both ascending.

    What is left out is below exp(−64) of a component's mode: it only lowers a likelihood, by less than rounding does.
    """
    for first in range(0, len(values), _ROWS):
        root = np.sqrt(values[first : first + _ROWS][[0, -1]])
        # A count far from all components belongs to its neighbours.
        start = min(np.searchsorted(s, root[0] - REACH), np.searchsorted(s, root[0], side="right") - 1)
        stop = max(np.searchsorted(s, root[1] + REACH), np.searchsorted(s, root[1]) + 1)
        yield slice(first, first + _ROWS), slice(max(int(start), 0), int(stop))


def log_mixture(values: Array, s: Array, p: Array) -> Array:
    """log Σ_j p_j Poisson(values; s_j²) [V]; ``values`` and ``s`` [J] ascending."""
    result = np.empty(len(values))
    for rows, columns in near(values, s):
        density, largest = _density(values[rows], s[columns])
        with np.errstate(divide="ignore"):
            result[rows] = np.log(density @ p[columns]) + largest
    return result


def mixing_weights(values: Array, share: Array, s: Array) -> Array:
    """The p [J] ≥ 0, of sum 1, that maximises Σ_v share_v log Σ_j p_j Poisson(values_v; s_j²); Σ share = 1.

    A convex problem. Primal-dual interior-point Newton steps on 1 − r = z, p z = μ with μ → 0, r_j = Σ_v share_v
    Poisson(values_v; s_j²)/f_v (Boyd and Vandenberghe 2004, section 11.7). A component that does not help ends with p
    below its slack z, and is returned as exactly 0.
    """
    blocks = [(rows, columns, _density(values[rows], s[columns])[0]) for rows, columns in near(values, s)]
    p, z = np.full(len(s), 1.0 / len(s)), np.ones(len(s))
    products = min(_PRODUCTS, 1e-4 * float(share.min()) ** 2)
    for _ in range(_STEPS):
        gradient, curvature = np.ones(len(s)), np.zeros((len(s), len(s)))
        for rows, columns, density in blocks:
            relative = density / (density @ p[columns])[:, None]
            weighted = share[rows, None] * relative
            gradient[columns] -= weighted.sum(axis=0)
            curvature[columns, columns] += weighted.T @ relative
        if p @ z < products and np.abs(gradient - z).max() < _SLACK:
            break
        mu = 0.1 * (p @ z) / len(s)
        # Scaled by √p from both sides, the matrix stays well conditioned while most weights vanish.
        root = np.sqrt(p)
        matrix = curvature * root[:, None] * root + np.diag(z)
        step = root * _solve(matrix, root * (mu / p - gradient))
        dz = (mu - z * step) / p - z
        p, z = p + _length(p, step) * step, z + _length(z, dz) * dz
    p = np.where(p < z, 0.0, p)
    return np.asarray(p / p.sum())


def _solve(matrix: Array, right: Array) -> Array:
    """Least squares where two components are the same to the last digit (√rate of 1e6 and its neighbour)."""
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0])


def _density(values: Array, s: Array) -> tuple[Array, Array]:
    """Poisson(values; s²) [V, J], each row divided by its largest, and the logarithm of that [V]."""
    logs = log_poisson(values[:, None], s * s)
    # A positive count has no probability at all where every rate is 0.
    largest = np.maximum(logs.max(axis=1), np.finfo(float).min)
    return np.exp(logs - largest[:, None]), largest


def _length(x: Array, step: Array) -> float:
    """The share of the step, at most all of it, that leaves every ``x`` positive."""
    shrinking = step < 0.0
    return float(min(1.0, 0.99 * (x[shrinking] / -step[shrinking]).min(initial=np.inf)))
