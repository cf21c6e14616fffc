"""Covariates on the scale on which a network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.regression.network.block import Block


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Of p columns those that vary, ``kept`` [q], less their ``mean`` [q], over their ``scale`` [q]."""

    kept: tuple[int, ...]
    mean: Array
    scale: Array

    def __call__(self, x: Array) -> Array:
        """``x`` [n, p] -> [n, q], a new array in C order, whatever x is in: a network reads rows."""
        found = np.empty((len(x), len(self.kept)))
        np.take(x, self.kept, axis=1, out=found, mode="clip")
        found -= self.mean
        found /= self.scale
        return found

    def of(self, block: Block) -> Block:
        return Block(self(block.x), block.y, block.weights, block.offset, block.rows)
