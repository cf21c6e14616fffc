"""The table of restarts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from distfit_counts.inference.fitted.restarts import basins
from distfit_counts.settings import SAME_OPTIMUM


def test_basins_are_numbered_from_the_best() -> None:
    nll = np.array([105.0, 100.0, 100.0 + 1e-7, 103.0, 105.0 + 1e-8, math.inf])
    assert basins(nll, 100.0).tolist() == [3, 1, 1, 2, 3, 4]


def test_a_start_that_approaches_the_boundary_has_reached_it() -> None:
    assert basins(np.array([10.0 + 0.5 * SAME_OPTIMUM, 11.0]), 10.0).tolist() == [1, 2]
    assert basins(np.array([10.5, 11.0]), 10.0).tolist() == [2, 3], "nobody reached the supremum"


def test_all_optima_of_a_rugged_likelihood(fit) -> None:
    """Four clusters, three components: several local optima, each told apart, the best one reported."""
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.poisson(rate, 60) for rate in (2, 60, 300, 900)])
    found = fit(values, "3*poisson", restarts=12)
    basin = [restart.basin for restart in found.restarts]
    assert min(basin) == 1
    assert max(basin) > 1
    for restart in found.restarts:
        gap = restart.nll + found.log_likelihood
        assert gap >= -1e-6
        assert (restart.basin == 1) == (gap < 1e-4)
        weights = [value for name, value in restart.estimate.items() if name.startswith("weight")]
        assert sum(weights) == pytest.approx(1.0, abs=1e-12)
        rates = [value for name, value in restart.estimate.items() if name.startswith("rate")]
        assert rates == sorted(rates)
    ordered = sorted(found.restarts, key=lambda restart: restart.nll)
    assert [r.basin for r in ordered] == sorted(basin)


def test_a_lonely_optimum_is_said(fit) -> None:
    """With few restarts on a rugged likelihood the reader is told that others ended elsewhere."""
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.poisson(rate, 60) for rate in (2, 60, 300, 900)])
    found = fit(values, "3*poisson", restarts=4)
    reached = sum(restart.basin == 1 for restart in found.restarts[:4])
    told = "restarts.rarely_best" in [verdict.code for verdict in found.verdicts]
    assert told == (reached <= 1)


def test_restarts_after_the_asked_ones_name_where_they_came_from(fit) -> None:
    found = fit([0, 0, 0, 1, 2, 2, 5, 9], "zinb", restarts=3)
    assert {restart.origin for restart in found.restarts[3:]} <= {"nb", "zip", "poisson", "zi(geometric)"}
    assert {"nb", "zip"} <= {restart.origin for restart in found.restarts[3:]}


def test_what_differs_by_rounding_is_one_optimum() -> None:
    """Of 9e15 observations the last digit of the sum is 2."""
    assert basins(np.array([1.1e16, 1.1e16 + 2.0, 1.1e16 + 1000.0]), 1.1e16).tolist() == [1, 1, 2]
