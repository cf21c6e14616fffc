"""Laws of regressions, and numbers from R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from distfit_counts.errors import DataError, FamilyError
from distfit_counts.regression import solve
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.result import Coefficient, Regression
from distfit_counts.settings import FitSettings

RNG = np.random.default_rng(7)
N = 600


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    x, z = RNG.normal(size=N), RNG.uniform(size=N)
    group = RNG.choice(["a", "b", "c"], N)
    mean = np.exp(0.5 + 0.6 * x + 0.4 * (group == "b"))
    y = RNG.poisson(mean * RNG.gamma(2.0, 0.5, N)) * (RNG.random(N) > 1 / (1 + np.exp(1.0 - 2.0 * z)))
    years = RNG.uniform(0.5, 4.0, N)
    return pd.DataFrame({"y": y, "x": x, "z": z, "group": group, "years": years, "events": RNG.poisson(mean * years)})


def fit(frame: pd.DataFrame, formula: str, family: str, restarts: int = 3, **request: Any) -> Regression:
    return regress(frame, Request(formula, family, **request), FitSettings(restarts=restarts))


def coefficients(found: Regression, head: str) -> dict[str, Coefficient]:
    return {c.name: c for own in found.predictors if own.head == head for c in own.coefficients}


@pytest.mark.parametrize(
    "family",
    ["poisson", "geometric", "nb", "zip", "zinb", "hurdle(poisson)", "hurdle(nb)", "2*poisson", "zi(geometric)"],
)
def test_a_regression_on_nothing_is_the_plain_fit(made: pd.DataFrame, fit_counts: Any, family: str) -> None:
    """With an intercept alone the log-likelihood is that of distfit fit."""
    found = fit(made, "y ~ 1", family)
    assert found.log_likelihood == pytest.approx(fit_counts(made["y"].to_numpy(), family).log_likelihood, abs=1e-6)


@pytest.mark.parametrize("family", ["poisson", "nb", "zip", "hurdle(nb)", "2*poisson"])
def test_more_terms_never_lower_the_likelihood(made: pd.DataFrame, family: str) -> None:
    smaller, larger = fit(made, "y ~ x", family), fit(made, "y ~ x + group", family)
    assert larger.log_likelihood >= smaller.log_likelihood - 1e-8


@pytest.mark.parametrize("family", ["poisson", "nb", "zip", "hurdle(nb)"])
def test_where_a_few_rows_lead_does_not_change_the_fit(
    made: pd.DataFrame, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many rows a sample is solved first; the maximum is that of all rows, and every start is still told."""
    whole = fit(made, "y ~ x + group", family)
    monkeypatch.setattr(solve, "_FEW", 150)
    found = fit(made, "y ~ x + group", family)
    assert found.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-8)
    assert [restart.asked for restart in found.restarts] == [restart.asked for restart in whole.restarts]
    assert found.converged


def test_the_units_of_a_covariate_do_not_matter(made: pd.DataFrame) -> None:
    """x in thousandths and far from 0: the same fit, with the coefficient in the new unit."""
    own = fit(made, "y ~ x + group", "nb")
    other = fit(made.assign(x=1e6 + 1e-3 * made["x"]), "y ~ x + group", "nb")
    assert other.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-6)
    first, second = coefficients(own, "mean")["x"], coefficients(other, "mean")["x"]
    assert second.estimate == pytest.approx(1e3 * first.estimate, rel=1e-5)
    assert second.std_error == pytest.approx(1e3 * first.std_error, rel=1e-5)


def test_exposure_is_the_offset_of_its_logarithm(made: pd.DataFrame) -> None:
    exposed = fit(made, "events ~ x + group", "poisson", exposure="years")
    shifted = fit(made.assign(log_years=np.log(made["years"])), "events ~ x + group", "poisson", offset="log_years")
    assert exposed.log_likelihood == pytest.approx(shifted.log_likelihood, abs=1e-9)
    assert coefficients(exposed, "rate")["Intercept"].estimate == pytest.approx(0.5, abs=0.15)


