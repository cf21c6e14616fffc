"""The table of docs/regression.md, computed anew: Zeileis, Kleiber and Jackman (2008), table 1."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.responses import default_restarts
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

COUNTS = "visits ~ hospital + C(health, contr.treatment('average')) + chronic + gender + school + insurance"
ZEROS = " | hospital + chronic + insurance + school + gender"
COLUMNS = [
    ("poisson", COUNTS, "model"),
    ("poisson", COUNTS, "hc0"),
    ("nb", COUNTS, "model"),
    ("hurdle(nb)", COUNTS + ZEROS, "model"),
    ("zinb", COUNTS + ZEROS, "model"),
]


@pytest.mark.slow
def test_the_documented_table_is_what_is_computed(repository: Path) -> None:
    frame = pd.read_csv(repository / "sample_data" / "nmes1988.csv")
    fits = [
        regress(frame, Request(formula, family, errors=errors), FitSettings(restarts=default_restarts(family)))
        for family, formula, errors in COLUMNS
    ]
    page = (repository / "docs" / "regression.md").read_text()
    rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in page.splitlines() if line.count("|") == 7}
    assert [float(cell) for cell in rows["log-likelihood"]] == [round(fit.log_likelihood, 1) for fit in fits]
    assert [int(cell) for cell in rows["parameters"]] == [fit.n_parameters for fit in fits]
    zeros = [round(fit.residuals.moments.zeros[1]) for fit in fits if fit.residuals is not None]
    assert [int(cell) for cell in rows["zeros expected (683 observed)"]] == zeros
    written = {name: [cell.strip() for cell in cells] for name, cells in rows.items() if "(0." in "".join(cells)}
    assert len(written) == 14
    for name, cells in written.items():
        assert cells == [_cell(fit, name) for fit in fits]


def _cell(fit: Regression, name: str) -> str:
    zero = name.startswith("zero part: ")
    for own in fit.predictors:
        if (own.head in ("pi", "p0")) == zero and own.head != "size":
            for c in own.coefficients:
                if own.label(c.name) == name.removeprefix("zero part: "):
                    return f"{c.estimate:.3f} ({c.std_error:.3f})"
    return ""
