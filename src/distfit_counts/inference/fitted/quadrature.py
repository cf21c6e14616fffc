"""Sums of a smooth function over many neighbouring counts from its values at eight of them."""

from __future__ import annotations

import numpy as np

from distfit_counts.data.histogram import Counts
from distfit_counts.families.constraint import Array

# Fewer counts are listed: below, two nodes could fall on the same one.
FEWEST = 16
# Gauss-Lobatto: with both ends, so that no tail that begins or ends at one goes unseen.
_NODES = np.array([-1.0, -0.871740148509607, -0.591700181433142, -0.209299217902479])
_NODES = np.concatenate([_NODES, -_NODES[::-1]])
ORDER = len(_NODES)


def positions(sizes: Counts) -> Counts:
    """0, ..., size - 1 for each of ``sizes``, one after the other."""
    found: Counts = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return found


def nodes(sizes: Counts) -> Counts:
    """Eight of the numbers 0, ..., size - 1 for each of ``sizes`` [P], at least ``FEWEST``: [P, 8], both ends among
    them.
    """
    # Halves of size - 1, which no product may round up beyond the end.
    half = 0.5 * (sizes[:, None] - 1).astype(np.float64)
    found: Counts = np.rint(half + half * _NODES).astype(np.int64)
    return found


def basis(at: Counts, sizes: Counts) -> Array:
    """The discrete Legendre (Gram) polynomials of degree 0 to 7 at the ``nodes`` [P, 8] of ``sizes`` [P]: [P, 8, 8].

    Orthogonal over 0, ..., m - 1, which x = (2i - m + 1)/m brings to (-1, 1): (n + 1) p_{n+1} = (2n + 1) x p_n -
    n (1 - n²/m²) p_{n-1}, Legendre's own as m grows (Abramowitz and Stegun 22.17).
    """
    m = sizes[:, None].astype(np.float64)
    x = (2.0 * at - (m - 1.0)) / m
    found = [np.ones_like(x), x]
    for n in range(1, ORDER - 1):
        found.append(((2 * n + 1) * x * found[n] - n * (1.0 - (n / m) ** 2) * found[n - 1]) / (n + 1))
    return np.stack(found, axis=-1)


def fitted(values: Array, at: Counts, sizes: Counts) -> tuple[Array, Array]:
    """Sums [P] over all counts of the polynomials of degree 7 through ``values`` [P, 8] at the nodes, and how rough
    they are [P]: the sum of the two highest terms, as if all their counts lay at an end. Where it is small the sum is
    better by far, for sums of Lobatto's nodes are right to degree 13.
    """
    terms = np.linalg.solve(basis(at, sizes), values[..., None])[..., 0]
    # All but the first sum to 0.
    total: Array = sizes * terms[:, 0]
    rough: Array = sizes * np.abs(terms[:, -2:]).sum(axis=1)
    return total, rough


def weights(at: Counts, sizes: Counts) -> Array:
    """What the value at each node [P, 8] counts in the sum of ``fitted``."""
    unit = np.zeros((len(sizes), ORDER, 1))
    unit[:, 0, 0] = sizes
    return np.asarray(np.linalg.solve(np.swapaxes(basis(at, sizes), 1, 2), unit)[..., 0], dtype=np.float64)
