"""Weighted quantiles: where mixture components may start."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array


def quantiles(k: Array, w: Array, share: Array) -> Array:
    """Weighted quantiles of k [..., V]; share [R, K] or [..., K] -> [..., K]."""
    below = np.cumsum(w, axis=-1) / w.sum(axis=-1, keepdims=True)
    where = (below[..., None, :] < share[..., :, None]).sum(axis=-1).clip(max=k.shape[-1] - 1)
    shape = np.broadcast_shapes(k.shape[:-1], where.shape[:-1])
    counts = np.broadcast_to(k, (*shape, k.shape[-1]))
    result: Array = np.take_along_axis(counts, np.broadcast_to(where, (*shape, where.shape[-1])), axis=-1)
    return result
