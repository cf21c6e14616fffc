"""Bands against scipy, brute force and hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from distfit_counts.inference.goodness.bands import binomial_band, normal_band, pit_band


@pytest.mark.parametrize("n", [1, 7, 200, 10_000, 1_000_000])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_binomial_quantiles_are_scipys(n: int, level: float) -> None:
    p = np.array([1e-9, 1e-4, 0.004, 0.3, 0.5, 0.97, 1 - 1e-6])
    p = p[n * p * (1 - p) < 1e4]
    low, high = binomial_band(n, p, level)
    np.testing.assert_array_equal(low, stats.binom.ppf((1 - level) / 2, n, p).clip(0))
    np.testing.assert_array_equal(high, stats.binom.ppf((1 + level) / 2, n, p))


def test_large_binomials_are_normal() -> None:
    n, p = 10_000_000, np.array([0.01, 0.4])
    low, high = binomial_band(n, p)
    np.testing.assert_allclose(low, stats.binom.ppf(0.025, n, p), atol=2)
    np.testing.assert_allclose(high, stats.binom.ppf(0.975, n, p), atol=2)


def test_what_cannot_vary_has_no_band() -> None:
    low, high = binomial_band(20, [0.0, 1.0])
    assert low.tolist() == high.tolist() == [0.0, 20.0]


@pytest.mark.parametrize("rate", [0.2, 2.0, 40.0])
@pytest.mark.parametrize("bins", [4, 10])
def test_the_pit_band_has_the_variance_of_brute_force(rate: float, bins: int) -> None:
    """g(k), the part of (F(k-1), F(k)] in each bin, is summed over all counts, where the code uses the edges only."""
    n, k = 500, np.arange(400)
    upper, mass = stats.poisson.cdf(k, rate), stats.poisson.pmf(k, rate)
    edges = np.linspace(0, 1, bins + 1)
    inside = np.minimum(upper[:, None], edges[1:]) - np.maximum((upper - mass)[:, None], edges[:-1])
    share = np.divide(inside.clip(0), mass[:, None], where=mass[:, None] > 0, out=np.zeros_like(inside))
    variance = (mass[:, None] * share**2).sum(axis=0) - bins**-2.0
    low, high = pit_band(n, lambda x: stats.poisson.cdf(x, rate), bins)
    np.testing.assert_allclose(high - 1 / bins, 1.959963984540054 * np.sqrt(variance / n), rtol=1e-6)
    np.testing.assert_allclose(low, (2 / bins - high).clip(0))


@pytest.mark.parametrize("n", [2, 30, 1000])
def test_the_normal_band_holds_all_points_of_95_percent_of_samples(n: int) -> None:
    """2,000 fresh samples: within four binomial standard errors, and as much for the simulation of the band."""
    ranks = np.arange(n)
    low, high = normal_band(n, ranks)
    drawn = np.sort(np.random.default_rng(7).standard_normal((2000, n)), axis=1)
    inside = ((drawn >= low) & (drawn <= high)).all(axis=1).mean()
    assert abs(inside - 0.95) < 8.0 * (0.95 * 0.05 / 2000) ** 0.5


def test_no_point_of_the_normal_band_is_more_extreme_than_another() -> None:
    """Levels by scipy's beta distribution: at the ends on average those of the middle."""
    ranks = np.arange(300)
    low, high = normal_band(300, ranks)
    levels = stats.beta.cdf(stats.norm.cdf(low), ranks + 1, 300 - ranks)
    levels += stats.beta.sf(stats.norm.cdf(high), ranks + 1, 300 - ranks)
    ends, middle = np.concatenate([levels[:30], levels[-30:]]).mean(), levels[30:-30].mean()
    assert 0.6 < ends / middle < 1.6


def test_the_normal_band_of_one_point() -> None:
    """Of one draw: the quantiles of the normal, -1.96 and 1.96."""
    low, high = normal_band(1, np.array([0]))
    np.testing.assert_allclose([low[0], high[0]], [-1.96, 1.96], atol=0.15)
