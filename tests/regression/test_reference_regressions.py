"""R's own functions and their best known answers: glm, MASS::glm.nb, pscl::zeroinfl and hurdle, on published data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.responses import default_restarts
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = json.loads((ROOT / "tests" / "reference" / "regression.json").read_text())
SPECS = {"hurdle_poisson": "hurdle(poisson)", "hurdle_nb": "hurdle(nb)"}
CASES = [
    pytest.param(data, family, marks=[pytest.mark.slow] if "zinb" in family and "NMES" in data else [])
    for data, answers in ANSWERS.items()
    for family in answers["families"]
]
INTERIOR = [case for case in CASES if ANSWERS[case.values[0]]["families"][case.values[1]]["flags"] == ["interior"]]
RUNAWAY = [
    case for case in CASES if "infinity" in " ".join(ANSWERS[case.values[0]]["families"][case.values[1]]["flags"])
]


def coded(terms: str, levels: dict[str, str]) -> str:
    names = [name.strip() for name in terms.split("+")]
    return " + ".join(f"C({n}, contr.treatment({levels[n]!r}))" if n in levels else n for n in names)


def frame_of(data: str) -> pd.DataFrame:
    name = data.split("_")[0]
    folder = ROOT / "sample_data" if name == "NMES1988" else ROOT / "tests" / "reference" / "regression"
    frame = pd.read_csv(folder / f"{name.lower() if name == 'NMES1988' else name}.csv")
    return frame[frame["service"] > 0] if name == "ShipAccidents" else frame


@cache
def fitted(data: str, family: str) -> Regression:
    answers: dict[str, Any] = ANSWERS[data]
    spec = SPECS.get(family, family)
    response, terms = answers["formula"].split(" ~ ")
    text = f"{response} ~ {coded(terms, answers['levels'])}"
    if family not in ("poisson", "nb"):
        text += f" | {coded(answers['zero_formula'], answers['levels'])}"
    request = Request(text, spec, offset=answers["offset"])
    return regress(frame_of(data), request, FitSettings(restarts=default_restarts(spec)))


def plain(name: str) -> str:
    """``healthpoor``, as R says it, for ``C(health, contr.treatment('average'))[T.poor]``."""
    if name == "Intercept":
        return "(Intercept)"
    factor, _, level = name.partition("[T.")
    return factor.removeprefix("C(").partition(",")[0].rstrip(")") + level.rstrip("]")


@pytest.mark.parametrize(("data", "family"), CASES)
def test_the_log_likelihood_is_that_of_the_best_known_answer(data: str, family: str) -> None:
    found = fitted(data, family)
    assert found.converged
    assert found.log_likelihood == pytest.approx(ANSWERS[data]["families"][family]["loglik"], abs=1e-6)
    assert found.n_parameters == ANSWERS[data]["families"][family]["df"]


@pytest.mark.parametrize(("data", "family"), INTERIOR)
def test_coefficients_and_standard_errors_are_those_of_r(data: str, family: str) -> None:
    answer = ANSWERS[data]["families"][family]
    for own in fitted(data, family).predictors:
        if own.head == "size":
            assert own.natural is not None
            assert own.natural[0] == pytest.approx(answer["theta"], rel=1e-4)
            assert own.coefficients[0].std_error == pytest.approx(answer["se_log_theta"], rel=1e-4)
            continue
        part = "zero" if own.head in ("pi", "p0") else "count"
        # R's hurdle models P(Y > 0), this one P(Y = 0).
        sign = -1.0 if own.head == "p0" else 1.0
        for c in own.coefficients:
            error = answer[f"se_{part}"][plain(c.name)]
            estimate = sign * answer[f"coef_{part}"][plain(c.name)]
            assert c.std_error == pytest.approx(error, rel=1e-4)
            # Relative to the coefficient, or where that is nearly 0 to what its error resolves.
            assert c.estimate == pytest.approx(estimate, rel=1e-4, abs=1e-5 * error)


@pytest.mark.parametrize(("data", "family"), RUNAWAY)
def test_what_runs_to_infinity_is_named_and_has_no_standard_error(data: str, family: str) -> None:
    found = fitted(data, family)
    codes = {verdict.code for verdict in found.verdicts}
    flags = " ".join(ANSWERS[data]["families"][family]["flags"])
    if "size->infinity" in flags:
        assert "nb.poisson_limit" in codes
        assert found.fixed["size"] == np.inf
    if "zero part" in flags:
        assert "terms.separation" in codes
        lost = [c for own in found.predictors for c in own.coefficients if c.note in ("lower", "upper")]
        assert lost
        assert all(np.isnan(c.std_error) for c in lost)
