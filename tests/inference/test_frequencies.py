"""Observed against expected counts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.goodness.frequencies import frequencies


@given(
    st.lists(st.one_of(st.integers(0, 30), st.integers(0, 10**6), st.integers(0, 2**53)), min_size=1, max_size=40),
    st.floats(0.01, 1e6),
)
@settings(max_examples=150)
def test_bins_cover_everything_once(values: list[int], rate: float) -> None:
    histogram = Histogram.of(values)
    bins = frequencies(histogram, lambda k: stats.poisson.pmf(k, rate))
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
    bins = frequencies(Histogram.of(values), lambda k: stats.poisson.pmf(k, rate))
    for b in bins[:-1]:
        assert b.high is not None
        exact = 5000 * (stats.poisson.cdf(b.high, rate) - stats.poisson.cdf(b.low - 1, rate))
        # Wide bins are integrated, not summed.
        assert b.expected == pytest.approx(exact, rel=1e-9 if b.high - b.low < 10_000 else 3e-4, abs=1e-6)
        if b.expected > 0:
            assert b.pearson == pytest.approx((b.observed - b.expected) / np.sqrt(b.expected))
    assert bins[-1].expected == pytest.approx(5000 * stats.poisson.sf(bins[-1].low - 1, rate), abs=2e-3)
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