def test_weights_are_repeated_rows(made: pd.DataFrame) -> None:
    times = RNG.integers(1, 4, N)
    weighted = fit(made.assign(times=times), "y ~ x + group", "zip", weights="times")
    repeated = fit(made.loc[made.index.repeat(times)], "y ~ x + group", "zip")
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, abs=1e-6)
    assert weighted.n == repeated.n == times.sum()
    assert coefficients(weighted, "rate")["x"].std_error == pytest.approx(coefficients(repeated, "rate")["x"].std_error)


def test_robust_errors_are_those_of_r(repository: Any) -> None:
    """glm(art ~ fem + ment, poisson) of R 4 and White's formula by hand: HC0, and clustered by kid5."""
    frame = pd.read_csv(repository / "tests" / "reference" / "regression" / "bioChemists.csv")
    robust = coefficients(fit(frame, "art ~ fem + ment", "poisson", errors="hc0"), "rate")
    assert [c.std_error for c in robust.values()] == pytest.approx(
        [0.05841177022497, 0.06964556976510, 0.00345829583604]
    )
    clustered = coefficients(fit(frame, "art ~ fem + ment", "poisson", cluster="kid5"), "rate")
    expected = [0.03469018048150, 0.02644438191029, 0.00309441911907]
    assert [c.std_error for c in clustered.values()] == pytest.approx(expected)


def test_a_normal_response_is_rs_lm(repository: Any) -> None:
    """lm(phd ~ fem + ment) of R 4."""
    frame = pd.read_csv(repository / "tests" / "reference" / "regression" / "bioChemists.csv")
    found = fit(frame, "phd ~ fem + ment", "gaussian")
    own = coefficients(found, "mean")
    assert own["ment"].estimate == pytest.approx(0.026998, abs=1e-6)
    assert own["Intercept"].std_error == pytest.approx(0.053292, abs=1e-6)
    assert found.log_likelihood == pytest.approx(-1251.169, abs=1e-3)
    assert found.n_parameters == 4


def test_a_two_level_response_is_rs_glm(repository: Any) -> None:
    """glm(fem ~ phd + ment, binomial) of R 4."""
    frame = pd.read_csv(repository / "tests" / "reference" / "regression" / "bioChemists.csv")
    found = fit(frame, "fem ~ phd + ment", "bernoulli")
    own = coefficients(found, "probability")
    assert [c.estimate for c in own.values()] == pytest.approx([0.022836598, -0.005342791, -0.019228270], abs=1e-8)
    assert [c.std_error for c in own.values()] == pytest.approx([0.220325982, 0.070275590, 0.007695866], abs=1e-8)
    assert found.levels == ("Men", "Women")


def test_a_categorical_response_with_two_levels_is_the_bernoulli(made: pd.DataFrame) -> None:
    frame = made.assign(kind=np.where(made["y"] > 1, "many", "few"))
    bernoulli, categorical = (fit(frame, "kind ~ x + z", family) for family in ("bernoulli", "categorical"))
    assert categorical.log_likelihood == pytest.approx(bernoulli.log_likelihood, abs=1e-8)
    assert coefficients(categorical, "many")["x"].estimate == pytest.approx(
        coefficients(bernoulli, "probability")["x"].estimate, rel=1e-6
    )


def test_likelihood_ratios_are_what_the_fit_without_the_term_loses(made: pd.DataFrame) -> None:
    found = fit(made, "y ~ x + group", "nb", likelihood_ratio=True)
    without = fit(made, "y ~ x", "nb")
    (test,) = (t for own in found.predictors for t in own.tests if t.term == "group")
    assert test.likelihood_ratio is not None
    assert test.likelihood_ratio.statistic == pytest.approx(
        2.0 * (found.log_likelihood - without.log_likelihood), abs=1e-6
    )
    assert test.likelihood_ratio.df == test.wald.df == 2
    assert test.likelihood_ratio.p_value == pytest.approx(scipy.stats.chi2.sf(test.likelihood_ratio.statistic, 2))


