"""The maxima of regressions of several components, and how they are searched for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.regression_maxima import lost
from distfit_counts.families.family import Role
from distfit_counts.families.spec import parse
from distfit_counts.regression.complete_data import CompleteData
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.short_runs import memberships
from distfit_counts.regression.standard import Standard
from distfit_counts.report.regression import to_text
from distfit_counts.settings import FitSettings

FAULTS = Path(__file__).parent / "faults"


@pytest.mark.parametrize(
    ("name", "formula", "family", "offset", "maximum"),
    [
        ("ppml11", "y ~ x1", "2*poisson", None, -694.0005),
        ("ppml15", "y ~ x1 + x2 + x3", "2*poisson", None, -17.0142),
        ("geometric_stall", "y ~ x", "geometric", None, -11.0372),
        ("rp56", "y ~ x0 + g", "2*poisson", None, -51.4642),
        ("rp55", "y ~ x0 + x1 + g", "2*poisson", None, -1379.7756),
        ("rp55", "y ~ x0 + x1 + g", "2*poisson", "off", -784.8712),
    ],
)
def test_maxima_that_were_missed(name: str, formula: str, family: str, offset: str | None, maximum: float) -> None:
    """By an independent search: EM by iteratively reweighted least squares from 200 random memberships, then BFGS."""
    found = regress(pd.read_csv(FAULTS / f"{name}.csv"), Request(formula, family, offset=offset), FitSettings())
    assert found.log_likelihood == pytest.approx(maximum, abs=1e-4)
    assert found.converged


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_an_optimum_that_differs_in_a_slope_is_found(repository: Any, seed: int) -> None:
    """Dealt out by the rank of the response, all starts ended at -12107.836."""
    frame = pd.read_csv(repository / "sample_data" / "nmes1988.csv")
    formula = "visits ~ hospital + health + chronic + gender + school + insurance"
    found = regress(frame, Request(formula, "2*nb"), FitSettings(seed=seed))
    assert found.log_likelihood == pytest.approx(-12096.2584, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "gain"), [("2*poisson", 0.002), ("zip", 0.002)])
def test_made_up_regressions_reach_what_an_independent_search_finds(family: str, gain: float) -> None:
    """Of the same 40 regressions of 2*poisson, several ended below, by up to 1.4 units."""
    below = [loss for seed in range(40) if (loss := lost(family, seed)) > gain]
    assert not below


def problem(spec: str, n: int = 60, seed: int = 3) -> Problem:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
    y = rng.poisson(np.exp(0.5 + 0.8 * x[:, 1])) * (rng.random(n) < 0.7).astype(float)
    weights, model = rng.integers(1, 4, n).astype(float), CountModel.of(parse(spec))
    wide, narrow = Standard.of(x, weights), Standard.of(x[:, :2], weights)
    standards = {head: narrow if role in (Role.ZEROS, Role.WEIGHT) else wide for head, role in model.roles.items()}
    offsets = {head: rng.normal(size=n) if role is Role.LOCATION else None for head, role in model.roles.items()}
    return Problem(model, y, weights, standards, offsets)


MIXED = ["2*poisson", "3*poisson", "poisson+nb", "zip", "zinb", "zi(2*poisson)", "hurdle(nb)", "2*zip"]


@pytest.mark.parametrize("spec", MIXED)
def test_complete_data_have_the_value_and_gradient_of_the_counts(spec: str) -> None:
    own = problem(spec)
    theta = torch.from_numpy(0.4 * np.random.default_rng(1).normal(size=(5, own.objective.width)))
    column = torch.zeros(5, dtype=torch.int64)
    found, expected = CompleteData(own)(theta, column, True), own.objective(theta, column, True)
    torch.testing.assert_close(found.value, expected.value, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.gradient, expected.gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spec", MIXED)
def test_their_curvature_is_that_of_the_memberships_held_fixed(spec: str) -> None:
    """By central differences of the gradient with the memberships given: the complete data do not move them."""
    own = problem(spec)
    theta = torch.from_numpy(0.4 * np.random.default_rng(1).normal(size=(1, own.objective.width)))
    column = torch.zeros(1, dtype=torch.int64)
    free = CompleteData(own)
    fixed = CompleteData(own, free.shares(theta).numpy())
    found, held = free(theta, column, True), fixed(theta, column, True)
    torch.testing.assert_close(held.gradient, found.gradient, rtol=1e-10, atol=1e-12)
    assert found.hessian is not None
    for i in range(theta.shape[1]):
        step = torch.zeros_like(theta)
        step[0, i] = 1e-5
        slope = (fixed(theta + step, column, True).gradient - fixed(theta - step, column, True).gradient) / 2e-5
        torch.testing.assert_close(found.hessian[:, i], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("spec", ["2*poisson", "zip", "zi(2*poisson)", "point(0)+2*nb"])
def test_memberships_are_of_components_that_can_have_the_count(spec: str) -> None:
    data = CompleteData(problem(spec))
    given = memberships(data, 40, np.random.default_rng(0))
    np.testing.assert_allclose(given.sum(axis=1), 1.0)
    for j, component in enumerate(data.components):
        assert not given[:, j, component.impossible.numpy()].any()
    assert len(np.unique(given.round(6), axis=0)) > 30, "each is another"


def test_a_row_far_out_sets_no_unit() -> None:
    """Steps are bounded on the standard scale: by a deviation that one row makes they took hundreds."""
    rng = np.random.default_rng(5)
    x, weights = rng.normal(size=300), np.ones(300)
    one = np.ones(300)
    usual = Standard.of(np.column_stack([one, x]), weights)
    far = Standard.of(np.column_stack([one, np.where(x == x[7], 1e6, x)]), weights)
    assert usual.matrix[:, 1].std() == pytest.approx(1.0, rel=1e-12)
    assert far.back[1, 1] == pytest.approx(usual.back[1, 1], rel=0.1)
    rare = Standard.of(np.column_stack([one, (np.arange(300) < 6).astype(float)]), weights)
    assert rare.matrix[:, 1].std() == pytest.approx(1.0, rel=1e-12), "a level of few rows is no outlier"


def test_the_report_says_that_a_restart_is_the_best_of_many_runs() -> None:
    found = regress(pd.read_csv(FAULTS / "rp56.csv"), Request("y ~ x0 + g", "2*poisson"), FitSettings(restarts=4))
    assert [restart.asked for restart in found.restarts] == [True] * 4 + [False] * 2
    assert "of 4 restarts (best of 32 each) and" in " ".join(to_text(found).split())
