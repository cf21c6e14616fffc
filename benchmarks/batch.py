"""20,000 columns of 3,000 negative-binomial counts as one batch, against one evaluation of its objective."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.measure import Figure, ratio
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import Fits, fit_columns
from distfit_counts.optimise.problem import Batch, Objective
from distfit_counts.optimise.starts import own_starts
from distfit_counts.settings import FitSettings

COLUMNS, ROWS = 20_000, 3_000


def run() -> Iterator[Figure]:
    columns = make_columns()
    family = parse("nb")
    batch = Batch.of([column.histogram for column in columns])
    start, scale = own_starts(family, batch, restarts=1, seed=0)
    objective = Objective(family, batch, scale)
    theta, index = torch.from_numpy(start[:, 0]), torch.arange(COLUMNS)
    settings = FitSettings(restarts=1)
    fits: list[Fits] = []

    def fit() -> None:
        fits.append(fit_columns(columns, family, settings))

    found, ours, once = ratio(fit, lambda: objective(theta, index, hessian=True), pairs=3)
    detail = f"{ours:.2f} s / {once:.3f} s; converged: {fits[-1].converged}"
    yield Figure("NB, 20,000 columns x 3,000 rows: fit / one full evaluation", "< 8", f"{found:.2f}", detail)


def make_columns() -> list[Column]:
    """Means from 0.5 to 50 and sizes from 0.3 to 10, as in gene expression."""
    rng = np.random.default_rng(0)
    means = np.exp(rng.uniform(np.log(0.5), np.log(50.0), COLUMNS))
    sizes = np.exp(rng.uniform(np.log(0.3), np.log(10.0), COLUMNS))
    return [
        Column("simulated", str(i), {}, Histogram.of(rng.poisson(rng.gamma(size, mean / size, ROWS))))
        for i, (mean, size) in enumerate(zip(means, sizes, strict=True))
    ]