def test_rows_with_missing_values_are_left_out_and_counted(made: pd.DataFrame) -> None:
    holed = made.copy()
    holed.loc[[3, 10], "x"] = np.nan
    holed.loc[[20], "group"] = None
    holed["y"] = holed["y"].astype(float)
    holed.loc[[30], "y"] = np.nan
    found = fit(holed, "y ~ poly(x, 2) + group", "poisson")
    assert (found.n_rows, found.n_missing) == (N - 4, 4)
    kept = fit(made.drop(index=[3, 10, 20, 30]), "y ~ poly(x, 2) + group", "poisson")
    assert found.log_likelihood == pytest.approx(kept.log_likelihood, abs=1e-9)


def test_collinear_columns_are_left_out_and_named(made: pd.DataFrame) -> None:
    found = fit(made.assign(twice=2.0 * made["x"] - 1.0), "y ~ x + twice + group", "nb")
    assert coefficients(found, "mean")["twice"].note == "aliased"
    assert found.log_likelihood == pytest.approx(fit(made, "y ~ x + group", "nb").log_likelihood, abs=1e-7)
    assert any(v.code == "terms.collinear" and "twice" in v.message for v in found.verdicts)


def test_a_level_with_only_zeros_is_named_and_disturbs_nothing_else(made: pd.DataFrame) -> None:
    frame = made.assign(y=made["y"].where(made["group"] != "c", 0))
    found = fit(frame, "y ~ x + group", "poisson")
    own = coefficients(found, "rate")
    assert own["group[T.c]"].note == "lower"
    assert np.isnan(own["group[T.c]"].std_error)
    assert any(v.code == "terms.only_zeros" and "group[c]" in v.message for v in found.verdicts)
    rest = coefficients(fit(frame[frame["group"] != "c"], "y ~ x + group", "poisson"), "rate")
    assert own["x"].estimate == pytest.approx(rest["x"].estimate, rel=1e-6)
    assert own["x"].std_error == pytest.approx(rest["x"].std_error, rel=1e-6)


def test_softplus_adds_where_log_multiplies(made: pd.DataFrame) -> None:
    found = fit(made, "events ~ x", "poisson", links={"rate": "softplus"})
    assert found.converged
    assert found.predictors[0].link == "softplus"
    with pytest.raises(FamilyError, match="softplus"):
        fit(made, "y ~ x", "zip", links={"pi": "softplus"})


@pytest.mark.parametrize("family", ["zip", "zinb", "hurdle(nb)", "2*poisson"])
def test_expected_frequencies_add_up_and_residuals_of_a_true_model_are_normal(made: pd.DataFrame, family: str) -> None:
    found = fit(made, "y ~ x + group | z" if family != "2*poisson" else "y ~ x + group", family)
    assert found.residuals is not None
    assert found.residuals.expected.sum() == pytest.approx(N)
    assert found.residuals.observed.sum() == N
    if family == "zinb":
        assert scipy.stats.kstest(found.residuals.quantile, "norm").pvalue > 0.001


def test_quantile_residuals_lie_between_the_two_tails(made: pd.DataFrame) -> None:
    """Against scipy's Poisson: every residual is within Phi^-1 of [P(Y < y), P(Y <= y)]."""
    found = fit(made, "events ~ x", "poisson", exposure="years")
    own = coefficients(found, "rate")
    rate = made["years"] * np.exp(own["Intercept"].estimate + own["x"].estimate * made["x"])
    assert found.residuals is not None
    u = scipy.stats.norm.cdf(found.residuals.quantile)
    assert (u >= scipy.stats.poisson.cdf(made["events"] - 1, rate) - 1e-9).all()
    assert (u <= scipy.stats.poisson.cdf(made["events"], rate) + 1e-9).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": -1}, "-1 is no count"),
        ({"y": 1.5}, "1.5 is no count"),
        ({"years": 0.0}, "exposures are above 0"),
        ({"x": np.inf}, "inf"),
    ],
)
def test_values_that_cannot_be_are_named_with_their_row(
    made: pd.DataFrame, change: dict[str, float], said: str
) -> None:
    frame = made.astype({"y": float})
    ((name, value),) = change.items()
    frame.loc[41, name] = value
    with pytest.raises(DataError) as error:
        fit(frame, "y ~ x", "poisson", exposure="years")
    assert said in str(error.value)
    assert "row 42" in str(error.value)


