"""Levels with nothing but zeros: judged by their rows, named and predicted alike whatever codes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from distfit_counts import regress
from distfit_counts.regression.result import Regression

CODINGS = ["g", "0 + g", "C(g, contr.sum)", "C(g, contr.treatment('c'))", "C(g, contr.helmert)"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame({"y": [3, 4, 2, 1, 2, 5, 0, 0, 0, 0, 2], "g": list("aaabbbcccab")})


def messages(fit: Regression, code: str) -> list[str]:
    return [verdict.message for verdict in fit.verdicts if verdict.code == code]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("family", ["poisson", "nb"])
def test_the_level_is_named_and_its_mean_is_0_in_every_coding(frame: pd.DataFrame, family: str, coding: str) -> None:
    """Of a: the mean 9/4 of its counts, with standard error 1/sqrt(9) of its logarithm under the Poisson."""
    fit = regress(frame, f"y ~ {coding}", family)
    (said,) = messages(fit, "terms.only_zeros")
    assert "level c of g has only zeros" in said
    assert not messages(fit, "terms.separation")
    found = fit.predict(pd.DataFrame({"g": ["a", "b", "c"]}), pmf=[0, 1], quantiles=[0.5, 0.999], interval=True)
    assert found["mean"].to_numpy() == pytest.approx([9 / 4, 10 / 4, 0.0], rel=1e-6)
    assert found.loc[2, ["mean", "prob_zero", "pmf_0", "pmf_1", "quantile_0.5", "quantile_0.999"]].tolist() == [
        0, 1, 1, 0, 0, 0,
    ]  # fmt: skip
    assert found["mean_lower"].isna().tolist() == [False, False, True]
    if fit.reduced == "poisson":
        assert found["mean_upper"][0] == pytest.approx(9 / 4 * np.exp(1.959963984540054 / 3.0), rel=1e-4)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_hurdles_positive_part_says_nothing_of_a_level_without_positive_counts(
    frame: pd.DataFrame, coding: str
) -> None:
    fit = regress(frame, f"y ~ {coding}", "hurdle(poisson)")
    notes = {c.name: c.note for c in fit.coefficients["rate"].values()}
    assert set(notes.values()) <= {"", "not identified"}
    assert "not identified" in notes.values()
    assert any("level c of g" in said for said in messages(fit, "terms.not_identified"))
    assert any(said.startswith("p0: level c of g has only zeros") for said in messages(fit, "terms.only_zeros"))
    found = fit.predict(pd.DataFrame({"g": ["a", "b", "c"]}))
    assert found["mean"].to_numpy() == pytest.approx([9 / 4, 10 / 4, 0.0], rel=1e-6)
    assert "–" in fit.summary()
    lost = [c for c in fit.coefficients["rate"].values() if c.note]
    assert all(np.isnan(c.estimate) for c in lost)


def test_what_is_not_known_is_not_predicted(frame: pd.DataFrame) -> None:
    """The zeros do not depend on g: of c then P(Y = 0) = 4/11 is known, and the rest of its distribution is not."""
    found = regress(frame, "y ~ g | 1", "hurdle(poisson)").predict(
        pd.DataFrame({"g": ["c"]}), pmf=[0, 1], quantiles=[0.3, 0.9]
    )
    assert found["prob_zero"][0] == pytest.approx(4 / 11)
    assert found["quantile_0.3"][0] == 0.0
    assert found[["mean", "pmf_1", "quantile_0.9"]].isna().all(axis=None)


def test_an_empty_cell_of_two_factors_is_named() -> None:
    frame = pd.DataFrame({"g": list("aabbaabb"), "h": list("xyxyxyxy"), "y": [1, 2, 3, 0, 4, 1, 2, 0]})
    (said,) = messages(regress(frame, "y ~ g * h"), "terms.only_zeros")
    assert "b, y of g, h has only zeros" in said


def test_a_separation_beside_an_empty_level_is_told_apart(frame: pd.DataFrame) -> None:
    extra = pd.DataFrame({"y": [0, 0, 3, 2], "g": list("abab"), "x": [1, 1, 0, 0]})
    both = pd.concat([frame.assign(x=0), extra], ignore_index=True)
    fit = regress(both, "y ~ g + x")
    assert "level c of g" in messages(fit, "terms.only_zeros")[0]
    (said,) = messages(fit, "terms.separation")
    assert "x (-∞)" in said
    assert "g[T.c]" not in said


def test_of_a_two_level_response_the_level_is_named() -> None:
    frame = pd.DataFrame({"kind": ["no", "yes", "no", "yes", "yes", "no", "no", "no"], "g": list("aaabbbcc")})
    fit = regress(frame, "kind ~ g", "bernoulli")
    (said,) = messages(fit, "terms.separation")
    assert "level c of g has only no" in said
    assert "count" not in said
    assert fit.predict(pd.DataFrame({"g": ["c"]}))["mean"][0] == 0.0


def test_a_saved_model_knows_what_runs_on(frame: pd.DataFrame, tmp_path: object) -> None:
    from pathlib import Path

    from distfit_counts.regression.model_file import load_whole
    from distfit_counts.regression.predict import Wanted, predict

    path = Path(str(tmp_path)) / "m.json"
    regress(frame, "y ~ C(g, contr.sum)").save(path)
    (found,) = predict(load_whole(path).model, iter([pd.DataFrame({"g": ["a", "c"]})]), Wanted(interval=True))
    assert found["mean"] == pytest.approx([9 / 4, 0.0], rel=1e-6)
    assert np.isfinite(found["mean_upper"]).tolist() == [True, False]


def test_a_component_of_zeros_is_no_separation() -> None:
    """Four zeros in ten beside counts near 20: the Poisson's rate runs to 0 in every row."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    y = np.where(rng.random(400) < 0.4, 0, rng.negative_binomial(20, 20 / (20 + np.exp(3.0 + 0.3 * x))))
    fit = regress(pd.DataFrame({"x": x, "y": y}), "y ~ x", "poisson+nb")
    (said,) = messages(fit, "terms.only_zeros")
    assert said.startswith("rate[1] runs to 0 in every row")
    assert "zinb" in said
    assert not messages(fit, "terms.separation")
