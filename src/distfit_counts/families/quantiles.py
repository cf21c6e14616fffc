"""Weighted quantiles, and the part of the data between two of them: where mixture components may start."""

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


def between(w: Array, low: float, high: float) -> Array:
    """Which part of each value's weight lies between two cumulative shares, in [0, 1]."""
    total = w.sum(axis=-1, keepdims=True)
    upper = np.cumsum(w, axis=-1)
    inside = np.minimum(upper, high * total) - np.maximum(upper - w, low * total)
    result: Array = np.clip(inside, 0.0, None) / np.where(w > 0, w, 1.0)
    return result
