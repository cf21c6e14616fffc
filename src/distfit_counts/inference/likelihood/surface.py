"""The log-likelihood over two parameters, the others held."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import SIMPLEX, Array
from distfit_counts.families.family import Family


def surface(
    family: Family, histogram: Histogram, held: Mapping[str, float], x: tuple[str, Array], y: tuple[str, Array]
) -> Array:
    """Log-likelihood [Y, X], all constants included, at every pair of the natural values ``x`` and ``y`` (name, grid).

    ``held``: all natural values; those of other parameters stay. The weights of a mixture that are not moved keep their
    proportions and fill up to 1 (at least one must be left). NaN where there is no such distribution.
    """
    import torch

    from distfit_counts.optimise.threads import one_thread

    (x_name, x_grid), (y_name, y_grid) = x, y
    k = torch.from_numpy(histogram.values.astype(np.float64))[None, :]
    weights = torch.from_numpy(histogram.weights.astype(np.float64))
    rows = []
    for value in y_grid:
        moved = {x_name: x_grid, y_name: np.full(len(x_grid), value)}
        values = {name: moved.get(name, np.full(len(x_grid), held[name])) for name in family.names}
        proper = _fill_up(family, values, set(moved))
        tensors = {name: torch.from_numpy(array.copy())[:, None] for name, array in values.items()}
        with one_thread():
            log_prob = family.log_prob_natural(tensors, k)
        rows.append(np.where(proper, (weights * log_prob).sum(dim=-1).numpy(), np.nan))
    result: Array = np.stack(rows)
    return result


def _fill_up(family: Family, values: dict[str, Array], moved: set[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Scale the weights that are not moved so that all sum to 1, in place; returns where that is possible."""
    proper = np.ones(len(next(iter(values.values()))), dtype=bool)
    for parameter in family.parameters:
        own, rest = moved & set(parameter.names), [name for name in parameter.names if name not in moved]
        if parameter.constraint is not SIMPLEX or not own:
            continue
        left = 1.0 - sum(values[name] for name in own)
        proper &= left > 0.0
        total = sum(values[name] for name in rest)
        for name in rest:
            values[name] = np.where(proper, values[name] * left / total, 1.0)
    return proper