def test_an_empty_level_leaves_the_intercept_finite() -> None:
    """Without a slope the other levels are their own means: log 3 and log(8/3), sd of a log mean 1/sqrt(sum)."""
    frame = pd.DataFrame({"y": [3, 4, 2, 1, 2, 5, 0, 0, 0], "g": list("aaabbbccc")})
    own = coefficients(fit(frame, "y ~ g", "poisson"), "rate")
    assert own["Intercept"].estimate == pytest.approx(np.log(3.0), abs=1e-6)
    assert own["Intercept"].std_error == pytest.approx(1.0 / 3.0, rel=1e-4)
    assert own["g[T.b]"].estimate == pytest.approx(np.log(8.0 / 9.0), abs=1e-6)
    assert own["g[T.c]"].note == "lower"
    predicted = fit(frame, "y ~ g", "poisson").predict(frame, interval=True)
    assert predicted["mean_upper"].notna().tolist() == [True] * 6 + [False] * 3


@pytest.mark.parametrize("family", ["zi(logseries)", "zi(zt(poisson))"])
def test_zero_inflation_of_positive_counts_is_a_regression_too(made: pd.DataFrame, family: str) -> None:
    """pi is then P(Y = 0): its coefficients are those of the logistic regression on zero or not."""
    zero = made.assign(zero=(made["y"] == 0).astype(int))
    own = coefficients(fit(made, "y ~ x", family), "pi")
    logistic = coefficients(fit(zero, "zero ~ x", "bernoulli"), "probability")
    assert [c.estimate for c in own.values()] == pytest.approx([c.estimate for c in logistic.values()], abs=1e-6)


@pytest.mark.slow
def test_large_counts_cost_no_more() -> None:
    """Residuals of counts near 1e9, which nobody can add up from 0, are normal where the model is true."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    frame = pd.DataFrame({"x": x, "y": rng.poisson(np.exp(20.0 + 0.1 * x))})
    found = fit(frame, "y ~ x", "poisson", restarts=1)
    assert coefficients(found, "rate")["x"].estimate == pytest.approx(0.1, abs=1e-4)
    assert found.residuals is not None
    assert len(found.residuals.quantile) == 50
    assert scipy.stats.kstest(found.residuals.quantile, "norm").pvalue > 0.001


def test_a_formula_without_columns_is_refused(made: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="make no column"):
        fit(made, "y ~ 0", "poisson")


def test_two_columns_of_one_name_are_refused(made: pd.DataFrame) -> None:
    """JSON and saved models have coefficients by name: one of the two would be lost."""
    for formula, name in (("y ~ Intercept", "Intercept"), ("y ~ x * z + `x:z`", "x:z")):
        frame = made.assign(**{name: made["x"] ** 2})
        with pytest.raises(DataError, match=f"two columns called '{name}'"):
            fit(frame, formula, "poisson")


def test_functions_have_their_names_of_r_too(made: pd.DataFrame) -> None:
    first, second = (fit(made, f"y ~ {name}(abs(x)) + z", "poisson") for name in ("sqrt", "np.sqrt"))
    assert first.log_likelihood == second.log_likelihood


@pytest.mark.parametrize("how", [{"errors": "hc1"}, {"cluster": "g"}])
def test_robust_errors_are_not_called_too_small(how: dict[str, str]) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=600), "g": np.arange(600) % 40})
    frame["y"] = rng.negative_binomial(1, 1 / (1 + np.exp(1.5 + 0.3 * frame["x"])))
    told = {v.code: v.message for v in fit(frame, "y ~ x", "poisson").verdicts}["misfit.overdispersed"]
    assert "Standard errors are too small" in told
    told = {v.code: v.message for v in fit(frame, "y ~ x", "poisson", **how).verdicts}["misfit.overdispersed"]
    assert "robust standard errors allow for that" in told
    assert "too small" not in told
