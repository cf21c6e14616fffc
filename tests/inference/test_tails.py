"""Tail probabilities against mpmath, also where scipy and tables stop."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import stats

from distfit_counts.inference.hypotheses.tails import chi_square_tail, half_chi_square_tail, normal_tail, poisson_tail


@pytest.mark.parametrize("df", [1, 2, 3, 7, 20, 40, 41, 127, 1000, 10_000])
@pytest.mark.parametrize("x", [1e-10, 0.5, 3.84, 30.0, 200.0, 1000.0, 1300.0])
def test_chi_square_tail_is_exact_far_out(x: float, df: int) -> None:
    with mpmath.workdps(40):
        exact = float(mpmath.gammainc(mpmath.mpf(df) / 2, mpmath.mpf(x) / 2, regularized=True))
    assert float(chi_square_tail(x, df)) == pytest.approx(exact, rel=1e-12 if df <= 40 else 3e-9, abs=0.0)


def test_chi_square_quantiles_of_the_tables() -> None:
    """The 5 % points printed in every textbook."""
    tail = chi_square_tail([3.841459, 5.991465, 7.814728, 18.307038], [1, 2, 3, 10])
    assert tail == pytest.approx(np.full(4, 0.05), rel=1e-6)


def test_chi_square_tail_has_an_answer_everywhere() -> None:
    assert chi_square_tail([-1.0, 0.0, 1e-300, 2.0, np.inf], 0).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert chi_square_tail([-1.0, 0.0, np.inf], 3).tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(chi_square_tail([np.nan, 1.0, 1.0], [2.0, np.nan, -1.0])).all()
    assert chi_square_tail(np.ones((2, 1, 4)), np.ones((3, 1))).shape == (2, 3, 4)


def test_half_chi_square_is_half_the_usual_p() -> None:
    """Self and Liang (1987), case 5: the 5 % point of ½χ²₀ + ½χ²₁ is the 10 % point of χ²₁, 2.705543."""
    assert float(half_chi_square_tail(2.705543)) == pytest.approx(0.05, rel=1e-6)
    assert half_chi_square_tail([-1e-9, 0.0]).tolist() == [1.0, 1.0]
    assert float(half_chi_square_tail(1e-12)) == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(half_chi_square_tail(np.nan))


@pytest.mark.parametrize("z", [-37.0, -3.0, 0.0, 1.0, 1.959964, 8.0, 20.0, 37.0])
def test_normal_tail_is_exact_far_out(z: float) -> None:
    assert float(normal_tail(z)) == pytest.approx(stats.norm.sf(z), rel=1e-12, abs=0.0)


def test_normal_tail_keeps_shape_and_nan() -> None:
    assert normal_tail(np.zeros((2, 3))).tolist() == [[0.5] * 3] * 2
    assert np.isnan(normal_tail(np.nan))
    assert normal_tail([-np.inf, np.inf]).tolist() == [1.0, 0.0]


def test_poisson_tail() -> None:
    k, rate = np.arange(40.0), np.array([[1e-9], [0.3], [4.0], [30.0]])
    assert poisson_tail(k, rate) == pytest.approx(stats.poisson.sf(k - 1, rate), rel=1e-8, abs=0.0)
    assert poisson_tail([0, 3], 0.0).tolist() == [1.0, 0.0]
    assert np.isnan(poisson_tail(2, np.nan))
