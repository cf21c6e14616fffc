"""Derivatives by hand against those of autograd."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from distfit_counts.families.spec import parse
from distfit_counts.regression.closed_form import Counts, closed_form
from distfit_counts.regression.objective import RegressionObjective, by_autograd
from distfit_counts.regression.row_model import CountModel

FAMILIES = ["poisson", "nb", "zip", "zinb", "zt(poisson)", "zt(nb)", "hurdle(poisson)", "hurdle(nb)"]
# Predictors of means, sizes and probabilities: ordinary ones, and nearly all that float64 can bear.
ORDINARY = {"mean": np.linspace(-2.0, 3.0, 7), "size": [-1.0, 0.5, 3.0], "zero": [-2.0, 0.0, 1.5]}
EXTREME = {"mean": [-12.0, -4.0, 0.0, 6.0], "size": [-9.0, 0.0, 15.0, 30.0], "zero": [-40.0, 0.0, 40.0]}


@pytest.mark.parametrize("link", ["log", "softplus"])
@pytest.mark.parametrize("spec", FAMILIES)
@pytest.mark.parametrize("values", [ORDINARY, EXTREME], ids=["ordinary", "extreme"])
def test_closed_forms_are_what_autograd_finds(spec: str, link: str, values: dict[str, list[float]]) -> None:
    family = parse(spec)
    model = CountModel.of(family, {name: link for name in family.names if name not in ("pi", "p0")})
    kinds = {"pi": "zero", "p0": "zero", "rate": "mean"}
    # Autograd's logsigmoid keeps ten digits of a small mean's curvature, which counts of thousands multiply.
    tolerance = 1e-10 if link == "log" else 1e-8
    y = torch.tensor([family.lowest, 1.0, 2.0, 7.0, 400.0, 4000.0], dtype=torch.float64)
    log_prob, counts = closed_form(model, [head == "size" for head in model.heads]), Counts.of(y)
    assert log_prob is not None
    assert counts is not None
    for chosen in itertools.product(*(values[kinds.get(head, head)] for head in model.heads)):
        eta = [torch.tensor([[value]], dtype=torch.float64) for value in chosen]
        found = log_prob(counts, eta)
        wide = [own.expand(1, len(y)) for own in eta]
        expected = by_autograd(model, wide, y[None])
        assert_close(found.value, expected.value, tolerance)
        for own, other in zip(found.slope, expected.slope, strict=True):
            assert_close(own, other, tolerance)
        for a, b in itertools.combinations_with_replacement(range(len(eta)), 2):
            nought = torch.zeros(1, dtype=torch.float64)
            assert_close(found.curve.get((a, b), nought), expected.curve.get((a, b), nought), tolerance)


def assert_close(found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    found, expected = torch.broadcast_tensors(found, expected)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=tolerance, atol=tolerance)


def test_what_has_no_closed_form_is_left_to_autograd() -> None:
    """A mixture, a size that differs between rows, counts that no table holds; both ways give the same."""
    assert closed_form(CountModel.of(parse("2*poisson")), [False] * 3) is None
    model = CountModel.of(parse("nb"))
    assert closed_form(model, [False, False]) is None
    ones, at = np.ones((3, 1)), torch.tensor([[7.0, 1.0]], dtype=torch.float64)
    column = torch.zeros(1, dtype=torch.int64)
    below, above = (
        RegressionObjective(model, np.array([[3.0, 900.0, top]]), ones.T, [ones, ones], [None, None])
        for top in (4095.0, 4096.0)
    )
    assert below.counts is not None
    assert above.counts is None
    assert below.rows(at, column).value[0, :2].tolist() == pytest.approx(above.rows(at, column).value[0, :2].tolist())
