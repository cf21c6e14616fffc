"""Akaike weights and ICL."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distfit_counts.inference.selection.criteria import akaike_weights, icl, membership_entropy


def test_akaike_weights_worked_by_hand() -> None:
    """Δ = 0, 2 log 2, 2 log 4: relative likelihoods 1, ½, ¼."""
    aic = 100.0 + 2 * np.log([1.0, 2.0, 4.0])
    assert akaike_weights(aic) == pytest.approx(np.array([4, 2, 1]) / 7)


def test_akaike_weights_at_any_size_and_in_a_batch() -> None:
    aic = np.array([[1e9, 1e9 + 2.0, 3e9], [-1e9, -1e9 + 2.0, 0.0]])
    assert akaike_weights(aic) == pytest.approx(np.array([[1, math.exp(-1), 0]] * 2) / (1 + math.exp(-1)))


def test_models_without_a_number_take_no_part() -> None:
    found = akaike_weights(np.array([[1.0, np.nan, 1.0, np.inf], [np.nan, np.nan, np.nan, np.inf]]))
    assert found[0, [0, 2, 3]].tolist() == [0.5, 0.5, 0.0]
    assert np.isnan(found[0, 1])
    assert np.isnan(found[1]).all()


def test_entropy_worked_by_hand() -> None:
    """τ = (½, ½) thrice, (¼, ¾) twice, (1, 0) once."""
    parts = np.log([[0.02, 0.1, 0.3], [0.02, 0.3, 1e-300]])
    parts[1, 2] = -np.inf
    unsure = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert membership_entropy(parts, np.array([3, 2, 1])) == pytest.approx(3 * math.log(2) + 2 * unsure, rel=1e-12)


@given(st.integers(1, 5), st.floats(-2000.0, 0.0))
def test_equal_components_are_as_unsure_as_can_be(k: int, level: float) -> None:
    """n log K, also where the probabilities themselves underflow."""
    found = membership_entropy(np.full((k, 3), level), np.array([4, 1, 2]))
    assert found == pytest.approx(7 * math.log(k), rel=1e-10, abs=1e-12)


def test_separate_components_have_no_entropy() -> None:
    assert membership_entropy(np.array([[0.0, -900.0], [-900.0, -5.0]]), np.array([10, 10])) == 0.0
    assert membership_entropy(np.array([[-1.0, -2.0]]), np.array([10, 10])) == 0.0, "one component"
    assert math.isnan(membership_entropy(np.full((2, 1), -np.inf), np.array([1]))), "no component can be the source"


def test_icl_is_bic_of_the_complete_data() -> None:
    """BIC + 2 entropy = p log n − 2 Σ w Σ_k τ log(part_k): the expected complete-data log-likelihood in BIC."""
    rng = np.random.default_rng(0)
    parts, weights = rng.normal(-3.0, 1.0, (3, 8)), rng.integers(1, 20, 8)
    total = np.log(np.exp(parts).sum(axis=0))
    share = np.exp(parts - total)
    bic = 5 * math.log(weights.sum()) - 2 * (weights * total).sum()
    complete = 5 * math.log(weights.sum()) - 2 * (weights * (share * parts).sum(axis=0)).sum()
    assert icl(bic, membership_entropy(parts, weights)) == pytest.approx(complete, rel=1e-12)
