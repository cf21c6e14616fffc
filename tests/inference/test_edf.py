"""Discrete EDF statistics and Monte-Carlo p-values."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.inference.goodness.edf import anderson_darling, cramer_von_mises, kolmogorov_smirnov, monte_carlo_p

STATISTICS = [kolmogorov_smirnov, cramer_von_mises, anderson_darling]
CELLS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40)), min_size=2, max_size=12)


def every_sample(n: int, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ways that n observations fall into the cells, and their probabilities."""
    cells = len(p)
    rows = [row for row in itertools.product(range(n + 1), repeat=cells) if sum(row) == n]
    return np.array(rows, dtype=float), stats.multinomial.pmf(rows, n, p)


def test_a_die_worked_by_hand() -> None:
    """Faces 3, 1, 2, 2, 1, 3 of 12: Z = 1, 0, 0, 0, −1, 0, so D = 1/12, W² = 2/(12·6), A² = (2/72)·(36/5)."""
    observed, p = np.array([3.0, 1.0, 2.0, 2.0, 1.0, 3.0]), np.full(6, 1 / 6)
    assert float(kolmogorov_smirnov(observed, p)) == pytest.approx(1 / 12)
    assert float(cramer_von_mises(observed, p)) == pytest.approx(1 / 36)
    assert float(anderson_darling(observed, p)) == pytest.approx(1 / 5)


def test_exact_null_means() -> None:
    """Var Z_j = n H_j (1 − H_j): E W² = Σ H_j (1 − H_j) p_j and E A² = 1 − p_last, at every n."""
    p = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    observed, chance = every_sample(4, p)
    below = np.cumsum(p)
    assert chance.sum() == pytest.approx(1.0)
    assert chance @ cramer_von_mises(observed, p) == pytest.approx((below * (1 - below) * p).sum())
    assert chance @ anderson_darling(observed, p) == pytest.approx(1 - p[-1])


def test_fine_cells_are_the_continuous_statistics() -> None:
    """On a grid of 1e5 cells of (0, 1): scipy's KS and Cramér–von Mises; A² from its sum over the order statistics."""
    u = np.sort(np.random.default_rng(1).beta(1.3, 1.0, 50))
    cells = 100_000
    observed, p = np.histogram(u, bins=cells, range=(0, 1))[0], np.full(cells, 1 / cells)
    assert float(kolmogorov_smirnov(observed, p)) == pytest.approx(stats.kstest(u, "uniform").statistic, abs=1e-4)
    assert float(cramer_von_mises(observed, p)) == pytest.approx(stats.cramervonmises(u, "uniform").statistic, abs=1e-3)
    i = np.arange(1, 51)
    a_squared = -50 - ((2 * i - 1) * (np.log(u) + np.log1p(-u[::-1]))).mean()
    assert float(anderson_darling(observed, p)) == pytest.approx(a_squared, rel=1e-2)


@given(CELLS)
def test_bounds_and_perfect_fit(cells: list[tuple[int, int]]) -> None:
    observed, share = np.array(cells, dtype=float).T
    observed[0] += 1.0
    p = share / share.sum()
    assert 0.0 <= float(kolmogorov_smirnov(observed, p)) <= 1.0
    assert float(cramer_von_mises(observed, p)) >= 0.0
    assert float(anderson_darling(observed, p)) >= 0.0
    for statistic in STATISTICS:
        assert float(statistic(share, p)) == pytest.approx(0.0, abs=1e-12), "observed proportional to expected"


