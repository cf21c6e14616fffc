"""R's own functions and their best known answers: glm, MASS::glm.nb, pscl::zeroinfl and hurdle, on published data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from distfit_counts.families.spec import parse as parse_family
from distfit_counts.regression.design import design
from distfit_counts.regression.formula import parse
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.solve import Solution, solve
from distfit_counts.settings import FitSettings

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference answers are not beside the checkout")
ANSWERS = json.loads((REFERENCE / "regression.json").read_text()) if REFERENCE.is_dir() else {}
LEVELS = json.loads((REFERENCE / "regression_levels.json").read_text()) if REFERENCE.is_dir() else {}
SPECS = {"hurdle_poisson": "hurdle(poisson)", "hurdle_nb": "hurdle(nb)"}
CASES = [(data, family) for data, answers in ANSWERS.items() for family in answers["families"]]


def coded(terms: str, data: str) -> str:
    levels = LEVELS.get(data.split("_")[0], {})
    names = [name.strip() for name in terms.split("+")]
    return " + ".join(f"C({n}, contr.treatment({levels[n]['reference']!r}))" if n in levels else n for n in names)


@cache
def solved(data: str, family: str) -> Solution:
    answers: dict[str, Any] = ANSWERS[data]
    frame = pd.read_csv(REFERENCE / answers["data"])
    if data == "ShipAccidents":
        frame = frame[frame["service"] > 0]
    spec = SPECS.get(family, family)
    model = CountModel.of(parse_family(spec))
    response, terms = answers["formula"].split(" ~ ")
    text = f"{response} ~ {coded(terms, data)}"
    if family not in ("poisson", "nb"):
        text += f" | {coded(answers['zero_formula'], data)}"
    made = design(parse(text, model.heads, spec), frame, model.heads, offset=answers["offset"])
    return solve(Problem.of(model, made), FitSettings())


@pytest.mark.parametrize(("data", "family"), CASES)
def test_the_log_likelihood_is_no_lower_than_the_best_known(data: str, family: str) -> None:
    found = solved(data, family)
    assert found.converged
    assert found.log_likelihood == pytest.approx(ANSWERS[data]["families"][family]["loglik"], abs=1e-6)
