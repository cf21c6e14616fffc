"""The three scales of a parameter: unconstrained, working, natural."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch

from distfit_counts.families.constraint import POSITIVE, POSITIVE_BOTH_ENDS, SIMPLEX, UNIT

THETA = np.concatenate([np.linspace(-40.0, 40.0, 161), [-300.0, -19.999, 20.001, 300.0]])


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("constraint", [POSITIVE, POSITIVE_BOTH_ENDS], ids=["softplus", "odds"])
def test_what_is_shown_is_what_was_fitted(constraint, scale: float) -> None:
    """The optimiser's value (torch) and the reported one (NumPy) are the same number."""
    scales = np.full((len(THETA), 1), scale)
    fitted = constraint.to(torch.from_numpy(THETA)[:, None], torch.from_numpy(scales)).numpy()
    assert fitted == pytest.approx(constraint.show(THETA[:, None], scales), rel=1e-14)


def test_softplus_against_fifty_digits() -> None:
    with mpmath.workdps(50):
        exact = np.array([float(mpmath.log1p(mpmath.exp(mpmath.mpf(theta)))) for theta in THETA])
    ones = np.ones((len(THETA), 1))
    assert POSITIVE.show(THETA[:, None], ones)[:, 0] == pytest.approx(exact, rel=1e-14)
    fitted = POSITIVE.to(torch.from_numpy(THETA)[:, None], torch.from_numpy(ones)).numpy()
    assert fitted[:, 0] == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("constraint", [POSITIVE, POSITIVE_BOTH_ENDS, UNIT], ids=["softplus", "odds", "sigmoid"])
def test_slope_is_the_derivative(constraint) -> None:
    theta, scale, h = np.linspace(-8.0, 8.0, 33)[:, None], np.full((33, 1), 3.0), 1e-5
    numeric = (constraint.show(theta + h, scale) - constraint.show(theta - h, scale)) / (2.0 * h)
    assert constraint.slope(theta, scale) == pytest.approx(numeric, rel=1e-6)


def test_simplex_slope_is_the_jacobian() -> None:
    theta, h = np.random.default_rng(0).normal(0.0, 2.0, (20, 3)), 1e-6
    jacobian = SIMPLEX.slope(theta, np.ones((20, 4)))
    for j in range(3):
        step = h * np.eye(3)[j]
        numeric = (SIMPLEX.show(theta + step, theta) - SIMPLEX.show(theta - step, theta)) / (2.0 * h)
        assert jacobian[:, :, j] == pytest.approx(numeric, abs=1e-8)
    assert SIMPLEX.show(theta, theta).sum(axis=1) == pytest.approx(1.0, abs=1e-15)


def test_logits_reach_where_probabilities_cannot() -> None:
    """sigmoid(-700) is still a number; log-weights of components 600 apart still differ."""
    assert UNIT.show(np.array([-700.0]), np.ones(1))[0] == pytest.approx(float(mpmath.exp(-700)), rel=1e-14)
    log_weights = SIMPLEX.to(torch.tensor([[600.0]], dtype=torch.float64), torch.ones(1, 2))
    assert log_weights[0].tolist() == [0.0, -600.0]
