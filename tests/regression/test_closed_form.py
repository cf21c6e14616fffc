"""Closed forms against 50 digits at the extremes of float64, and against autograd at ordinary places."""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import dataclass

import mpmath
import numpy as np
import pytest
import torch

from distfit_counts.families.constraint import POSITIVE, POSITIVE_BOTH_ENDS
from distfit_counts.families.family import Family
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.spec import BASES, parse
from distfit_counts.regression.closed_form import Counts, closed_form
from distfit_counts.regression.link import Link
from distfit_counts.regression.objective import RegressionObjective, by_autograd
from distfit_counts.regression.row_model import CountModel
from tests.families.exact import DIGITS, with_derivatives

WRAPPED = [
    f"{wrapper}({base})"
    for wrapper in ("zi", "hurdle", "zt")
    for base in BASES
    if (wrapper, base) != ("zt", "logseries")
]
NESTED = [
    "zi(zt(poisson))",
    "zt(zip)",
    "hurdle(zinb)",
    "point(0)+poisson",
    "logseries+nb",
    "zip+nb",
    "2*hurdle(poisson)",
]
MIXED = ["2*poisson", "2*nb", "2*geometric", "poisson+nb", "zi(2*poisson)", "hurdle(2*poisson)", "zt(poisson+nb)"]
FAMILIES = [*BASES, *WRAPPED, *NESTED, *MIXED]
# Rates of 1e-304, 1e15 and 1e304 among them, probabilities of as little, and what lies between.
EXTREME = [-700.0, -400.0, -40.0, -1.3, 0.7, 12.0, 34.5, 700.0]


def positive_links(family: Family, link: str) -> dict[str, str]:
    """``link`` for all means, rates and sizes."""
    positive = (POSITIVE, POSITIVE_BOTH_ENDS)
    return {name: link for own in family.parameters if own.constraint in positive for name in own.names}


def in_digits(spec: str, places: int, link: str = "log", seed: int = 1) -> None:
    family = parse(spec)
    model = CountModel.of(family, positive_links(family, link))
    log_prob = closed_form(model)
    assert log_prob is not None
    rng, none = np.random.default_rng(seed), torch.zeros(1)
    for _ in range(places):
        eta = rng.choice(EXTREME, len(model.heads))
        for k in (family.lowest, 1, 7):
            at = [torch.tensor([[value]], dtype=torch.float64) for value in eta]
            found = log_prob(Counts.of(torch.tensor([float(k)], dtype=torch.float64)), at)
            with mpmath.workdps(DIGITS):
                value, first, second = with_derivatives(family, eta, k, link)
                # The terms that are added up: k log(mean), and k itself.
                assert abs(float(found.value) - value) <= 1e-12 * ((1 + k) * np.abs(eta).max() + abs(value)), (eta, k)
                # Shares are exponentials of differences of logarithms as large as that of the probability.
                relative = 1e-11 + 1e-15 * abs(value)
                for own, slope in zip(found.slope, first, strict=True):
                    assert abs(float(own) - slope) <= relative * (1 + k + abs(slope)), (eta, k)
                for pair, curve in second.items():
                    own = float(found.curve.get(pair, none))
                    if abs(curve) > sys.float_info.max:
                        assert own == math.copysign(math.inf, curve)
                        continue
                    assert abs(own - curve) <= relative * (1 + k + abs(curve)), (eta, k, pair)


@pytest.mark.parametrize("spec", [*BASES, *WRAPPED, "2*poisson", "point(0)+poisson"])
def test_in_fifty_digits_at_the_extremes(spec: str) -> None:
    in_digits(spec, 2)


@pytest.mark.slow
@pytest.mark.parametrize("spec", FAMILIES)
def test_in_fifty_digits_at_many_extremes(spec: str) -> None:
    in_digits(spec, 8, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["poisson", "geometric", "nb", "zip", "hurdle(nb)"])
def test_softplus_in_fifty_digits(spec: str) -> None:
    in_digits(spec, 8, "softplus")


@pytest.mark.parametrize("link", ["log", "softplus"])
@pytest.mark.parametrize("spec", FAMILIES)
def test_closed_forms_are_what_autograd_finds(spec: str, link: str) -> None:
    """Predictors that differ between rows, counts that tables hold and counts that they do not."""
    family = parse(spec)
    model = CountModel.of(family, positive_links(family, link))
    log_prob, rng = closed_form(model), np.random.default_rng(4)
    assert log_prob is not None
    none = torch.zeros(1, dtype=torch.float64)
    for largest in (400.0, 6000.0):
        y = torch.tensor([family.lowest, 1.0, 2.0, 7.0, 23.0, largest], dtype=torch.float64)
        eta = [torch.from_numpy(rng.normal(0.0, 1.5, (6, len(y)))) for _ in model.heads]
        found, expected = log_prob(Counts.of(y), eta), by_autograd(model, eta, y.expand(6, -1))
        assert_close(found.value, expected.value, 1e-11)
        for own, other in zip(found.slope, expected.slope, strict=True):
            assert_close(own, other, 1e-11)
        for pair in itertools.combinations_with_replacement(range(len(eta)), 2):
            assert_close(found.curve.get(pair, none), expected.curve.get(pair, none), 1e-9)


@pytest.mark.parametrize("spec", FAMILIES)
def test_constant_predictors_and_many_problems_at_once(spec: str) -> None:
    """[B, 1] is as the same number in every row, and C responses as each alone."""
    family = parse(spec)
    model = CountModel.of(family)
    log_prob, rng = closed_form(model), np.random.default_rng(5)
    assert log_prob is not None
    y = torch.from_numpy(rng.integers(family.lowest, 30, (3, 8)).astype(np.float64))
    narrow = [torch.from_numpy(rng.normal(0.0, 1.0, (3, 1))) for _ in model.heads]
    together = log_prob(Counts.of(y).piece(slice(None), torch.arange(3)), narrow)
    for i in range(3):
        wide = [own[i : i + 1].expand(1, 8) for own in narrow]
        alone = log_prob(Counts.of(y[i]), wide)
        assert_close(together.value[i], alone.value[0], 1e-12)
        for own, other in zip(together.slope, alone.slope, strict=True):
            assert_close(own.expand(3, 8)[i], other.expand(1, 8)[0], 1e-12)
        for pair, curve in alone.curve.items():
            assert_close(together.curve[pair].expand(3, 8)[i], curve.expand(1, 8)[0], 1e-11)


def assert_close(found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    found, expected = torch.broadcast_tensors(found, expected)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=tolerance, atol=tolerance)


def test_another_log_pmf_under_a_known_name_is_left_to_autograd() -> None:
    class Other(Poisson):
        pass

    assert closed_form(CountModel.of(Poisson())) is not None
    assert closed_form(CountModel.of(Other())) is None


def test_a_link_that_closed_forms_do_not_know_is_left_to_autograd() -> None:
    """It was taken for the log link, as whatever is not softplus was."""

    @dataclass(frozen=True)
    class Root(Link):
        """value = eta^2."""

        def to(self, eta: torch.Tensor) -> torch.Tensor:
            return eta * eta

    y, ones = np.array([[3.0, 1.0, 4.0]]), np.ones((3, 1))
    model = CountModel(Poisson(), {"rate": Root("root", "")})
    assert closed_form(model) is None
    at = RegressionObjective(model, y, ones.T, [ones], [None])(
        torch.tensor([[1.5]], dtype=torch.float64), torch.zeros(1, dtype=torch.int64), True
    )
    assert float(at.gradient) == pytest.approx(-(2.0 / 1.5) * (y.mean() - 1.5**2), rel=1e-12)
