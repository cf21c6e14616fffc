"""What lies beyond a table is a tail probability: neither a difference nor a number that cannot be drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from typer.testing import CliRunner

from distfit_counts.cli import app
from distfit_counts.regression.natural import Categorical
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.result import Regression
from distfit_counts.report.regression_record import regression_record
from distfit_counts.settings import FitSettings

FAULTS = Path(__file__).parent / "faults"
RUNNER = CliRunner()


def with_outlier(seed: int, zeros: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 60))
    x = rng.normal(size=n)
    y = rng.poisson(np.exp(rng.normal(0.0, 0.5) + 0.4 * x)) * (rng.random(n) > 0.3 * zeros)
    y[rng.integers(n)] = int(rng.integers(31, 400))
    return pd.DataFrame({"y": y, "x": x})


def listed(found: Regression) -> np.ndarray:
    assert isinstance(found.residuals, Residuals)
    expected = found.residuals.expected
    assert (expected >= 0.0).all()
    assert expected.sum() == pytest.approx(found.n, rel=1e-9)
    assert "≥30" in found.summary()
    rows = regression_record(found)["residuals"]["frequencies"]
    assert min(row["expected"] for row in rows) >= 0.0
    return expected


@pytest.mark.parametrize("seed", range(12))
def test_the_tail_beyond_an_outlier_of_a_poisson(seed: int) -> None:
    """1 - sum was -7e-15 in 30 of 100 such samples, and its root complex."""
    found = regress(with_outlier(seed, False), Request("y ~ x", "poisson"), FitSettings(restarts=1))
    expected = listed(found)
    assert isinstance(found.residuals, Residuals)
    rate = np.exp(found.residuals.eta["rate"])
    assert expected[-1] == pytest.approx(scipy.stats.poisson.sf(29, rate).sum(), rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["poisson", "zip", "hurdle(poisson)"])
def test_a_hundred_samples_with_an_outlier(family: str) -> None:
    for seed in range(100):
        frame = with_outlier(seed, family != "poisson")
        listed(regress(frame, Request("y ~ x", family), FitSettings(restarts=1)))


def test_the_outlier_that_could_not_be_tabulated() -> None:
    found = RUNNER.invoke(app, ["regress", str(FAULTS / "table_crash_outlier.csv"), "y ~ x", "--format", "json"])
    assert found.exit_code == 0
    rows = json.loads(found.stdout)["residuals"]["frequencies"]
    assert rows[-1]["expected"] == pytest.approx(1.0974e-17, rel=1e-3)
    assert RUNNER.invoke(app, ["regress", str(FAULTS / "table_crash_outlier.csv"), "y ~ x"]).exit_code == 0


@pytest.mark.parametrize("family", ["poisson", "nb", "hurdle(nb)", "geometric", "2*poisson"])
def test_rows_whose_mean_is_infinite(family: str, tmp_path: Path) -> None:
    """check and plot ended in a traceback: the predictor of a row is 904."""
    model, new = str(tmp_path / "model.json"), str(FAULTS / "check_crash_new.csv")
    fitted = RUNNER.invoke(
        app, ["regress", str(FAULTS / "check_crash_fit.csv"), "y ~ x", "-f", family, "--save", model]
    )
    assert fitted.exit_code == 0
    checked = RUNNER.invoke(app, ["check", model, new])
    assert checked.exit_code == 0
    assert "∞" in checked.stdout
    told = json.loads(RUNNER.invoke(app, ["check", model, new, "--format", "json"]).stdout)
    assert sum(row["expected"] for row in told["frequencies"]) == pytest.approx(3.0, rel=1e-9)
    drawn = RUNNER.invoke(app, ["plot", model, new, "-o", str(tmp_path / "picture.html")])
    assert drawn.exit_code == 0, drawn.output


def test_a_rare_reference_level_has_a_probability_of_its_own() -> None:
    """1 - sum of the others was below 0."""
    rng = np.random.default_rng(1)
    shares = Categorical(("a", "b", "c", "d"))
    import torch

    found = shares.shares(torch.from_numpy(rng.uniform(20.0, 60.0, (3, 1000)))).numpy()
    assert (found > 0.0).all()
    assert found.sum(axis=0) == pytest.approx(1.0)
