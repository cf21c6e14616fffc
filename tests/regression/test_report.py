"""What a regression's report says, and of what."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distfit_counts.errors import DataError
from distfit_counts.families.spec import parse
from distfit_counts.regression.agreement import Moments
from distfit_counts.regression.misfit import misfit
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings


def fit(frame: pd.DataFrame, formula: str, family: str = "poisson", restarts: int = 1, **request: object) -> Regression:
    return regress(frame, Request(formula, family, **request), FitSettings(restarts=restarts))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Three levels, of which c has only zeros."""
    rng = np.random.default_rng(1)
    made = pd.DataFrame({"g": ["a", "b", "c"] * 40, "x": rng.normal(size=120), "h": ["u", "u", "v", "v"] * 30})
    made["y"] = rng.poisson(np.exp(0.5 + 0.4 * made["x"])) * (made["g"] != "c")
    return made


def test_rows_that_an_infinite_coefficient_settles_have_no_degree_of_freedom(frame: pd.DataFrame) -> None:
    """The level with only zeros is fitted without error by a coefficient of its own: the rest is the fit without it
    (Geyer 2009, the limiting conditional model), with its dispersion.
    """
    rest = frame[frame["g"] != "c"]
    all_of_them, without = fit(frame, "y ~ g + x").residuals, fit(rest, "y ~ g + x").residuals
    assert all_of_them is not None
    assert without is not None
    assert (without.moments.df, without.moments.settled) == (80 - 3, 0)
    assert (all_of_them.moments.df, all_of_them.moments.settled) == (80 - 3, 40)
    assert all_of_them.moments.dispersion == pytest.approx(without.moments.dispersion, rel=1e-6)


def test_a_column_that_is_left_out_costs_no_degree_of_freedom(frame: pd.DataFrame) -> None:
    twice = fit(frame[frame["g"] != "c"].assign(z=lambda own: 2.0 * own["x"]), "y ~ x + z").residuals
    assert twice is not None
    assert twice.moments.df == 80 - 2


def test_a_term_with_an_infinite_coefficient_has_a_likelihood_ratio_only(frame: pd.DataFrame) -> None:
    """Wald's test of the finite coefficients would be one of another hypothesis."""
    own = fit(frame, "y ~ g + x", likelihood_ratio=True)
    g, x = own.predictors[0].tests
    assert np.isnan([g.wald.statistic, g.wald.df, g.wald.p_value]).all()
    assert g.likelihood_ratio is not None
    assert g.likelihood_ratio.df == 2
    assert x.wald.df == 1
    text = own.summary()
    assert "only the likelihood ratio" in text
    assert re.search(r" g +– +– +– +[\d.]+ +2 ", text)


def test_the_dispersion_of_the_ship_accidents(shared_reference: Path) -> None:
    """McCullagh and Nelder (1989): 25 degrees of freedom. Pearson's statistic by hand from R's estimates."""
    ships = pd.read_csv(shared_reference / "regression" / "ShipAccidents.csv")
    answers = json.loads((shared_reference / "regression.json").read_text())["ShipAccidents"]["families"]
    by_r = answers["poisson"]["R"]["coef"]
    names = ("type", "construction", "operation")
    eta = by_r["(Intercept)"] + sum(ships[name].map(lambda v, n=name: by_r.get(f"{n}{v}", 0.0)) for name in names)
    mean = ships["service"] * np.exp(eta)
    found = fit(ships, "incidents ~ type + construction + operation", exposure="service")
    assert found.residuals is not None
    assert found.residuals.moments.df == 25
    assert found.residuals.moments.chi_square == pytest.approx(((ships["incidents"] - mean) ** 2 / mean).sum())
    zip_ = fit(ships, "incidents ~ type + construction + operation", "zip", restarts=2)
    assert zip_.residuals is not None
    # Rows that are zero for certain have variance 0, and follow the model: 0/0 is nothing.
    assert zip_.residuals.moments.settled > 0
    assert np.isfinite(zip_.residuals.moments.dispersion)


def test_why_there_is_no_dispersion_is_said() -> None:
    few = pd.DataFrame({"y": [1, 2, 4], "x": [0.0, 1.0, 3.0], "z": [1.0, 0.0, 0.5]})
    assert "Pearson χ²/df –: no degrees of freedom are left (df 0)" in fit(few, "y ~ x + z").summary()


def test_levels_have_one_name(frame: pd.DataFrame) -> None:
    found = fit(frame, "y ~ g + x")
    (verdict,) = (v for v in found.verdicts if v.code == "terms.only_zeros")
    assert "g[c]" in verdict.message
    assert "[T." not in found.summary()


