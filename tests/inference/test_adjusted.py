"""Benjamini and Hochberg's adjustment against R."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from distfit_counts.inference.hypotheses.adjusted import benjamini_hochberg

# Benjamini and Hochberg (1995), section 4.1: the 15 comparisons of Neuhaus et al. (1992).
PAPER = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def test_the_example_of_the_paper() -> None:
    """At a false discovery rate of 0.05 the first four are rejected: p(4) = 0.0095 <= 4/15 · 0.05 = 0.0133."""
    adjusted = benjamini_hochberg(np.array(PAPER))
    assert (adjusted <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4, rel=1e-12)


def test_r_p_adjust() -> None:
    """By hand, as R's p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.9), "BH") defines it: 5 p(j)/j is 0.025, 0.025, 0.05, 0.05,
    0.9 from the smallest on.
    """
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.9])
    assert benjamini_hochberg(p) == pytest.approx([0.025, 0.05, 0.05, 0.025, 0.9], rel=1e-12)


def test_a_larger_p_value_may_lower_the_adjusted_one() -> None:
    """4 p(j)/j is 0.08, 0.06, 0.05333, 0.04: the running minimum from the right is 0.04 throughout."""
    assert benjamini_hochberg(np.array([0.02, 0.03, 0.04, 0.04])) == pytest.approx([0.04] * 4, rel=1e-12)


def test_no_p_value_is_no_test() -> None:
    adjusted = benjamini_hochberg(np.array([np.nan, 0.01, np.nan, 0.04]))
    assert np.isnan(adjusted).tolist() == [True, False, True, False]
    assert adjusted[[1, 3]] == pytest.approx([0.02, 0.04])
    assert len(benjamini_hochberg(np.array([]))) == 0
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0.0, 1.0) | st.just(np.nan)))
def test_against_scipy(p: np.ndarray) -> None:
    from scipy.stats import false_discovery_control

    there = ~np.isnan(p)
    adjusted = benjamini_hochberg(p)
    assert (np.isnan(adjusted) == ~there).all()
    if there.any():
        assert adjusted[there] == pytest.approx(false_discovery_control(p[there], method="bh"), rel=1e-12, abs=1e-300)
        assert (adjusted[there] >= p[there] * (1 - 1e-15)).all()