@given(CELLS, st.lists(st.integers(0, 12), max_size=4))
def test_impossible_empty_cells_change_nothing(cells: list[tuple[int, int]], where: list[int]) -> None:
    observed, share = np.array(cells, dtype=float).T
    observed[0] += 1.0
    p = share / share.sum()
    places = np.minimum(where, len(p)).astype(int)
    padded, padded_p = np.insert(observed, places, 0.0), np.insert(p, places, 0.0)
    for statistic in STATISTICS:
        assert float(statistic(padded, padded_p)) == pytest.approx(float(statistic(observed, p)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_batch_is_its_rows_and_a_failed_row_is_nan(statistic) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(6), size=(4, 3))
    observed = rng.multinomial(30, p).astype(float)
    p[2, 1] = np.nan
    found = statistic(observed, p)
    assert found.shape == (4, 3)
    assert np.isnan(found[2, 1])
    assert found[1, 2] == float(statistic(observed[1, 2], p[1, 2]))
    assert np.isfinite(np.delete(found.ravel(), 7)).all()
    assert np.isnan(statistic(np.zeros(6), p[0, 0])), "no observation"


def test_the_far_tail_does_not_cancel() -> None:
    """Poisson(1) with one observation at 25, where 1 − H = 1e-27: against 60 digits."""
    top = 30
    observed = np.zeros(top + 2)
    observed[[0, 1, 2, 25]] = [367.0, 368.0, 264.0, 1.0]
    p = np.append(stats.poisson.pmf(np.arange(top + 1), 1.0), stats.poisson.sf(top, 1.0))
    with mpmath.workdps(60):
        exact_p = [mpmath.exp(-1) / mpmath.factorial(k) for k in range(top + 1)]
        below, z, expected = mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(0)
        for o, q in zip(observed, exact_p, strict=False):
            below += q
            z += o - 1000 * q
            expected += z**2 * q / (below * (1 - below)) / 1000
    assert float(expected) > 1e-3
    assert float(anderson_darling(observed, p)) == pytest.approx(float(expected), rel=1e-9)


def test_monte_carlo_p_counts_the_data_as_a_draw() -> None:
    """Davison and Hinkley (1997), (4.11): 3 of 19 at least as large gives 4/20."""
    replicates = np.arange(1.0, 20.0)
    assert monte_carlo_p(17.0, replicates) == 4 / 20
    assert monte_carlo_p(100.0, replicates) == 1 / 20
    assert monte_carlo_p(0.0, replicates) == 1.0
    assert monte_carlo_p(1.0, np.zeros(0)) == 1.0


def test_monte_carlo_ties_failures_and_infinities() -> None:
    assert monte_carlo_p(0.3, np.array([0.1 + 0.2, 0.3 * (1 - 1e-13), 0.2999, 0.3001])) == 4 / 5, "ties up to rounding"
    assert monte_carlo_p(3e-33, np.array([1e-33, 0.0, 1e-32])) == 1.0, "all fit perfectly"
    assert monte_carlo_p(5.0, np.array([1.0, np.nan, 2.0])) == 2 / 4, "a failed refit never helps"
    assert monte_carlo_p(np.inf, np.array([1.0, np.inf, 2.0])) == 2 / 4
    assert math.isnan(monte_carlo_p(np.nan, np.ones(3)))


@pytest.mark.parametrize("statistic", STATISTICS)
def test_monte_carlo_p_is_the_exact_p_at_small_size(statistic) -> None:
    """5 observations in 4 cells: the exact p-value is a sum over all 56 samples."""
    p = np.array([0.4, 0.3, 0.2, 0.1])
    observed, chance = every_sample(5, p)
    null = statistic(observed, p)
    replicates = statistic(np.random.default_rng(2).multinomial(5, p, size=20_000).astype(float), p)
    for row in range(0, len(observed), 7):
        exact = chance[null >= null[row] - 1e-9].sum()
        error = 4 * math.sqrt(exact * (1 - exact) / 20_000) + 2e-4
        assert monte_carlo_p(float(null[row]), replicates) == pytest.approx(exact, abs=error)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_monte_carlo_p_never_rejects_too_often(statistic) -> None:
    rng = np.random.default_rng(3)
    p = np.array([0.4, 0.3, 0.2, 0.1])
    drawn = statistic(rng.multinomial(6, p, size=(2000, 20)).astype(float), p)
    found = np.array([monte_carlo_p(row[0], row[1:]) for row in drawn])
    for level in (0.05, 0.1, 0.5):
        assert (found <= level).mean() <= level + 3 * math.sqrt(level * (1 - level) / 2000)
