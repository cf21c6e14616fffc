"""Log score and ranked probability score against hand-worked values, closed forms and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import tabulate
from distfit_counts.inference.new_data.scores import expected_log_score, log_score, ranked_probability_score


def rps(counts, pmf: Pmf, weights=None) -> float:
    histogram = Histogram.of(counts, weights)
    return ranked_probability_score(histogram, tabulate(pmf, histogram.values))


def of(spec: str, **values: float) -> Pmf:
    return Pmf.of(parse(spec), values)


def listed(*probabilities: float):
    """The pmf of 0, 1, 2, ... with these probabilities."""
    table = np.array([*probabilities, 0.0])
    return small(lambda k: table[np.minimum(k, len(probabilities)).astype(int)])


def small(pmf) -> Pmf:
    """Of counts that are all listed: it has no peak elsewhere."""

    def log(k):
        with np.errstate(divide="ignore"):
            return np.log(pmf(k))

    return Pmf(log, ())


@pytest.mark.parametrize(("count", "score"), [(0, 1 / 4), (1, 1 / 4), (2, 1 / 4 + 1), (5, 1 / 4 + 4)])
def test_rps_of_a_coin_by_hand(count: int, score: float) -> None:
    """F = 1/2, 1, 1, ...: of 2, the sum is F(0)^2 + F(1)^2 + (F(2) - 1)^2 + ... = 1/4 + 1 + 0."""
    assert rps([count], listed(0.5, 0.5)) == pytest.approx(score)


def test_rps_of_a_certain_prediction_is_the_absolute_error() -> None:
    counts = [0, 3, 4, 4, 11]
    assert rps(counts, listed(0, 0, 0, 0, 1.0)) == pytest.approx(np.abs(np.array(counts) - 4).mean())


@given(
    st.lists(st.integers(0, 80), min_size=1, max_size=20),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=70).filter(lambda p: sum(p) > 0.1),
)
@settings(max_examples=100)
def test_rps_is_its_definition(counts: list[int], weights: list[float]) -> None:
    pmf = np.array(weights) / sum(weights)
    cdf = np.append(np.cumsum(pmf), np.ones(100))[:100]
    k = np.arange(100)
    direct = np.mean([((cdf - (y <= k)) ** 2).sum() for y in counts])
    assert rps(counts, listed(*pmf)) == pytest.approx(direct, rel=1e-9, abs=1e-12)


def poisson_rps(y, rate: float):
    """Closed form (Wei and Held 2014): (y - l)(2 F(y) - 1) + 2 l f(y) - l exp(-2 l)(I0(2 l) + I1(2 l))."""
    bessel = special.ive(0, 2 * rate) + special.ive(1, 2 * rate)
    cdf, pmf = stats.poisson.cdf(y, rate), stats.poisson.pmf(y, rate)
    return (y - rate) * (2 * cdf - 1) + 2 * rate * pmf - rate * bessel


@pytest.mark.parametrize("rate", [0.01, 0.7, 6.0, 900.0, 3e4, 2e5, 4e6, 4e8])
@pytest.mark.parametrize("shift", [1.0, 1.1, 3.0])
def test_rps_of_a_poisson(rate: float, shift: float) -> None:
    counts = np.random.default_rng(0).poisson(rate * shift, 60)
    scored = rps(counts, of("poisson", rate=rate))
    exact = rate < 4e3
    assert scored == pytest.approx(poisson_rps(counts.astype(float), rate).mean(), rel=1e-9 if exact else 1e-6)


@pytest.mark.parametrize("mean", [0.5, 40.0, 1e4, 1e6, 1e12])
def test_rps_of_a_geometric(mean: float) -> None:
    """F(k) = 1 - q^(k+1): both sums are geometric series."""
    p, q = 1.0 / (1.0 + mean), mean / (1.0 + mean)
    log_q = -math.log1p(1.0 / mean)
    y = np.array([0.0, 1.0, np.floor(mean), np.floor(5 * mean)])
    one, two = -np.expm1(y * log_q), -np.expm1(2 * y * log_q)
    square = p * (1 + q)  # 1 - q^2
    exact = y - 2 * q * one / p + q**2 * two / square + q**2 * np.exp(2 * y * log_q) / square
    # Both terms are small differences of large ones where the mean is.
    assert rps(y.astype(int), of("geometric", mean=mean)) == pytest.approx(exact.mean(), rel=1e-6)


def test_rps_prefers_the_truth() -> None:
    """Proper: over counts in the model's own shares no other model scores better."""
    k = np.arange(40)
    weights = np.round(1e9 * stats.poisson.pmf(k, 4.0)).astype(int)
    own = rps(k, small(stats.poisson(4.0).pmf), weights)
    others = [stats.poisson(3.8), stats.poisson(4.2), stats.nbinom(8, 8 / 12), stats.binom(10, 0.4)]
    assert all(rps(k, small(other.pmf), weights) > own for other in others)


