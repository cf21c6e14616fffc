"""Observed against expected counts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.goodness.frequencies import Frequency, frequencies


def poisson(rate: float) -> Pmf:
    return Pmf.of(parse("poisson"), {"rate": rate})


@given(
    st.lists(st.one_of(st.integers(0, 30), st.integers(0, 10**6), st.integers(0, 2**53)), min_size=1, max_size=40),
    st.floats(0.01, 1e6),
)
@settings(max_examples=150)
def test_bins_cover_everything_once(values: list[int], rate: float) -> None:
    histogram = Histogram.of(values)
    bins = frequencies(histogram, poisson(rate))
    assert bins[0].low == 0
    assert bins[-1].high is None
    for lower, upper in itertools.pairwise(bins):
        assert lower.high is not None
        assert lower.low <= lower.high
        assert upper.low == lower.high + 1
    assert sum(b.observed for b in bins) == len(values)
    for b in bins:
        high = np.inf if b.high is None else b.high
        assert b.observed == sum(b.low <= value <= high for value in values)
        assert b.expected >= 0.0
    assert len(bins) <= 45, "a screen"


@pytest.mark.parametrize(("rate", "top"), [(0.5, 6), (4.0, 14), (19.0, 60), (300.0, 500), (50_000.0, 60_000)])
def test_expected_counts_are_the_model_s(rate: float, top: int) -> None:
    values = np.random.default_rng(0).poisson(rate, 5000)
    bins = frequencies(Histogram.of(values), poisson(rate))
    for b in bins[:-1]:
        assert b.high is not None
        exact = 5000 * (stats.poisson.cdf(b.high, rate) - stats.poisson.cdf(b.low - 1, rate))
        assert b.expected == pytest.approx(exact, rel=1e-9, abs=1e-9)
        if b.expected > 0:
            assert b.pearson == pytest.approx((b.observed - b.expected) / np.sqrt(b.expected))
    assert bins[-1].expected == pytest.approx(5000 * stats.poisson.sf(bins[-1].low - 1, rate), rel=1e-9)
    assert sum(b.expected for b in bins) == pytest.approx(5000, rel=1e-12)
    chi_square = sum(b.pearson**2 for b in bins if b.expected > 5)
    assert stats.chi2.sf(chi_square, len(bins) - 1) > 1e-4


@pytest.mark.parametrize("spec", ["poisson", "zip", "hurdle(nb)", "2*poisson"])
def test_a_fit_s_table_sums_to_n(spec: str, fit) -> None:
    rng = np.random.default_rng(0)
    values = rng.poisson(9.0, 300) * rng.binomial(1, 0.7, 300)
    bins = fit(values, spec).frequencies()
    assert sum(b.observed for b in bins) == 300
    assert sum(b.expected for b in bins) == pytest.approx(300, rel=1e-10)
    if spec == "hurdle(nb)":
        assert bins[0].expected == pytest.approx(bins[0].observed, rel=1e-8), "a hurdle matches the zeros exactly"


def test_narrow_mass_in_a_wide_bin_is_found() -> None:
    """400 of Poisson(1.2), 100 of Poisson(1e6): bins of 100,000 counts hold each in a corner, by SciPy."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.poisson(1.2, 400), rng.poisson(1e6, 100)])
    model = {"weight[1]": 0.8, "weight[2]": 0.2, "rate[1]": 1.2, "rate[2]": 1e6}
    bins = frequencies(Histogram.of(values), Pmf.of(parse("2*poisson"), model))
    assert len(bins) > 10
    for b in bins:
        high = np.inf if b.high is None else b.high
        ends = [0.8 * stats.poisson.cdf(k, 1.2) + 0.2 * stats.poisson.cdf(k, 1e6) for k in (high, b.low - 1)]
        assert b.expected == pytest.approx(500 * (ends[0] - ends[1]), rel=1e-9, abs=1e-9)


def test_a_far_tail_is_no_rounding() -> None:
    """Of a Poisson(2), P(Y >= 301) is 1e-530: nothing. What the other bins leave to one would be 1e-16."""
    values = np.concatenate([np.random.default_rng(0).poisson(2.0, 50), [290] * 50])
    *_, before, last = frequencies(Histogram.of(values), poisson(2.0))
    assert before.expected < 1e-300
    assert last.expected == 0.0


@pytest.mark.parametrize(("seen", "expected", "value"), [(3, 0.0, np.inf), (0, 0.0, np.nan), (3, 4.0, -0.5)])
def test_what_is_seen_where_nothing_is_expected_is_infinitely_far_off(seen: int, expected: float, value) -> None:
    np.testing.assert_equal(Frequency(0, 9, seen, expected).pearson, value)
