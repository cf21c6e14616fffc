"""The log-likelihood that is reported is that of the estimates that are shown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

FAULTS = Path(__file__).parent / "faults"


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
