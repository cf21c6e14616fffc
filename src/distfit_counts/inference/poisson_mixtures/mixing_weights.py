"""A Poisson mixture with given components: its log-pmf, and the weights of the highest likelihood."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_below_mode
from distfit_counts.inference.poisson_mixtures.samples import REACH, Bools, Samples

# Counts that are evaluated together: only the components near them enter.
_ROWS = 512
_STEPS = 100
# Sum of the products weight × slack, and largest error of the slacks, at which the weights are final. The first must be
# well below the squared share of the rarest count too, whose component's weight may be no larger than that share.
_PRODUCTS = 1e-20
_SLACK = 1e-10
# The share of the way to the boundary that a step may go: at first, and at the end.
_FIRST, _LAST = 0.99, 0.999999


def near(samples: Samples, s: Array) -> Iterator[tuple[slice, slice]]:
    """Blocks of the counts and the components ``s`` = √rate [C, J], ascending, that reach them.

    What is left out is below exp(−64) of a component's mode: it only lowers a likelihood, by less than rounding does.
    """
    width = samples.values.shape[1]
    for first in range(0, width, _ROWS):
        low, high = samples.root[:, first, None], samples.root[:, min(first + _ROWS, width) - 1, None]
        # A count far from all components belongs to its neighbours.
        start = np.minimum((s < low - REACH).sum(axis=1), (s <= low).sum(axis=1) - 1)
        stop = np.maximum((s < high + REACH).sum(axis=1), (s < high).sum(axis=1) + 1)
        yield slice(first, first + _ROWS), slice(max(int(start.min()), 0), int(stop.max()))


def log_mixture(samples: Samples, s: Array, p: Array) -> Array:
    """log Σ_j p_j Poisson(k; s_j²) [C, V] of the counts; ``s`` and ``p`` [C, J], s ascending, p = 0 for padding."""
    result = np.empty(samples.values.shape)
    for rows, columns in near(samples, s):
        relative, largest = density(samples, rows, s[:, columns])
        with np.errstate(divide="ignore"):
            result[:, rows] = np.log(mixed(relative, p[:, columns])) + largest
    return result


def mixing_weights(samples: Samples, s: Array, real: Bools) -> Array:
    """The p [C, J] ≥ 0, of sum 1, that maximise Σ_v share_v log Σ_j p_j Poisson(k_v; s_j²); 0 where not ``real``.

    A convex problem. Primal-dual interior-point Newton steps on 1 − r = z, p z = μ with μ → 0, r_j = Σ_v share_v
    Poisson(k_v; s_j²)/f_v (Boyd and Vandenberghe 2004, section 11.7), each corrected for what a first step with μ = 0
    leaves of p z (Mehrotra 1992, SIAM Journal on Optimization 2): ten of them, not twenty. A component that does not
    help ends with p below its slack z, and is returned as exactly 0.
    """
    result = np.zeros(s.shape)
    rows = np.arange(len(s))
    share, blocks = (
        samples.share,
        [(v, j, density(samples, v, s[:, j])[0] * real[:, j, None]) for v, j in near(samples, s)],
    )
    lowest = np.where(share > 0.0, share, 1.0).min(axis=1)
    products = np.minimum(_PRODUCTS, 1e-4 * lowest**2)
    p, z = real / real.sum(axis=1, keepdims=True), np.ones(s.shape)
    for step in range(_STEPS + 1):
        gradient, curvature = _derivatives(share, blocks, p)
        error = np.abs(np.where(real, gradient - z, 0.0)).max(axis=1)
        going = ((p * z).sum(axis=1) >= products) | (error >= _SLACK)
        if step == _STEPS:
            going[:] = False
        if not going.all():
            done = ~going
            result[rows[done]] = np.where(p[done] < z[done], 0.0, p[done])
            if not going.any():
                break
            rows, share, products, real, p, z, gradient, curvature = (
                whole[going] for whole in (rows, share, products, real, p, z, gradient, curvature)
            )
            blocks = [(v, j, relative[going]) for v, j, relative in blocks]
        p, z = _stepped(p, z, real, gradient, curvature)
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def _derivatives(share: Array, blocks: list[tuple[slice, slice, Array]], p: Array) -> tuple[Array, Array]:
    """1 − r [C, J], and the negative Hessian [C, J, J] of the log-likelihood."""
    gradient, curvature = np.ones(p.shape), np.zeros((*p.shape, p.shape[1]))
    for rows, columns, relative in blocks:
        own = relative / mixed(relative, p[:, columns])[:, None]
        weighted = own * share[:, None, rows]
        gradient[:, columns] -= weighted.sum(axis=2)
        curvature[:, columns, columns] += weighted @ own.swapaxes(1, 2)
    return gradient, curvature


def _stepped(p: Array, z: Array, real: Bools, gradient: Array, curvature: Array) -> tuple[Array, Array]:
    """One step of all columns, from ``p`` and ``z`` [C, J]."""
    # Scaled by √p from both sides, the matrix stays well conditioned while most weights vanish.
    root, safe = np.sqrt(p), np.where(real, p, 1.0)
    matrix = curvature * root[:, :, None] * root[:, None, :]
    diagonal = np.arange(p.shape[1])
    matrix[:, diagonal, diagonal] += z

    def direction(products: Array) -> tuple[Array, Array]:
        """Towards p z = ``products``."""
        dp = root * _solve(matrix, root * (products / safe - gradient))
        return dp, np.where(real, (products - z * dp) / safe - z, 0.0)

    size = real.sum(axis=1, keepdims=True)
    dp, dz = direction(np.zeros(p.shape))
    along, across = _length(p, dp, 1.0), _length(z, dz, 1.0)
    total = (p * z * real).sum(axis=1, keepdims=True)
    left = ((p + along * dp) * (z + across * dz) * real).sum(axis=1, keepdims=True)
    mu = np.clip(left / total, 0.0, 1.0) ** 3 * total / size
    dp, dz = direction(mu - along * across * dp * dz)
    share = np.clip(1.0 - total / size, _FIRST, _LAST)
    return p + _length(p, dp, share) * dp, z + _length(z, dz, share) * dz


def _solve(matrix: Array, right: Array) -> Array:
    """Least squares where two components are the same to the last digit (√rate of 1e6 and its neighbour)."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        if len(matrix) > 1:
            return np.concatenate([_solve(matrix[[i]], right[[i]]) for i in range(len(matrix))])
        return np.asarray(np.linalg.lstsq(matrix[0], right[0], rcond=None)[0])[None]


def density(samples: Samples, rows: slice, s: Array) -> tuple[Array, Array]:
    """Poisson(k; s²) [C, J, V] of the counts in ``rows``, over each count's largest; the logarithm of that [C, V]."""
    relative = log_below_mode(samples.values[:, None, rows], (s * s)[:, :, None])
    # A positive count has no probability at all where every rate is 0.
    largest = np.maximum(relative.max(axis=1), np.finfo(float).min)
    relative -= largest[:, None]
    return np.exp(relative, out=relative), largest + samples.mode[:, rows]


def mixed(density: Array, p: Array) -> Array:
    """Σ_j p_j density_j [C, V]."""
    return np.asarray((p[:, None] @ density)[:, 0])


def _length(x: Array, step: Array, share: Array | float) -> Array:
    """How much of the step [C, 1], at most all, goes no further than ``share`` of the way to where an ``x`` is 0."""
    ratio = np.where(step < 0.0, x, np.inf) / np.where(step < 0.0, -step, 1.0)
    return np.asarray(np.minimum(1.0, share * ratio.min(axis=1, keepdims=True)))
