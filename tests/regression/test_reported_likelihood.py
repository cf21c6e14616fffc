"""The log-likelihood that is reported is that of the estimates that are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from typer.testing import CliRunner

from distfit_counts.cli import app
from distfit_counts.families.closed_form.base import OfPoisson
from distfit_counts.families.poisson import Poisson
from distfit_counts.regression import closed_form
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

FAULTS = Path(__file__).parent / "faults"


RUNNER = CliRunner()


def fitted(name: str, formula: str, family: str, restarts: int = 5, **request: str) -> Regression:
    frame = pd.read_csv(FAULTS / f"{name}.csv")
    return regress(frame, Request(formula, family, **request), FitSettings(restarts=restarts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "formula", "supremum"),
    [("zip_rate_overflow", "y ~ x | 1", -16.2204), ("ppml15", "y ~ x1 + x2 + x3 | 1", -17.4503)],
)
def test_structural_zeros_beside_rates_of_any_size(name: str, formula: str, supremum: float) -> None:
    """log(pi + (1 - pi) e^f) lost all of pi where f was -1e17, and ended above the supremum: at -13.4 and -16.6."""
    assert fitted(name, formula, "zip").log_likelihood == pytest.approx(supremum, abs=1e-4)


def test_truncated_counts_far_below_a_rate_of_one() -> None:
    """1/(1 - e^-rate)^2 overflowed below a predictor of -355, its Hessian was NaN, and Newton stalled."""
    found = fitted("zt249", "y ~ x0 + x1", "zt(poisson)", offset="off")
    assert found.status == "converged"
    # The row of 4 alone has a rate, 3.92: 4 log(rate) - log(e^rate - 1) - log 4!.
    assert found.log_likelihood == pytest.approx(-1.6136, abs=1e-4)


@pytest.fixture
def wrong_regressions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed form whose value is off by 1e-6 of it."""
    right = closed_form.form_of(Poisson())
    assert right is not None

    def log_prob(counts: closed_form.Counts, at: Any) -> closed_form.Curve:
        found = right.log_prob(counts, at)
        return closed_form.Curve(found.value * (1.0 + 1e-6), found.slope, found.curve)

    wrong = closed_form.Form(log_prob, right.log_positive)
    monkeypatch.setitem(closed_form._FORMS, Poisson, lambda _: wrong)


@pytest.mark.usefixtures("wrong_regressions")
def test_a_likelihood_that_the_estimates_do_not_have_is_an_error_of_ours() -> None:
    args = ["regress", str(FAULTS / "check_crash_fit.csv"), "y ~ x", "-f", "poisson", "--format", "json"]
    found = RUNNER.invoke(app, args)
    assert found.exit_code == 70
    told = json.loads(found.stdout)
    assert (told["status"], told["converged"]) == ("inconsistent", False)
    assert told["verdicts"][0]["code"] == "fit.inconsistent"
    # What is reported is what the estimates have.
    frame = pd.read_csv(FAULTS / "check_crash_fit.csv")
    a, b = (own["estimate"] for own in told["predictors"]["rate"]["coefficients"].values())
    exact = scipy.stats.poisson.logpmf(frame["y"], np.exp(a + b * frame["x"])).sum()
    assert told["log_likelihood"] == pytest.approx(exact, rel=1e-12)


def test_the_same_of_a_plain_fit_and_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(FAULTS / "check_crash_fit.csv")
    right = json.loads(RUNNER.invoke(app, ["fit", path, "-c", "y", "-f", "poisson", "--format", "json"]).stdout)
    made = OfPoisson.__init__

    def wrong(self: OfPoisson, k: Any, rate: Any) -> None:
        made(self, k, rate)
        self.log_prob = self.log_prob * (1.0 + 1e-6)

    monkeypatch.setattr(OfPoisson, "__init__", wrong)
    found = RUNNER.invoke(app, ["fit", path, "-c", "y", "-f", "poisson", "--format", "json"])
    assert found.exit_code == 70
    told = json.loads(found.stdout)
    assert (told["status"], told["converged"]) == ("inconsistent", False)
    assert "fit.inconsistent" in [verdict["code"] for verdict in told["verdicts"]]
    assert told["log_likelihood"] == pytest.approx(right["log_likelihood"], rel=1e-12)
    compared = RUNNER.invoke(app, ["compare", path, "-c", "y", "--families", "poisson,geometric"])
    assert compared.exit_code == 70
    assert "inconsistent" in compared.stdout


def test_moments_are_infinite_where_a_rate_is() -> None:
    """They were those of a predictor that the search happened to end at, 1e48."""
    frame = pd.read_csv(FAULTS / "zip_rate_overflow.csv")
    fit = fitted("zip_rate_overflow", "y ~ x | 1", "zip")
    assert np.isinf(fit.predict(frame)["mean"]).any()
    assert fit.residuals.moments.mean[1] == np.inf
    assert not np.isfinite(fit.residuals.moments.variance[1])
    assert fit.residuals.moments.zeros[1] == pytest.approx(fit.predict(frame)["prob_zero"].sum())
