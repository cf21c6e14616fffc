"""Quantile residuals are normal and the PIT is flat where the model is right, and both say where it is not."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import tabulate
from distfit_counts.inference.goodness.residuals import normal_quantile, pit_histogram, quantile_residuals


def log_tails(model):
    def both(k):
        with np.errstate(divide="ignore"):
            return model.logcdf(k), model.logsf(k)

    return both


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
    residuals = quantile_residuals(Histogram.of(counts), log_tails(model), seed=1)
    assert residuals.shape == (8000,)
    assert abs(residuals.mean()) < 4.0 / 8000**0.5
    assert abs(residuals.var() - 1.0) < 4.0 * (2.0 / 8000) ** 0.5
    assert stats.kstest(residuals, "norm").pvalue > 0.001


@given(st.lists(st.integers(0, 60), min_size=1, max_size=50), st.floats(0.1, 40.0))
def test_each_residual_lies_between_its_count_s_two_probabilities(counts: list[int], rate: float) -> None:
    model = stats.poisson(rate)
    residuals = quantile_residuals(Histogram.of(counts), log_tails(model))
    ordered = np.sort(counts)
    assert np.isfinite(residuals).all()
    u = stats.norm.cdf(residuals)
    assert (u >= model.cdf(ordered - 1) - 1e-12).all()
    assert (u <= model.cdf(ordered) + 1e-12).all()


def test_the_seed_decides() -> None:
    histogram, cdf = Histogram.of([0, 1, 1, 5]), log_tails(stats.poisson(1.0))
    assert (quantile_residuals(histogram, cdf, 1) == quantile_residuals(histogram, cdf, 1)).all()
    assert (quantile_residuals(histogram, cdf, 1) != quantile_residuals(histogram, cdf, 2)).any()


def test_of_many_a_fair_ten_thousand() -> None:
    """10^12 observations in exactly the model's shares: no count may be favoured."""
    model = stats.poisson(2.0)
    k = np.arange(18)
    histogram = Histogram.of(k, np.round(1e12 * model.pmf(k)).astype(np.int64))
    residuals = quantile_residuals(histogram, log_tails(model))
    assert len(residuals) == 10_000
    assert stats.kstest(residuals, "norm").pvalue > 0.01
    assert len(quantile_residuals(Histogram.of([1], [10_001]), log_tails(model))) == 10_000
    assert len(quantile_residuals(Histogram.of([1], [10_000]), log_tails(model))) == 10_000


@pytest.mark.parametrize(
    ("log_tail", "z"),
    [
        (-1.0, 0.3374749638),
        (-50.0, 9.6748252836),
        (-689.0, 36.999173956),
        (-691.0, 37.053150501),
        (-1e4, 141.37983987),
        (-1e10, 141421.35614695),
    ],
)
def test_normal_quantiles_of_log_tails(log_tail: float, z: float) -> None:
    """By mpmath: the root of log(erfc(z/sqrt 2)/2)."""
    (found,) = normal_quantile(np.array([log_tail]))
    assert found == pytest.approx(z, rel=1e-9)


def test_counts_far_out_are_not_cut() -> None:
    """500 counts near 1e9 under a negative binomial of mean 1.7: not one place for all, but a standard deviation."""
    counts = np.random.default_rng(0).poisson(1e9, 500)
    pmf = Pmf.of(parse("nb"), {"mean": 1.7, "size": 1.0})
    found = quantile_residuals(Histogram.of(counts), tabulate(pmf, np.unique(counts)).log_tails)
    # Size 1: P(Y > k) = q^(k+1), so that z = sqrt(2 k log(1/q)) and its deviation that of k, z/2k, here 15,811 z/1e9.
    log_q = -np.log1p(1 / 1.7)
    assert found == pytest.approx(np.sqrt(-2.0 * np.sort(counts) * log_q), rel=1e-6)
    assert found.std() == pytest.approx(found.mean() * counts.std() / 2e9, rel=1e-3)


@pytest.mark.parametrize(("rate", "low", "high"), [(1e6, 955_000, 1_050_000), (1e9, 0, 2 * 10**9), (500.0, 0, 4000)])
def test_tails_beyond_float64(rate: float, low: int, high: int) -> None:
    """log P(Y <= k) and log P(Y > k) of a Poisson by mpmath: the incomplete gamma function."""
    table = tabulate(Pmf.of(parse("poisson"), {"rate": rate}), np.array([low, high]))
    (lower, _), (_, upper) = (np.ravel(table.log_tails(np.array([float(k)]))) for k in (low, high))
    with mpmath.workdps(30):
        first = [mpmath.mpf(k) * mpmath.log(rate) - rate - mpmath.loggamma(k + 1) for k in (low, high + 1)]
        # Sums of the ratios of neighbouring terms, as many as count.
        down = mpmath.nsum(lambda j: mpmath.ff(low, int(j)) / mpmath.mpf(rate) ** int(j), [0, min(low, 3000)])
        up = sum(mpmath.mpf(rate) ** j / mpmath.rf(high + 2, j) for j in range(3000))
    assert lower == pytest.approx(float(first[0] + mpmath.log(down)), rel=1e-5)
    assert upper == pytest.approx(float(first[1] + mpmath.log(up)), rel=1e-5)


def test_impossible_counts_are_infinitely_far_out() -> None:
    """A zero under a zero-truncated model: what is said of it must not depend on where it would be cut."""
    table = tabulate(Pmf.of(parse("zt(poisson)"), {"rate": 2.0}), np.array([0, 1, 3]))
    found = quantile_residuals(Histogram.of([0, 1, 3]), table.log_tails)
    assert found[0] == -np.inf
    assert np.isfinite(found[1:]).all()


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
