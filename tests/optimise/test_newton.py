"""Newton's direction, whichever way it is computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from distfit_counts.optimise import newton
from distfit_counts.optimise.newton import Newton
from distfit_counts.optimise.problem import Evaluation

RNG = np.random.default_rng(4)


def point(eigenvalues: list[float], rows: int = 20) -> Evaluation:
    """Random gradients, and Hessians with these eigenvalues."""
    size = len(eigenvalues)
    turn = np.linalg.qr(RNG.normal(size=(rows, size, size)))[0]
    hessian = turn @ np.diag(eigenvalues) @ turn.swapaxes(1, 2)
    gradient = torch.from_numpy(RNG.normal(size=(rows, size)) * 1e-2)
    return Evaluation(torch.ones(rows, dtype=torch.float64), gradient, torch.from_numpy(hessian))


def direction(at: Evaluation) -> torch.Tensor:
    return Newton.begin(at, torch.ones_like(at.value), 1e-7, 0.0).direction


@pytest.mark.parametrize("eigenvalues", [[2.0], [1.0, 0.1], [1.0, 0.5, 1e-3], [0.9, 0.5, 0.2, 1e-4, 1e-6]])
def test_where_the_objective_is_convex_it_solves_the_system(eigenvalues: list[float]) -> None:
    at = point(eigenvalues)
    assert at.hessian is not None
    solved = -np.linalg.solve(at.hessian.numpy(), at.gradient.numpy()[..., None])[..., 0]
    longest = np.abs(solved).max(axis=1, keepdims=True)
    expected = solved * np.minimum(6.0 / longest, 1.0)
    np.testing.assert_allclose(direction(at).numpy(), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("eigenvalues", [[-1.0], [1.0, -0.1], [1.0, 0.5, -1e-3], [1.0, 0.3, 1e-15]])
def test_elsewhere_it_goes_downhill_by_absolute_eigenvalues(
    eigenvalues: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = point(eigenvalues)
    found = direction(at)
    assert ((found * at.gradient).sum(dim=1) < 0.0).all()
    monkeypatch.setattr(newton, "_DEFINITE", 2.0)  # no row by Cholesky
    torch.testing.assert_close(found, direction(at), rtol=1e-10, atol=1e-12)


def test_a_row_goes_its_own_way_beside_others_of_another_kind() -> None:
    convex, saddle = point([1.0, 0.5, 0.1]), point([1.0, 0.5, -0.1])
    both = Evaluation.join([convex, saddle])
    torch.testing.assert_close(direction(both), torch.cat([direction(convex), direction(saddle)]), rtol=1e-12, atol=0)
