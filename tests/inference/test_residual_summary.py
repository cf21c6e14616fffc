"""Quantile residuals in three numbers: those of normal draws where the model is true, and which way they err."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.new_data.residuals import Moment, residuals


def log_tails(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore"):
        return stats.poisson.logcdf(k, 4.0), stats.poisson.logsf(k, 4.0)


def of(counts: np.ndarray, seed: int = 0):
    return residuals(Histogram.of(counts), log_tails, seed)


def inside(moment: Moment) -> bool:
    return moment.lower <= moment.value <= moment.upper


def test_the_bands_hold_95_percent_of_true_samples() -> None:
    """300 samples of 400: each share of misses within four binomial standard errors of 5 % (discrete: or below)."""
    found = [of(np.random.default_rng(seed).poisson(4.0, 400), seed) for seed in range(300)]
    reach = 4.0 * (0.05 * 0.95 / 300) ** 0.5
    for name in ("mean", "deviation", "beyond"):
        missed = 1.0 - np.mean([inside(getattr(each, name)) for each in found])
        assert missed < 0.05 + reach
        assert name == "beyond" or missed > 0.05 - reach


def test_the_bands_are_those_of_normal_draws() -> None:
    """Standard errors 1/sqrt n and 1/sqrt(2n), and the binomial's quantiles, by scipy."""
    found = of(np.random.default_rng(0).poisson(4.0, 400))
    assert (found.n, found.seed) == (400, 0)
    assert found.mean.upper == pytest.approx(stats.norm.ppf(0.975) / 20)
    assert found.deviation.upper - 1.0 == pytest.approx(stats.norm.ppf(0.975) / np.sqrt(800))
    assert [found.beyond.lower, found.beyond.upper] == [stats.binom(400, 0.05).ppf(q) / 400 for q in (0.025, 0.975)]


@pytest.mark.parametrize(
    ("draw", "mean", "deviation"),
    [
        (lambda rng: rng.poisson(5.0, 2000), 1, 0),
        (lambda rng: rng.poisson(3.2, 2000), -1, 0),
        (lambda rng: rng.negative_binomial(2, 2 / 6, 2000), None, 1),
        (lambda rng: rng.binomial(5, 0.8, 2000), None, -1),
    ],
    ids=["larger", "smaller", "wider", "narrower"],
)
def test_what_is_wrong_shows(draw, mean: int | None, deviation: int) -> None:
    found = of(draw(np.random.default_rng(1)))
    if mean is not None:
        assert np.sign(found.mean.value) == mean
        assert not inside(found.mean)
    if deviation:
        assert not inside(found.deviation)
        assert np.sign(found.deviation.value - 1.0) == deviation
        assert np.sign(found.beyond.value - 0.05) == deviation


def test_one_count_and_very_many() -> None:
    one = of(np.array([3]))
    assert one.n == 1
    assert np.isnan(one.deviation.value)
    many = residuals(Histogram.of([3, 4, 5], [10**6] * 3), log_tails, 7)
    assert (many.n, many.seed) == (10_000, 7)


def test_an_infinite_residual_has_no_spread() -> None:
    def truncated(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = log_tails(k)
        return np.where(k < 1, -np.inf, lower), np.where(k < 1, 0.0, upper)

    found = residuals(Histogram.of([0, 3, 4]), truncated, 0)
    assert found.mean.value == -np.inf
    assert np.isnan(found.deviation.value)
    assert found.beyond.value == pytest.approx(1 / 3)
