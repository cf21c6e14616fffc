"""Components a million times as large as others: the fit is never below the likelihood at the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.settings import FitSettings


@pytest.mark.parametrize(
    "rates",
    [
        (10, 1e3, 1e6),
        (1.2, 1e3, 1e6),
        (5, 200, 1e6),
        *(pytest.param(rates, marks=pytest.mark.slow) for rates in [(3, 1e4, 1e9), (2, 100, 1e4, 1e6)]),
    ],
    ids=str,
)
def test_every_component_is_found(rates: tuple[float, ...]) -> None:
    rng = np.random.default_rng(1)
    counts = np.concatenate([rng.poisson(rate, 100) for rate in rates])
    family = parse(f"{len(rates)}*poisson")
    (fit,) = fit_columns([Column("made", "y", {}, Histogram.of(counts))], family, FitSettings(restarts=3))
    parts = [stats.poisson(rate).logpmf(counts) - np.log(len(rates)) for rate in rates]
    assert fit.log_likelihood >= special.logsumexp(parts, axis=0).sum()
    assert fit.converged
    for i, rate in enumerate(rates, start=1):
        # Five standard errors of a mean of 100 counts.
        assert fit.parameters[f"rate[{i}]"].estimate == pytest.approx(rate, abs=5.0 * np.sqrt(rate / 100))
