"""Quantile residuals are normal and the PIT is flat where the model is right, and both say where it is not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.goodness.residuals import pit_histogram, quantile_residuals

MODELS = {
    "few zeros": stats.poisson(3.0),
    "nearly all zero": stats.poisson(0.05),
    "large": stats.poisson(4000.0),
    "overdispersed": stats.nbinom(0.4, 0.05),
}


@pytest.mark.parametrize("name", MODELS)
def test_residuals_of_the_model_s_own_counts_are_standard_normal(name: str) -> None:
    model = MODELS[name]
    counts = model.rvs(8000, random_state=np.random.default_rng(3))
    residuals = quantile_residuals(Histogram.of(counts), model.cdf, seed=1)
    assert residuals.shape == (8000,)
    assert abs(residuals.mean()) < 4.0 / 8000**0.5
    assert abs(residuals.var() - 1.0) < 4.0 * (2.0 / 8000) ** 0.5
    assert stats.kstest(residuals, "norm").pvalue > 0.001


@given(st.lists(st.integers(0, 60), min_size=1, max_size=50), st.floats(0.1, 40.0))
def test_each_residual_lies_between_its_count_s_two_probabilities(counts: list[int], rate: float) -> None:
    model = stats.poisson(rate)
    residuals = quantile_residuals(Histogram.of(counts), model.cdf)
    ordered = np.sort(counts)
    assert np.isfinite(residuals).all()
    u = stats.norm.cdf(residuals)
    assert (u >= model.cdf(ordered - 1) - 1e-12).all()
    assert (u <= model.cdf(ordered) + 1e-12).all()


def test_the_seed_decides() -> None:
    histogram, cdf = Histogram.of([0, 1, 1, 5]), stats.poisson(1.0).cdf
    assert (quantile_residuals(histogram, cdf, 1) == quantile_residuals(histogram, cdf, 1)).all()
    assert (quantile_residuals(histogram, cdf, 1) != quantile_residuals(histogram, cdf, 2)).any()


def test_of_many_a_fair_ten_thousand() -> None:
    """10^12 observations in exactly the model's shares: no count may be favoured."""
    model = stats.poisson(2.0)
    k = np.arange(18)
    histogram = Histogram.of(k, np.round(1e12 * model.pmf(k)).astype(np.int64))
    residuals = quantile_residuals(histogram, model.cdf)
    assert len(residuals) == 10_000
    assert stats.kstest(residuals, "norm").pvalue > 0.01
    assert len(quantile_residuals(Histogram.of([1], [10_001]), model.cdf)) == 10_000
    assert len(quantile_residuals(Histogram.of([1], [10_000]), model.cdf)) == 10_000


def test_impossible_counts_end_at_the_edge_of_what_float64_can_say() -> None:
    """Phi^-1(2^-53) = -8.2095..., by scipy."""
    histogram, shifted = Histogram.of([0, 1000]), lambda k: stats.poisson.cdf(k - 200, 1.0)
    lowest, highest = quantile_residuals(histogram, shifted)
    assert lowest == pytest.approx(stats.norm.ppf(2.0**-53), rel=1e-9)
    assert highest == pytest.approx(-stats.norm.ppf(2.0**-53), rel=1e-9)


def test_pit_of_a_coin_by_hand() -> None:
    """F(0) = 1/2, F(1) = 1: a 0 spreads over (0, 1/2], a 1 over (1/2, 1]. Of 0, 0, 1 two thirds lie in the lower."""

    def coin(k):
        return np.where(k < 1, 0.5, 1.0)

    histogram = Histogram.of([0, 0, 1])
    assert pit_histogram(histogram, coin, 4) == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])
    expected = [Fraction(4, 15), Fraction(4, 15), Fraction(1, 5), Fraction(2, 15), Fraction(2, 15)]
    assert pit_histogram(histogram, coin, 5) == pytest.approx([float(height) for height in expected])


def test_pit_is_exactly_flat_where_shares_are_probabilities() -> None:
    """Binomial(4, 1/2): 1, 4, 6, 4, 1 sixteenths."""
    histogram = Histogram.of([0, 1, 2, 3, 4], [1, 4, 6, 4, 1])
    assert pit_histogram(histogram, stats.binom(4, 0.5).cdf, 10) == pytest.approx([0.1] * 10, abs=1e-14)


@given(
    st.lists(st.one_of(st.integers(0, 9), st.integers(0, 2**53)), min_size=1, max_size=30),
    st.floats(0.01, 1e4),
    st.integers(1, 20),
)
def test_pit_heights_sum_to_one(counts: list[int], rate: float, bins: int) -> None:
    heights = pit_histogram(Histogram.of(counts), stats.poisson(rate).cdf, bins)
    assert heights.shape == (bins,)
    assert (heights >= -1e-12).all()
    assert heights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", MODELS)
def test_pit_of_the_model_s_own_counts_is_flat(name: str) -> None:
    model = MODELS[name]
    counts = model.rvs(20_000, random_state=np.random.default_rng(5))
    heights = pit_histogram(Histogram.of(counts), model.cdf)
    # A height varies no more than a binomial share does.
    assert abs(heights - 0.1).max() < 4.0 * (0.1 * 0.9 / 20_000) ** 0.5


def test_pit_says_what_is_wrong() -> None:
    """U for counts that spread more than the model, a hump for less, an end for another mean (Czado et al. 2009)."""
    rng = np.random.default_rng(0)
    model = stats.poisson(20.0)
    spread = pit_histogram(Histogram.of(rng.negative_binomial(5, 0.2, 5000)), model.cdf)
    assert min(spread[0], spread[-1]) > 2.0 * spread[4:6].max()
    narrow = pit_histogram(Histogram.of(rng.binomial(25, 0.8, 5000)), model.cdf)
    assert max(narrow[0], narrow[-1]) < 0.3 * narrow[4:6].min()
    larger = pit_histogram(Histogram.of(rng.poisson(30.0, 5000)), model.cdf)
    assert larger[-1] > 0.5


def test_counts_of_no_probability_fall_into_the_end_bins() -> None:
    """A zero under a zero-truncated model, and a count beyond all of a bounded one."""
    truncated = pit_histogram(Histogram.of([0, 9]), lambda k: np.where(k < 1, 0.0, 1.0))
    assert truncated == pytest.approx([0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5])