@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "hurdle(nb)", "2*poisson"])
def test_log_score_of_the_fitted_counts_is_their_likelihood(spec: str, fit) -> None:
    from distfit_counts.inference.fitted.reached import log_pmf

    rng = np.random.default_rng(2)
    counts = rng.poisson(rng.gamma(2.0, 2.0, 300)) * rng.binomial(1, 0.7, 300)
    found = fit(counts, spec)
    scored = log_score(found.histogram, lambda k: log_pmf(*found.model, k))
    assert scored == pytest.approx(-found.log_likelihood / 300, rel=1e-12)


def test_log_score_by_hand() -> None:
    """Of 0, 0, 3 with p(0) = 1/2, p(3) = 1/8: (2 log 2 + 3 log 2)/3."""
    score = log_score(Histogram.of([0, 0, 3]), lambda k: np.log(np.where(k == 0, 0.5, 0.125)))
    assert score == pytest.approx(5 * math.log(2) / 3)
    assert log_score(Histogram.of([0, 1]), lambda k: np.where(k == 0, -np.inf, -1.0)) == math.inf


@pytest.mark.parametrize("mean", [0.3, 25.0, 5e4, 1e6, 1e10])
def test_expected_log_score_of_a_geometric(mean: float) -> None:
    """-log P(Y = k) = -log p - k log q is linear in k: its mean and deviation are those of k."""
    p, q = 1.0 / (1.0 + mean), mean / (1.0 + mean)
    log_q = -math.log1p(1.0 / mean)
    expected, deviation = expected_log_score(tabulate(of("geometric", mean=mean), np.array([0, 3])))
    rel = 1e-6 if mean < 1e3 else 1e-5
    assert expected == pytest.approx(-math.log(p) - mean * log_q, rel=rel)
    assert deviation == pytest.approx(-log_q * math.sqrt(q) / p, rel=rel)


def test_expected_log_score_of_the_sure_and_of_the_even() -> None:
    assert expected_log_score(tabulate(listed(0, 1.0), np.array([0]))) == (0.0, 0.0)
    expected, deviation = expected_log_score(tabulate(listed(*[1 / 64] * 64), np.array([0])))
    assert expected == pytest.approx(math.log(64))
    assert deviation == pytest.approx(0.0, abs=1e-12)


LARGE = {
    "poisson 1e6": (stats.poisson(1e6), of("poisson", rate=1e6), []),
    "poisson 1e9": (stats.poisson(1e9), of("poisson", rate=1e9), [5, 10**15]),
    "heavy tail": (stats.nbinom(0.05, 0.05 / 1e6), of("nb", mean=1e6 - 0.05, size=0.05), [0, 7]),
    "far away": (stats.poisson(3.0), of("poisson", rate=3.0), [10**9, 10**9 + 1, 2**53]),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_table_has_the_right_probabilities(name: str) -> None:
    model, pmf, more = LARGE[name]
    values = np.unique([*model.rvs(300, random_state=np.random.default_rng(1)), *more]).astype(np.int64)
    table = tabulate(pmf, values)
    assert table.starts[0] == 0
    assert (table.starts[1:] == table.starts[:-1] + table.sizes[:-1]).all(), "no gap, no overlap"
    assert table.cdf(values) == pytest.approx(model.cdf(values), abs=1e-10)
    assert table.cdf(values - 1) == pytest.approx(model.cdf(values - 1), abs=1e-10)
    assert table.cdf(values + 40) == pytest.approx(model.cdf(values + 40), abs=2e-7), "straight inside a piece"
    assert table.masses.sum() == pytest.approx(1.0, abs=1e-12)
    assert (table.sizes[np.isin(table.starts, values)] == 1).all()
    assert np.isin(values, table.starts).all()


@given(st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**53)), min_size=1, max_size=10))
@settings(max_examples=12)
def test_a_table_covers_every_value_once(counts: list[int]) -> None:
    values = np.unique(counts).astype(np.int64)
    table = tabulate(of("geometric", mean=49.0), values)
    assert table.starts[0] == 0
    assert (table.starts[1:] == table.starts[:-1] + table.sizes[:-1]).all()
    assert np.isin(values, table.starts).all()
    assert table.masses.sum() == pytest.approx(1.0, abs=1e-7)
