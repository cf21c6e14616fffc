"""Tests of the Poisson against overdispersion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.hypotheses import dispersion
from distfit_counts.inference.observed import Observed
from distfit_counts.result import HypothesisTest


def dean_lawless(histogram: Histogram) -> HypothesisTest:
    return dispersion.dean_lawless(Observed.of([histogram])).at(0)


def cameron_trivedi(histogram: Histogram) -> HypothesisTest:
    return dispersion.cameron_trivedi(Observed.of([histogram])).at(0)


HORSE_KICKS = Histogram.of(np.arange(5), [109, 65, 22, 3, 1])


def test_dean_lawless_on_horse_kicks_worked_by_hand() -> None:
    """n = 200, m = 0.61, Σ(y − m)² = 196 − 74.42 = 121.58; T = (121.58 − 199·0.61)/(0.61·√400) = 0.19/12.2."""
    found = dean_lawless(HORSE_KICKS)
    assert found.code == "score.overdispersion"
    assert found.statistic == pytest.approx(0.19 / 12.2, rel=1e-10)
    assert found.p_value == pytest.approx(stats.norm.sf(0.19 / 12.2), rel=1e-10)
    assert math.isnan(found.df)
    assert "normal" in found.null


def test_dean_lawless_is_the_sum_over_observations() -> None:
    """Their formula, with hat values from the design matrix of ones."""
    y = np.random.default_rng(0).negative_binomial(2, 0.4, 60).astype(float)
    mu = np.full(60, y.mean())
    root = np.sqrt(mu)[:, None] * np.ones((60, 1))
    hat = np.diag(root @ np.linalg.inv(root.T @ root) @ root.T)
    expected = ((y - mu) ** 2 - y + hat * mu).sum() / np.sqrt(2 * (mu**2).sum())
    assert dean_lawless(Histogram.of(y)).statistic == pytest.approx(expected, rel=1e-12)


def test_cameron_trivedi_is_a_t_value() -> None:
    """R's AER::dispersiontest: √n mean(z)/sd(z), the t value of z on a constant, one-sided normal."""
    y = np.random.default_rng(1).negative_binomial(3, 0.5, 80).astype(float)
    z = ((y - y.mean()) ** 2 - y) / y.mean()
    t = stats.ttest_1samp(z, 0.0).statistic
    found = cameron_trivedi(Histogram.of(y))
    assert found.code == "regression.overdispersion"
    assert found.statistic == pytest.approx(t, rel=1e-12)
    assert found.p_value == pytest.approx(stats.norm.sf(t), rel=1e-10)


def test_cameron_trivedi_worked_by_hand() -> None:
    """0, 1, 5: m = 2, z = (4, 0, 4)/2 = 2, 0, 2; mean 4/3, sd √(4/3); t = √3·(4/3)/√(4/3) = 2."""
    assert cameron_trivedi(Histogram.of([0, 1, 5])).statistic == pytest.approx(2.0, rel=1e-14)


@pytest.mark.parametrize("test", [dean_lawless, cameron_trivedi])
def test_one_sided(test) -> None:
    rng = np.random.default_rng(5)
    over, under = test(Histogram.of(rng.negative_binomial(1, 0.2, 300))), test(Histogram.of(rng.binomial(10, 0.7, 300)))
    assert over.statistic > 3
    assert over.p_value < 1e-3
    assert under.statistic < -3
    assert under.p_value > 0.999


@pytest.mark.parametrize("test", [dean_lawless, cameron_trivedi])
@pytest.mark.parametrize("values", [[0] * 30, [3], [0]])
def test_no_p_value_without_information(test, values: list[int]) -> None:
    found = test(Histogram.of(values))
    assert math.isnan(found.p_value)
    assert math.isnan(found.statistic)
    assert found.null.startswith("none: ")


@pytest.mark.parametrize("values", [[7] * 30, [0, 0, 0, 2], [0, 0, 0, 2] * 25, [11] * 7])
def test_cameron_trivedi_without_spread(values: list[int]) -> None:
    found = cameron_trivedi(Histogram.of(values))
    assert math.isnan(found.p_value)
    assert "none: " in found.null


def test_counts_beyond_int64_squares() -> None:
    huge = Histogram.of([2**52, 2**53], [3, 2])
    assert dean_lawless(huge).p_value == 0.0
    assert np.isfinite(cameron_trivedi(huge).statistic)


def test_dean_lawless_null_moments_are_exact_given_the_sum() -> None:
    """Σ(y − m)²/m has mean n − 1 and variance 2(n − 1)(1 − 1/Σy) given Σy (Hoel 1943): all 3^6 ways for 6 on 3."""
    n, total = 3, 6
    samples = np.array(np.meshgrid(*[range(n)] * total)).reshape(total, -1).T
    found = np.array([dean_lawless(Histogram.of(np.bincount(row, minlength=n))).statistic for row in samples])
    assert found.mean() == pytest.approx(0.0, abs=1e-12)
    assert found.var() == pytest.approx((n - 1) / n * (1 - 1 / total), rel=1e-10)


def test_sizes_under_the_poisson() -> None:
    """800 samples of 400: mean 0, variance 1 within 4 standard errors, and 5 % rejected.

    A t value has a mean of order 1/√n where z is skew, as squares are: 0.15 is left for that.
    """
    rng = np.random.default_rng(8)
    samples = [Histogram.of(row) for row in rng.poisson(2.0, (800, 400))]
    for test, bias in ((dean_lawless, 0.0), (cameron_trivedi, 0.15)):
        found = [test(sample) for sample in samples]
        z = np.array([one.statistic for one in found])
        assert abs(z.mean()) < 4 / math.sqrt(800) + bias
        assert z.var() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 800) + bias)
        assert np.mean([one.p_value <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.03)
