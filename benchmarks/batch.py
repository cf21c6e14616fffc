"""20,000 columns of 3,000 negative-binomial counts in one call, against one evaluation of the batched objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from benchmarks.measure import Figure, ratio
from distfit_counts.assembly import Fits
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import chunks, fit_columns
from distfit_counts.optimise.problem import Batch, Objective
from distfit_counts.optimise.starts import own_starts
from distfit_counts.settings import FitSettings

COLUMNS, ROWS = 20_000, 3_000


def run() -> Iterator[Figure]:
    columns = make_columns()
    settings = FitSettings(restarts=1)
    fits: list[Fits] = []

    def fit() -> None:
        fits.append(fit_columns(columns, parse("nb"), settings))

    what = "NB, 20,000 columns x 3,000 rows: fit / one evaluation with gradient and Hessian"
    for how, groups in (
        ("of the full batch, padded to its widest column", [range(COLUMNS)]),
        ("of the chunks that the fit works in", list(chunks(columns, restarts=1))),
    ):
        found, ours, once = ratio(fit, _evaluation(columns, groups), pairs=3)
        yield Figure(f"{what} {how}", "< 8", f"{found:.2f}", f"{ours:.2f} s / {once:.3f} s; all {_converged(fits[-1])}")


def _converged(fits: Fits) -> str:
    return "converged" if fits.converged else "but some converged"


def _evaluation(columns: Sequence[Column], groups: Sequence[Sequence[int]]) -> Callable[[], object]:
    """One evaluation of every group of columns at the moments' start, as a fit with one thread does it."""
    prepared = []
    for group in groups:
        batch = Batch.of([columns[i].histogram for i in group])
        start, scale = own_starts(parse("nb"), batch, restarts=1, seed=0)
        prepared.append((Objective(parse("nb"), batch, scale), torch.from_numpy(start[:, 0]), torch.arange(len(group))))

    def evaluate() -> None:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        for objective, theta, index in prepared:
            objective(theta, index, hessian=True)
        torch.set_num_threads(threads)

    return evaluate


def make_columns() -> list[Column]:
    """Means from 0.5 to 50 and sizes from 0.3 to 10, as in gene expression."""
    rng = np.random.default_rng(0)
    means = np.exp(rng.uniform(np.log(0.5), np.log(50.0), COLUMNS))
    sizes = np.exp(rng.uniform(np.log(0.3), np.log(10.0), COLUMNS))
    return [
        Column("simulated", str(i), {}, Histogram.of(rng.poisson(rng.gamma(size, mean / size, ROWS))))
        for i, (mean, size) in enumerate(zip(means, sizes, strict=True))
    ]
