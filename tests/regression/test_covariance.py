"""Robust and clustered standard errors: their factors, and where there are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from distfit_counts import regress
from distfit_counts.errors import DistfitError
from distfit_counts.regression.result import Regression
from distfit_counts.report.regression_record import regression_record

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def verified() -> pd.DataFrame:
    return pd.read_csv(CASES / "cluster_dummies.csv")


def errors(fit: Regression) -> list[float]:
    return [c.std_error for c in fit.predictors[0].coefficients]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"cluster": "unit"}, [0.30363068, 0.31022059, 0.33585287, 0.24318477, 0.34191128, 0.10269586, 0.15666248]),
        (
            {"cluster": "unit", "small_sample": "none"},
            [0.29144699, 0.29777246, 0.32237621, 0.23342657, 0.32819151, 0.09857502, 0.15037613],
        ),
        ({"errors": "hc0"}, [0.20477578, 0.24864873, 0.21386572, 0.23742546, 0.24881194, 0.09096956, 0.14548967]),
    ],
)
def test_errors_are_those_of_statsmodels(verified: pd.DataFrame, how: dict[str, Any], expected: list[float]) -> None:
    """statsmodels 0.15, GLM with cov_type cluster (use_correction True and False) and HC0."""
    fit = regress(verified, "verified ~ C(year) + kind + independent", **how)
    assert errors(fit) == pytest.approx(expected, rel=1e-6)


def test_clustered_errors_of_a_negative_binomial_are_those_of_statsmodels(verified: pd.DataFrame) -> None:
    """statsmodels 0.15, NegativeBinomial with cov_type cluster: the size counts as a parameter."""
    fit = regress(verified, "verified ~ kind + independent", "nb", cluster="unit")
    assert errors(fit) == pytest.approx([0.13725423, 0.09372715, 0.15516326], rel=1e-5)


def test_each_factor_is_the_one_that_is_documented(verified: pd.DataFrame) -> None:
    """20 clusters, 200 rows, 3 coefficients; without clusters each row is one."""
    squares = {}
    for cluster, robust in (("unit", "model"), (None, "hc1")):
        for factor in ("none", "clusters", "full"):
            fit = regress(
                verified, "verified ~ kind + independent", cluster=cluster, errors=robust, small_sample=factor
            )
            assert fit.small_sample == factor
            squares[cluster, factor] = np.square(errors(fit))
    hc0 = np.square(errors(regress(verified, "verified ~ kind + independent", errors="hc0")))
    assert squares["unit", "clusters"] / squares["unit", "none"] == pytest.approx(np.full(3, 20 / 19))
    assert squares["unit", "full"] / squares["unit", "none"] == pytest.approx(np.full(3, 20 / 19 * 199 / 197))
    assert squares[None, "none"] == pytest.approx(hc0)
    assert squares[None, "clusters"] / hc0 == pytest.approx(np.full(3, 200 / 199))
    assert squares[None, "full"] / hc0 == pytest.approx(np.full(3, 200 / 197))


@pytest.mark.parametrize("how", [{}, {"errors": "hc0"}])
def test_a_factor_that_would_do_nothing_is_refused(verified: pd.DataFrame, how: dict[str, Any]) -> None:
    with pytest.raises(DistfitError, match="does nothing"):
        regress(verified, "verified ~ kind", small_sample="none", **how)


@pytest.mark.parametrize("robust", ["hc0", "hc1"])
@pytest.mark.parametrize("formula", ["y ~ g", "y ~ 0 + g", "y ~ C(g, contr.treatment('b'))", "y ~ C(g, contr.sum)"])
@pytest.mark.parametrize(("file", "exact"), [("const_ref", "a"), ("robust_zero_crash", "bd")])
@pytest.mark.filterwarnings("error")
def test_rows_that_are_fitted_exactly_give_no_robust_error(file: str, exact: str, formula: str, robust: str) -> None:
    """Of the levels ``exact`` all counts are their mean: under ``0 + g`` their own coefficients have no error."""
    frame = pd.read_csv(CASES / f"{file}.csv")
    fit = regress(frame, formula, errors=robust)
    none = [c for c in fit.predictors[0].coefficients if c.note == "no error"]
    for c in none:
        assert np.isfinite(c.estimate)
        assert np.isnan([c.std_error, c.z, c.p_value, c.lower, c.upper]).all()
    assert all(c.std_error > 1e-3 for c in fit.predictors[0].coefficients if not c.note)
    if formula == "y ~ 0 + g":
        assert [c.name for c in none] == [f"g[{level}]" for level in exact]
    if none:
        (told,) = [verdict.message for verdict in fit.verdicts if verdict.code == "errors.none"]
        assert none[0].name in told
        record = regression_record(fit)["predictors"]["rate"]["coefficients"][none[0].name]
        assert record["std_error"] is record["p_value"] is None
        assert record["note"] == "no error"
        assert record["estimate"] is not None
    assert json.dumps(regression_record(fit), allow_nan=False)


def test_terms_are_tested_on_the_rank_of_their_covariance(verified: pd.DataFrame) -> None:
    """The scores of each unit add up to 0 where every unit has its dummy: its 19 coefficients vary with two slopes."""
    fit = regress(verified, "verified ~ C(unit) + year + independent", cluster="unit")
    unit = fit.predictors[0].tests[0].wald
    assert unit.df == 2
    assert "rank 2" in unit.null
    places = [i for i, c in enumerate(fit.predictors[0].coefficients) if "unit" in c.name]
    beta = fit.predictors[0].beta[places]
    inverse = np.linalg.pinv(fit.covariance[np.ix_(places, places)], rcond=1e-9, hermitian=True)
    assert unit.statistic == pytest.approx(beta @ inverse @ beta, rel=1e-6)
    assert "rank 2" in fit.summary()
    alone = regress(verified, "verified ~ C(unit)", cluster="unit").predictors[0]
    assert np.isnan([alone.tests[0].wald.statistic, alone.tests[0].wald.df]).all()
    assert {c.note for c in alone.coefficients} == {"no error"}


def test_a_term_of_full_rank_is_tested_as_ever(verified: pd.DataFrame) -> None:
    fit = regress(verified, "verified ~ C(year) + kind", cluster="unit")
    year = fit.predictors[0].tests[0].wald
    beta, covariance = fit.predictors[0].beta[1:5], fit.covariance[1:5, 1:5]
    assert year.df == 4
    assert year.statistic == pytest.approx(beta @ np.linalg.solve(covariance, beta), rel=1e-9)


def test_as_many_parameters_as_rows_leave_no_factor() -> None:
    """n - p is 0: hc1 has no number, where hc0 of a saturated fit has none either."""
    frame = pd.DataFrame({"y": [1, 2, 4], "x": [0.0, 1.0, 1.5], "z": [1.0, 0.0, 2.0]})
    fit = regress(frame, "y ~ x + z", errors="hc1")
    assert {c.note for c in fit.predictors[0].coefficients} == {"no error"}


def test_an_exact_line_has_no_errors() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "x": [0.0, 1.0, 2.0, 3.0]})
    for robust in ("model", "hc0"):
        fit = regress(frame, "y ~ x", "gaussian", errors=robust)
        assert [c.estimate for c in fit.predictors[0].coefficients] == pytest.approx([1.0, 1.0])
        assert not [c for c in fit.predictors[0].coefficients if c.std_error == 0.0]
