"""Heteroscedastic counts with a mean that no line follows, in memory and in Parquet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.made import folder, written

COVARIATES = 10
NAMES = tuple(f"x{i}" for i in range(COVARIATES))


def heteroscedastic(
    rows: int, rng: np.random.Generator, level: float = 2.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Covariates [n, 10], counts, and their true means and sizes (Var = mean + mean²/size).

    The log-means lie around ``level``.
    """
    x = rng.standard_normal((rows, COVARIATES))
    mean = np.exp(level + np.sin(2.0 * x[:, 0]) + 0.5 * x[:, 1] * (x[:, 2] > 0.0) - 0.3 * np.abs(x[:, 3]))
    size = np.exp(2.0 + 0.7 * x[:, 4])
    return x, rng.poisson(rng.gamma(size, mean / size)).astype(np.float64), mean, size


@cache
def network_parquet(rows: int) -> Path:
    """Columns x0 to x9 (float64) and y (int32), a row group for every million rows."""
    rng = np.random.default_rng(5)

    def part(n: int) -> pa.Table:
        x, y, _, _ = heteroscedastic(n, rng)
        return pa.table({**dict(zip(NAMES, x.T, strict=True)), "y": y.astype(np.int32)})

    return written(folder() / f"network_{rows}.parquet", rows, part, 1 << 20)