@pytest.mark.parametrize("family", ["poisson", "nb", "zip"])
def test_as_many_starts_are_told_as_are_listed(frame: pd.DataFrame, family: str) -> None:
    found = fit(frame[frame["g"] != "c"], "y ~ x", family, restarts=2)
    told = re.search(
        r"\d+ of (\d+) restarts?(?: \(best of \d+ each\))?(?: and \d+ of (\d+) starts? from simpler families)? reached",
        found.summary(),
    )
    assert told
    assert sum(int(number) for number in told.groups() if number) == len(found.restarts)


@pytest.mark.parametrize("request_", [{}, {"likelihood_ratio": True}])
def test_no_two_lines_in_a_row_are_blank(frame: pd.DataFrame, request_: dict[str, bool]) -> None:
    for family in ("poisson", "zip"):
        text = fit(frame, "y ~ g + x + h", family, restarts=3, **request_).summary()
        assert "\n\n\n" not in text


def test_the_title_has_the_terms_of_single_parameters_and_only_means_have_rates(frame: pd.DataFrame) -> None:
    found = fit(frame[frame["g"] != "c"], "y ~ x", "nb", own={"size": "~ g"})
    assert found.summary().startswith("nb regression of y ~ x, size ~ g, data: ")
    assert {own.head: own.ratio for own in found.predictors} == {"mean": "rate ratio", "size": "ratio"}


@pytest.mark.parametrize(
    ("family", "more", "advice"),
    [
        ("poisson", False, "Try a hurdle family"),
        ("poisson", True, "Try a zero-inflated or hurdle family."),
        ("zip", False, "Try a family without zero inflation."),
        ("hurdle(poisson)", False, "more terms"),
    ],
)
def test_what_to_do_about_zeros_is_what_the_family_does_not_do_already(family: str, more: bool, advice: str) -> None:
    zeros = (90.0, 40.0) if more else (10.0, 40.0)
    seen = Moments(n=100.0, chi_square=99.0, df=99.0, settled=0, zeros=zeros, mean=(1.0, 1.0), variance=(1.0, 1.0))
    (verdict,) = misfit(seen, parse(family), errors="model")
    assert advice in verdict.message


@pytest.mark.parametrize("family", ["poisson", "gaussian"])
def test_equal_responses_are_told(family: str) -> None:
    found = fit(pd.DataFrame({"y": [3] * 40, "x": range(40)}), "y ~ x", family)
    assert found.verdicts[0].code == "terms.constant"
    assert "All 40 responses are 3" in found.verdicts[0].message


def test_one_coefficient_runs_on_and_one_level_is_one() -> None:
    """Zeros below 0 and counts above: the slope of P(Y = 0) alone has no end."""
    x = np.repeat([-2.0, -1.0, 1.0, 2.0], 10)
    y = np.where(x < 0, 0, 1 + np.arange(40) % 4)
    (told,) = [v.message for v in fit(pd.DataFrame({"y": y, "x": x}), "y ~ 1 | 0 + x", "hurdle(poisson)").verdicts]
    assert "as x (-∞) runs on without bound" in told
    assert "this coefficient has no standard error." in told
    with pytest.raises(DataError, match="has 1 level\n"):
        fit(pd.DataFrame({"y": ["a"] * 9, "x": range(9)}), "y ~ x", "bernoulli")


def test_an_offset_that_was_meant_as_an_exposure_is_asked_about() -> None:
    """Months of service on the scale of a logarithm: means from 1 to exp(1000)."""
    frame = pd.DataFrame({"y": [1, 3, 8, 12, 20, 31], "x": [0, 1, 0, 1, 0, 1], "months": [10, 30, 80, 120, 500, 1010]})
    codes = {verdict.code: verdict.message for verdict in fit(frame, "y ~ x", offset="months").verdicts}
    assert "from 10 to 1010" in codes["terms.offset"]
    assert "--exposure" in codes["terms.offset"]
    assert "terms.offset" not in {v.code for v in fit(frame, "y ~ x", exposure="months").verdicts}


def test_responses_without_a_zero_are_asked_about() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=400)})
    frame["y"] = np.maximum(rng.poisson(np.exp(0.3 + 0.2 * frame["x"])), 1)
    (message,) = (v.message for v in fit(frame, "y ~ x").verdicts if v.code == "misfit.zeros")
    assert "Are units without events missing" in message
    assert "hurdle" not in message
