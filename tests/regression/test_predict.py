"""Predictions: against scipy and brute force, and the same from a saved model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from distfit_counts.errors import DataError, DistfitError
from distfit_counts.regression.model import Model
from distfit_counts.regression.model_file import load_whole, save
from distfit_counts.regression.predict import Wanted, predict
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

RNG = np.random.default_rng(3)
N = 300
TERMS = "y ~ poly(x, 2) + C(group, contr.treatment('b')) + np.exp(z) | x"


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    x, z = RNG.normal(size=N), RNG.uniform(size=N)
    y = RNG.negative_binomial(1.5, 0.3, N) * (RNG.random(N) > 0.3)
    group = RNG.choice(["a", "b", "c"], N)
    return pd.DataFrame({"y": y, "x": x, "z": z, "group": group, "years": RNG.uniform(1, 3, N)})


@pytest.fixture(scope="module")
def fitted(made: pd.DataFrame) -> Regression:
    return regress(made, Request(TERMS, "zinb", exposure="years"), FitSettings(restarts=2))


def predicted(model: Model, frame: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    blocks = iter([frame.iloc[:100], frame.iloc[100:]])
    parts = [pd.DataFrame(block) for block in predict(model, blocks, Wanted(**wanted)) if len(block["row"])]
    return pd.concat(parts, ignore_index=True)


def test_means_probabilities_and_quantiles_are_those_of_the_rows_own_distribution(
    made: pd.DataFrame, fitted: Regression
) -> None:
    model = Model.of(fitted)
    found = predicted(model, made, pmf=(0, 1, 5), quantiles=(0.05, 0.5, 0.95))
    (etas, _) = model.predictors(made, np.arange(N))
    natural = model.rows.natural(etas)  # type: ignore[attr-defined]
    pi, mean, size = natural["pi"], natural["mean"], natural["size"]
    nb = scipy.stats.nbinom(size, size / (size + mean))
    assert found["mean"].to_numpy() == pytest.approx((1 - pi) * mean)
    assert found["prob_zero"].to_numpy() == pytest.approx(pi + (1 - pi) * nb.pmf(0))
    assert found["pmf_5"].to_numpy() == pytest.approx((1 - pi) * nb.pmf(5))
    for q in (0.05, 0.5, 0.95):
        count = found[f"quantile_{q:g}"].to_numpy()
        assert (pi + (1 - pi) * nb.cdf(count) >= q - 1e-12).all()
        assert ((count == 0) | (pi + (1 - pi) * nb.cdf(count - 1) < q)).all()


def test_a_saved_model_predicts_the_same(made: pd.DataFrame, fitted: Regression, tmp_path: Path) -> None:
    """The state of poly() and the levels travel in the file: three rows alone are coded as among all."""
    save(tmp_path / "m.json", fitted)
    again = load_whole(tmp_path / "m.json").model
    few = made.iloc[[5, 17, 200]].reset_index(drop=True)
    whole = predicted(Model.of(fitted), made, interval=True)
    part = predicted(again, few, interval=True)
    for name in ("mean", "mean_lower", "mean_upper", "prob_zero"):
        assert part[name].to_numpy() == pytest.approx(whole[name].to_numpy()[[5, 17, 200]], rel=1e-12)


def test_the_interval_of_a_mean_is_that_of_r(repository: Path) -> None:
    """predict(glm(art ~ fem + ment, poisson), se.fit = TRUE): exp(fit -+ 1.96 se), by the matrix formula."""
    frame = pd.read_csv(repository / "tests" / "reference" / "regression" / "bioChemists.csv")
    fit = regress(frame, Request("art ~ fem + ment", "poisson"), FitSettings(restarts=1))
    found = predicted(Model.of(fit), frame, interval=True)
    x = np.column_stack([np.ones(len(frame)), frame["fem"] == "Women", frame["ment"]]).astype(float)
    mean = found["mean"].to_numpy()
    se = np.sqrt(np.diag(x @ np.linalg.inv(x.T @ (x * mean[:, None])) @ x.T))
    assert found["mean_upper"].to_numpy() == pytest.approx(mean * np.exp(1.959963984540054 * se))


def test_rows_with_missing_values_keep_their_place(made: pd.DataFrame, fitted: Regression) -> None:
    holed = made.copy()
    holed.loc[150, "x"] = np.nan
    found = predicted(Model.of(fitted), holed)
    assert found["row"].tolist() == list(range(1, N + 1))
    assert found["mean"].isna().tolist() == [i == 150 for i in range(N)]


def test_an_unseen_level_is_named_with_its_row(made: pd.DataFrame, fitted: Regression) -> None:
    strange = made.copy()
    strange.loc[120, "group"] = "d"
    with pytest.raises(DataError, match=r"row 121.*'d'"):
        predicted(Model.of(fitted), strange)


def test_probabilities_of_levels_add_up(made: pd.DataFrame) -> None:
    model = Model.of(regress(made, Request("group ~ x", "categorical"), FitSettings(restarts=1)))
    found = predicted(model, made)
    assert found[["prob_a", "prob_b", "prob_c"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    # The score equation of an intercept: means of the probabilities are the shares.
    assert found["prob_b"].mean() == pytest.approx((made["group"] == "b").mean(), abs=1e-8)
    with pytest.raises(DistfitError, match="no counts"):
        predicted(model, made, pmf=(1,))


def test_a_damaged_model_is_refused(fitted: Regression, tmp_path: Path) -> None:
    save(tmp_path / "m.json", fitted)
    record = json.loads((tmp_path / "m.json").read_text())
    record["model"]["predictors"][0]["terms"]["text"] = "__import__('os').system('true')"
    (tmp_path / "evil.json").write_text(json.dumps(record))
    with pytest.raises(DistfitError):
        load_whole(tmp_path / "evil.json")
    del record["model"]["covariance"]
    (tmp_path / "short.json").write_text(json.dumps(record | {"model": {}}))
    with pytest.raises(DistfitError, match="damaged"):
        load_whole(tmp_path / "short.json")


def test_a_normal_response_has_the_quantiles_of_its_residual_variance(made: pd.DataFrame) -> None:
    fit = regress(made, Request("z ~ x", "gaussian"), FitSettings(restarts=1))
    found = predicted(Model.of(fit), made, quantiles=(0.05, 0.5), interval=True)
    assert fit.variance is not None
    expected = scipy.stats.norm(found["mean"], fit.variance**0.5).ppf(0.05)
    assert found["quantile_0.05"].to_numpy() == pytest.approx(expected)
    assert found["quantile_0.5"].to_numpy() == pytest.approx(found["mean"].to_numpy())
    assert (found["mean_lower"] < found["mean"]).all()


def test_a_two_level_response_has_quantiles_of_0_and_1(made: pd.DataFrame) -> None:
    frame = made.assign(some=(made["y"] > 0).astype(int))
    fit = regress(frame, Request("some ~ x", "bernoulli"), FitSettings(restarts=1))
    found = predicted(Model.of(fit), frame, quantiles=(0.3, 0.7))
    expected = scipy.stats.bernoulli(found["mean"]).ppf(0.3)
    assert found["quantile_0.3"].tolist() == expected.tolist()
