"""Van den Broek's score test for zero inflation."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.hypotheses import zero_excess
from distfit_counts.inference.observed import Observed
from distfit_counts.result import HypothesisTest


def van_den_broek(histogram: Histogram) -> HypothesisTest:
    return zero_excess.van_den_broek(Observed.of([histogram])).at(0)


def exact_score(n: int, zeros: int, total: int) -> float:
    """The signed root of S in 60 digits."""
    with mpmath.workdps(60):
        mean = mpmath.mpf(total) / n
        p0 = mpmath.exp(-mean)
        return float((zeros - n * p0) / mpmath.sqrt(n * p0 * (1 - p0) - n * mean * p0**2))


def empty_boxes(n: int, total: int) -> np.ndarray:
    """P(number of empty boxes = 0..n) when ``total`` balls fall into n boxes: the null of n0 given the sum."""
    chance, empty = np.zeros(n + 1), np.arange(n + 1)
    chance[n] = 1.0
    for _ in range(total):
        hit = chance * empty / n
        chance = chance * (n - empty) / n
        chance[:-1] += hit[1:]
    return chance


def test_worked_by_hand() -> None:
    """98 counts 81, 9, 7, 1 of 0..3: ȳ = 26/98, p₀ = 0.766969, n p₀ = 75.163, S = 5.837²/2.2213 = 15.34."""
    found = van_den_broek(Histogram.of(np.arange(4), [81, 9, 7, 1]))
    assert found.code == "score.zero_inflation"
    assert found.statistic**2 == pytest.approx(15.34, abs=0.01)
    assert found.statistic == pytest.approx(exact_score(98, 81, 26), rel=1e-12)
    assert found.p_value == pytest.approx(stats.norm.sf(found.statistic), rel=1e-10)
    assert math.isnan(found.df)


def test_fewer_zeros_are_no_evidence() -> None:
    found = van_den_broek(Histogram.of([0, 1], [5, 95]))
    assert found.statistic < -3
    assert found.p_value > 0.99


@pytest.mark.parametrize(
    ("n", "ones", "large"), [(10**6, 1, 0), (10**6, 0, 3), (10**9, 5, 1), (10**12, 1, 1), (50, 30, 10)]
)
def test_a_small_mean_does_not_cancel(n: int, ones: int, large: int) -> None:
    """1 − p₀ − ȳ p₀ is ȳ²/2: as it stands in the formula it has no digit left at ȳ = 1e-8."""
    histogram = Histogram.of([0, 1, 4], [n - ones - large, ones, large])
    statistic = van_den_broek(histogram).statistic
    # What rounding of the mean itself leaves: 2e-16 √n.
    assert statistic == pytest.approx(exact_score(n, n - ones - large, ones + 4 * large), rel=1e-9, abs=1e-15 * n**0.5)


@pytest.mark.parametrize("mean", [30, 700, 800, 1500, 10**6, 10**15])
@pytest.mark.parametrize("zeros", [0, 1, 40])
def test_a_large_mean_does_not_underflow(mean: int, zeros: int) -> None:
    """Hardly a zero is expected: none is no evidence, one is overwhelming, and infinitely so from exp(-1400) on."""
    found = van_den_broek(Histogram.of([0, mean], [zeros, 100]))
    average = 100 * mean / (100 + zeros)
    assert found.statistic == math.inf if zeros and average > 1400 else math.isfinite(found.statistic)
    assert found.p_value == 1.0 if zeros == 0 else found.p_value < 1e-8
    assert "expected" in found.null


@pytest.mark.parametrize("values", [[0] * 30, [3], [0]])
def test_no_p_value_without_information(values: list[int]) -> None:
    found = van_den_broek(Histogram.of(values))
    assert math.isnan(found.p_value)
    assert found.null.startswith("none: ")


@pytest.mark.parametrize(("n", "total"), [(20, 40), (100, 350), (100, 500), (200, 1600)])
def test_the_rare_zeros_p_value_is_never_too_small(n: int, total: int) -> None:
    """Against the exact null, the number of empty boxes; close to it for a large mean (far out the ratio grows)."""
    chance = empty_boxes(n, total)
    rare = n * math.exp(-total / n)
    assert rare < 5.0
    for zeros in range(math.ceil(rare + 1), math.ceil(rare + 6)):
        # Any sample with these zeros and this sum: the test sees nothing else.
        positive = n - zeros
        values, weights = [0, 1, total - positive + 1], [zeros, positive - 1, 1]
        found = van_den_broek(Histogram.of(values, weights)).p_value
        exact = chance[zeros:].sum()
        assert found >= exact
        if total / n >= 8 and exact > 1e-3:
            assert found <= 1.15 * exact


def test_size_under_the_poisson() -> None:
    """1500 samples of 300: mean 0, variance 1 within 4 standard errors, and 5 % rejected."""
    rows = np.random.default_rng(4).poisson(1.5, (1500, 300))
    found = [van_den_broek(Histogram.of(row)) for row in rows]
    z = np.array([one.statistic for one in found])
    assert abs(z.mean()) < 4 / math.sqrt(1500)
    assert z.var() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 1500))
    assert np.mean([one.p_value <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.02)


def test_power_against_zero_inflation() -> None:
    rng = np.random.default_rng(6)
    assert van_den_broek(Histogram.of(rng.poisson(3.0, 300) * rng.binomial(1, 0.7, 300))).p_value < 1e-6
