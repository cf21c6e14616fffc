"""Vuong's test of non-nested models."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from distfit_counts.inference.hypotheses.vuong import vuong


def test_worked_by_hand() -> None:
    """m = 1 thirty times, −1 ten times: Σ m = 20, ω² = 3/4, z = 20/√30; one parameter more costs ½ log 40."""
    first, second, weights = np.array([-1.0, -2.0]), np.array([-2.0, -1.0]), np.array([30, 10])
    equal = vuong(first, second, weights, 2, 2)
    assert equal.code == "vuong"
    assert equal.statistic == pytest.approx(20 / math.sqrt(30), rel=1e-14)
    assert equal.p_value == pytest.approx(2 * stats.norm.sf(20 / math.sqrt(30)), rel=1e-12)
    assert vuong(first, second, weights, 3, 2).statistic == pytest.approx(
        (20 - 0.5 * math.log(40)) / math.sqrt(30), rel=1e-14
    )


def test_models_that_are_too_alike_are_not_told_apart() -> None:
    """n ω² = 3 is nothing for a chi-square of 4: the first stage of Vuong's test."""
    first, second, weights = np.array([-1.0, -2.0]), np.array([-2.0, -1.0]), np.array([3, 1])
    found = vuong(first, second, weights, 3, 1)
    assert math.isnan(found.p_value)
    assert "alike" in found.null


def test_weights_are_repeated_observations() -> None:
    rng = np.random.default_rng(0)
    first, second, weights = rng.normal(size=6), rng.normal(size=6), rng.integers(1, 9, 6)
    whole = vuong(np.repeat(first, weights), np.repeat(second, weights), np.ones(weights.sum(), dtype=int), 1, 3)
    found = vuong(first, second, weights, 1, 3)
    assert (found.statistic, found.p_value) == pytest.approx((whole.statistic, whole.p_value), rel=1e-12)
    assert vuong(second, first, weights, 3, 1).statistic == pytest.approx(-found.statistic, rel=1e-12)


@pytest.mark.parametrize(("p_first", "p_second"), [(1, 1), (2, 1), (1, 4)])
def test_positive_exactly_where_bic_prefers_the_first(p_first: int, p_second: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        first, second = rng.normal(size=20), rng.normal(size=20)
        bic = [p * math.log(20) - 2 * part.sum() for p, part in ((p_first, first), (p_second, second))]
        found = vuong(first, second, np.ones(20, dtype=int), p_first, p_second)
        assert (found.statistic > 0) == (bic[0] < bic[1])


def test_standard_normal_where_both_are_equally_wrong() -> None:
    """Truth Poisson(4), models with rates a < 4 < b equally far in Kullback–Leibler: b − a = 4 log(b/a)."""
    a = 3.0
    b = 3.0
    for _ in range(200):
        b = a + 4 * math.log(b / a) if b > a else 5.0
    assert b - a == pytest.approx(4 * math.log(b / a))
    rows = np.random.default_rng(2).poisson(4.0, (1000, 200))
    z = np.array(
        [
            vuong(stats.poisson.logpmf(values, a), stats.poisson.logpmf(values, b), weights, 0, 0).statistic
            for values, weights in (np.unique(row, return_counts=True) for row in rows)
        ]
    )
    assert abs(z.mean()) < 4 / math.sqrt(1000)
    assert z.var() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 1000))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([-1.0, -2.0], [-1.0, -2.0]),
        ([-1.0, -2.0], [-1.0 - 1e-9, -2.0 + 1e-9]),
        ([-1.0, -2.0], [-3.0, -4.0]),
        ([-1.0, -np.inf], [-1.0, -2.0]),
        ([-1.0, -np.inf], [-1.0, -np.inf]),
        ([-1.0, np.nan], [-1.0, -2.0]),
    ],
    ids=["equal", "equal but for rounding", "constant ratio", "impossible", "impossible under both", "failed"],
)
def test_no_answer_with_a_reason(first: list[float], second: list[float]) -> None:
    found = vuong(np.array(first), np.array(second), np.array([30, 20]), 1, 2)
    assert math.isnan(found.statistic)
    assert math.isnan(found.p_value)
    assert found.null.startswith("none: ")
