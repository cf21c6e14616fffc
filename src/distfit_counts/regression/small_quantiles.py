"""Quantiles of many rows among the smallest counts: the pmf summed count after count, of all rows in one call.

Up to ten times as fast as the search of ``quantiles`` where the mean is some hundred or less; a row that it does not
finish costs up to half as much again as by that search alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.row_model import CountModel

# Rows that are summed together: their values stay in the cache.
_ROWS = 512
# Blocks of counts begin here and double: a family whose pmf follows from the count before pays for those at most twice.
_BLOCKS = ((0, 16), (16, 32), (32, 64), (64, 128), (128, 256), (256, 512), (512, 1024))


def small_quantiles(model: CountModel, etas: Sequence[Array], levels: Array) -> Array:
    """The smallest counts with P(Y <= count) >= level, [N, Q]; NaN where it is not among the first thousand."""
    n = len(etas[0])
    found = np.full((n, len(levels)), np.nan)
    for first in range(0, n, _ROWS):
        part = slice(first, first + _ROWS)
        _fill(found[part], model, [eta[part] for eta in etas], levels)
    return found


def _fill(found: Array, model: CountModel, etas: Sequence[Array], levels: Array) -> None:
    """Set in ``found`` [N, Q] what is reached; a row is left as soon as all its quantiles are known."""
    below, active = np.zeros(len(found)), np.arange(len(found))
    for first, end in _BLOCKS:
        counts = model.family.lowest + np.arange(first, end)
        reached = below[active, None] + np.cumsum(_pmf(model, [eta[active] for eta in etas], counts), axis=1)
        for i, level in enumerate(levels):
            # Of NaN nothing is reached.
            here = (reached[:, -1] >= level) & np.isnan(found[active, i])
            found[active[here], i] = counts[(reached[here] >= level).argmax(axis=1)]
        below[active] = reached[:, -1]
        active = active[np.isnan(found[active]).any(axis=1)]
        if not len(active):
            break


def _pmf(model: CountModel, etas: Sequence[Array], counts: Ints) -> Array:
    """P(Y = counts[j]) of row i, [N, C]."""
    with torch.no_grad():
        columns = [torch.from_numpy(eta[:, None]) for eta in etas]
        found: Array = model.log_prob(columns, torch.from_numpy(counts[None].astype(np.float64))).exp().numpy()
    return found
