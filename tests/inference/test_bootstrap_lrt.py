"""The bootstrap likelihood ratio: its statistic, and that it finds the components that are there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from distfit_counts import sample
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.hypotheses.bootstrap_lrt import bootstrap_lrt
from distfit_counts.result import HypothesisTest
from distfit_counts.settings import FitSettings

TWO = {"weight[1]": 0.6, "weight[2]": 0.4, "rate[1]": 2.0, "rate[2]": 8.0}


def lrt(y, smaller: str, larger: str, **options) -> HypothesisTest:
    settings = FitSettings(**({"replicates": 99} | options))
    column = Column("t", "y", {}, Histogram.of(y))
    (small, row), (large, _) = (fit_columns([column], parse(s), settings).judged(0) for s in (smaller, larger))
    return bootstrap_lrt(small, large, row, settings)


def test_two_components_are_found(fit) -> None:
    y = sample("2*poisson", TWO, 400, seed=1)
    first = lrt(y, "poisson", "2*poisson", replicates=39)
    assert first.p_value == 1 / 40, "no simulated sample comes near"
    difference = fit(y, "2*poisson").log_likelihood - fit(y, "poisson").log_likelihood
    assert first.statistic == pytest.approx(2 * difference, rel=1e-9)
    assert first.code == "bootstrap_lr.poisson"
    assert "39" in first.null
    assert math.isnan(first.df)


@pytest.mark.slow
def test_a_third_component_is_not_invented() -> None:
    y = sample("2*poisson", TWO, 400, seed=1)
    assert lrt(y, "2*poisson", "3*poisson").p_value > 0.05


def test_one_component_is_enough_for_a_poisson() -> None:
    y = sample("poisson", {"rate": 4.0}, 300, seed=3)
    found = lrt(y, "poisson", "2*poisson", replicates=39)
    assert found.p_value > 0.05
    underdispersed = lrt(np.random.default_rng(0).binomial(10, 0.7, 200), "poisson", "2*poisson", replicates=19)
    assert underdispersed.statistic == pytest.approx(0.0, abs=1e-9)
    assert underdispersed.p_value == 1.0, "every sample does as well as none at all"


@pytest.mark.slow
def test_the_seed_decides() -> None:
    y = sample("nb", {"mean": 3.0, "size": 6.0}, 150, seed=3)
    first, second, other = (lrt(y, "poisson", "2*poisson", seed=seed).p_value for seed in (0, 0, 1))
    assert first == second
    assert 0.0 < other <= 1.0


@pytest.mark.parametrize("y", [[0] * 30, [7] * 20, [3], [0, 5]], ids=str)
def test_small_data_does_no_harm(y: list[int]) -> None:
    found = lrt(y, "poisson", "2*poisson", replicates=19)
    assert 0.0 < found.p_value <= 1.0
    assert found.statistic >= 0.0


@pytest.mark.slow
def test_size() -> None:
    """60 Poisson samples, 19 replicates each: at 5 % it rejects about 5 % (a half is exactly zero; five sigma)."""
    p = [lrt(sample("poisson", {"rate": 3.0}, 150, seed=s), "poisson", "2*poisson", replicates=19) for s in range(60)]
    rejected = np.mean([test.p_value <= 0.05 for test in p])
    assert rejected < 0.05 + 5 * math.sqrt(0.05 * 0.95 / 60)
    assert np.mean([test.p_value <= 0.5 for test in p]) == pytest.approx(0.5, abs=0.33)
