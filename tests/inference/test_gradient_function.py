"""Lindsay's gradient function: against hand-worked maxima, SciPy, and a dense scan that must never pass the bound."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from distfit_counts.inference.poisson_mixtures.gap import Intervals, carried, gap
from distfit_counts.inference.poisson_mixtures.gradient_function import RatioSum, gradient_function
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_poisson
from distfit_counts.inference.poisson_mixtures.samples import Points, Samples, first_points
from distfit_counts.inference.poisson_mixtures.support_points import helps_most


def arrays(*columns: list[float]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(column, dtype=float) for column in columns)


def mixture(values: np.ndarray, rates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """log Σ weights Poisson(values; rates), by SciPy."""
    logs = stats.poisson.logpmf(values[:, None], rates) + np.log(weights)
    largest = logs.max(axis=1)
    return np.log(np.exp(logs - largest[:, None]).sum(axis=1)) + largest


@st.composite
def histograms(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    top = draw(st.sampled_from([5, 30, 400, 10**5]))
    values = sorted(draw(st.sets(st.integers(0, top), min_size=1, max_size=12)))
    weights = draw(st.lists(st.integers(1, 10_000), min_size=len(values), max_size=len(values)))
    return arrays(values, weights)


@st.composite
def poisson_mixtures(draw: st.DrawFn, values: np.ndarray) -> np.ndarray:
    """The log-pmf at ``values`` of a mixture whose rates lie among the counts, so that it may be good or bad."""
    rates = draw(st.lists(st.floats(0.05, float(values[-1]) + 1.0), min_size=1, max_size=4))
    weights = draw(st.lists(st.floats(0.01, 1.0), min_size=len(rates), max_size=len(rates)))
    return mixture(values, np.array(rates), np.array(weights) / sum(weights))


@pytest.mark.parametrize("k", [0, 1, 2, 15, 16, 17, 300, 10**5, 10**11])
def test_the_kernel_loses_no_digit(k: int) -> None:
    """Against 50 digits: relative to the logarithm itself, or absolutely where that is small."""
    rates = [1e-12, 0.3, 1.0, 0.9 * k, 1.0001 * k, k + k**0.5, 3.0 * k + 1.0]
    rates = [rate for rate in rates if rate > 0.0]
    found = log_poisson(np.array([float(k)]), np.array(rates))
    with mpmath.workdps(50):
        exact = [k * mpmath.log(mpmath.mpf(r)) - mpmath.mpf(r) - mpmath.loggamma(mpmath.mpf(k) + 1) for r in rates]
    np.testing.assert_allclose(found, [float(e) for e in exact], rtol=1e-14, atol=1e-14)


def test_the_kernel_at_rate_zero() -> None:
    np.testing.assert_array_equal(log_poisson(np.array([0.0, 1.0, 50.0]), np.zeros(1)), [0.0, -np.inf, -np.inf])


def test_against_scipy() -> None:
    values, weights = arrays([0, 1, 4, 9], [50, 20, 20, 10])
    log_fitted = stats.nbinom.logpmf(values, 0.7, 0.25)
    rates = np.array([3.0, 0.0, 0.01, 8.5, 40.0])
    ratio = stats.poisson.pmf(values[:, None], rates) / np.exp(log_fitted)[:, None]
    found = gradient_function(values, weights, log_fitted, rates)
    np.testing.assert_allclose(found, (weights / 100.0) @ ratio - 1.0, rtol=1e-12)


def test_worked_by_hand() -> None:
    """Counts 0 and 2, once each, under Poisson(1): D/n = exp(1 - λ) (1 + λ²)/2 - 1 has the slope
    -(1 - λ)² exp(1 - λ)/2, never positive. So the largest D lies at 0, where it is e/2 - 1."""
    values, weights = arrays([0, 2], [1, 1])
    found = gap(values, weights, stats.poisson.logpmf(values, 1.0))
    assert found.rate == 0.0
    assert found.bound == pytest.approx(1.0 - math.log(2.0), abs=1e-11)
    assert found.bound >= 1.0 - math.log(2.0)


def test_equal_counts_cannot_be_fitted_better() -> None:
    """D/n = Poisson(7; λ)/Poisson(7; 7) - 1, which is 0 at 7 and negative elsewhere."""
    values, weights = arrays([7], [50])
    found = gap(values, weights, stats.poisson.logpmf(values, 7.0))
    assert found.bound == pytest.approx(0.0, abs=1e-12)
    assert found.rate == pytest.approx(7.0, rel=1e-12)


def test_a_pmf_that_is_no_poisson_mixture_has_a_negative_gap() -> None:
    """Under the empirical frequencies D/n = Σ Poisson(k_v; λ) - 1: here λ + λ³/6 times exp(-λ), less 1."""
    values, weights = arrays([1, 3], [30, 70])
    found = gap(values, weights, np.log(weights / 100.0))
    best = optimize.minimize_scalar(lambda x: -math.exp(-x) * (x + x**3 / 6.0), bounds=(1.0, 3.0), method="bounded")
    assert found.bound == pytest.approx(math.log(-best.fun), abs=1e-9)
    assert found.bound < 0.0
    assert found.rate == pytest.approx(best.x, abs=1e-4)


@pytest.mark.parametrize("far", [1e3, 1e5, 1e9])
def test_a_hopeless_fit_does_not_overflow(far: float) -> None:
    """Half the counts are ``far``, where Poisson(1) is below exp(-5000): D is half the ratio of two probabilities."""
    values, weights = arrays([1, far], [5, 5])
    log_fitted = log_poisson(values, np.ones(1))
    found = gap(values, weights, log_fitted)
    exact = math.log(0.5) + float(log_poisson(np.array([far]), np.array([far]))[0] - log_fitted[1])
    assert found.bound == pytest.approx(exact, rel=1e-13)
    assert found.rate == pytest.approx(far, rel=1e-9)
    assert gradient_function(values, weights, log_fitted, np.array([far]))[0] == np.inf


def test_an_impossible_count_leaves_everything_to_gain() -> None:
    values, weights = arrays([0, 4], [5, 5])
    found = gap(values, weights, np.array([0.0, -np.inf]))
    assert found.bound == np.inf
    assert found.rate == 4.0


@given(st.data())
@settings(max_examples=60)
def test_a_dense_scan_never_passes_the_bound(data: st.DataObject) -> None:
    values, weights = data.draw(histograms())
    log_fitted = data.draw(poisson_mixtures(values))
    found = gap(values, weights, log_fitted)
    s = np.linspace(math.sqrt(values[0]), math.sqrt(values[-1]), 20_000)
    with np.errstate(divide="ignore"):
        scan = np.log1p(gradient_function(values, weights, log_fitted, s * s))
        there = np.log1p(gradient_function(values, weights, log_fitted, np.array([found.rate])))[0]
    rounding = 1e-13 * (1.0 + abs(found.bound))
    assert np.where(np.isfinite(scan), scan, -np.inf).max() <= found.bound + rounding
    if np.isfinite(there):
        assert there == pytest.approx(found.bound, abs=2e-11 + 10.0 * rounding)
    assert values[0] * (1.0 - 1e-14) <= found.rate <= values[-1] * (1.0 + 1e-14)


@given(st.data())
@settings(max_examples=40)
def test_no_interval_has_more_than_its_bound(data: st.DataObject) -> None:
    """However coarse the intervals are, before any is split."""
    values, weights = data.draw(histograms())
    log_fitted = data.draw(poisson_mixtures(values))
    samples = Samples.of([(values, weights)])
    ratios, points = (
        RatioSum.of(samples, log_fitted[None]),
        first_points(samples, data.draw(st.sampled_from([0.1, 0.5]))),
    )
    intervals = Intervals.between(points, ratios.at(points)[:2])
    low, high = intervals.ends
    inside = low + np.linspace(0.0, 1.0, 30)[:, None] * (high - low)
    scan = ratios.at(Points(np.zeros(inside.size, dtype=np.int64), inside.ravel()))[0].reshape(inside.shape)
    # Terms below exp(-64) are left out.
    assert (scan.max(axis=0, initial=0.0) <= intervals.upper(ratios) * (1.0 + 1e-13) + 1e-27).all()


def test_a_maximum_at_an_end_is_met_exactly() -> None:
    """Poisson(1) is the best mixture for 0, 1 and 2 of shares 1/4, 1/2, 1/4: D(1) = 0, and D falls on both sides."""
    values, weights = arrays([0, 1, 2], [1, 2, 1])
    found = gap(values, weights, stats.poisson.logpmf(values, 1.0))
    assert found.bound == pytest.approx(0.0, abs=1e-15)
    assert found.rate == 1.0


@given(st.data())
@settings(max_examples=60)
def test_no_mixture_gains_more_than_the_bound(data: st.DataObject) -> None:
    values, weights = data.draw(histograms())
    fitted, other = data.draw(poisson_mixtures(values)), data.draw(poisson_mixtures(values))
    gain = float(weights @ (other - fitted)) / weights.sum()
    assert gain <= gap(values, weights, fitted).bound + 1e-12 * (1.0 + abs(gain))


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9, 1e-12])
def test_the_tolerance_is_kept(tolerance: float) -> None:
    """A Poisson mixture fitted to equal shares of 0..20 leaves a D with several maxima."""
    values, weights = np.arange(21.0), np.ones(21)
    log_fitted = mixture(values, np.array([0.5, 4.0, 15.0]), np.array([0.2, 0.3, 0.5]))
    best = gap(values, weights, log_fitted, 1e-13).bound
    found = gap(values, weights, log_fitted, tolerance).bound
    assert best - 1e-13 <= found <= best + tolerance


def test_only_shares_matter() -> None:
    values, weights = arrays([0, 1, 3, 8], [9, 4, 4, 1])
    log_fitted = stats.nbinom.logpmf(values, 1.2, 0.4)
    once, often = gap(values, weights, log_fitted), gap(values, 1000.0 * weights, log_fitted)
    assert often.bound == pytest.approx(once.bound, rel=1e-12)
    assert often.rate == pytest.approx(once.rate, rel=1e-9)


@pytest.mark.parametrize("enough", [1e-9, 1e-3, 0.05, 10.0])
def test_enough_ends_the_search_with_a_bound_that_holds(enough: float) -> None:
    """A Poisson of the mean for counts from a mixture of two: much to gain, most by a component where D is largest."""
    values = np.arange(30.0)
    weights = 1e4 * (0.7 * stats.poisson.pmf(values, 2.0) + 0.3 * stats.poisson.pmf(values, 9.0))
    log_fitted = stats.poisson.logpmf(values, weights @ values / weights.sum())
    best, found = gap(values, weights, log_fitted), gap(values, weights, log_fitted, enough=enough)
    assert found.bound >= best.bound - 1e-11
    assert (found.bound > enough) == (best.bound > enough)
    assert helps_most(values, weights, log_fitted) == pytest.approx(best.rate, rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_bound_of_one_pmf_carries_over_to_another(data: st.DataObject) -> None:
    """And exactly so where one is a multiple of the other."""
    values, weights = data.draw(histograms())
    first, second = data.draw(poisson_mixtures(values)), data.draw(poisson_mixtures(values))
    known = gap(values, weights, first).bound
    assert gap(values, weights, second).bound <= known + carried(first, second) + 1e-9
    assert gap(values, weights, first - 0.25).bound == pytest.approx(known + carried(first, first - 0.25), abs=1e-9)
