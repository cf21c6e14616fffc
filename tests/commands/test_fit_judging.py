"""``distfit fit``: intervals, goodness of fit and correlations, as a person and a pipeline see them."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from tests.commands.conftest import Run
from tests.commands.test_fit import HORSEKICKS, records


@pytest.mark.slow
def test_profile_intervals(distfit: Run, tmp_path: Path) -> None:
    """Horse kicks: no upper end of the size, null in JSON, empty in CSV, ∞ for people; and again when shown."""
    model = tmp_path / "model.json"
    done = distfit("fit", HORSEKICKS, "-f", "nb", "--ci", "profile", "--format", "json", "--save", model)
    (fit,) = records(done.stdout)
    size = fit["parameters"]["size"]
    assert fit["ci"] == "profile"
    assert size["lower"] == pytest.approx(2.495, abs=5e-4)
    assert (size["upper"], size["std_error"], size["boundary"]) == (None, None, "upper")
    assert distfit("show", model, "--format", "json").stdout == done.stdout
    shown = distfit("show", model).stdout
    assert "profile interval" in shown
    assert re.search(r"size +∞ .*2\.49\d* … ∞", shown)


@pytest.mark.slow
def test_profile_intervals_as_csv(distfit: Run) -> None:
    done = distfit("fit", HORSEKICKS, "-f", "nb", "--ci", "profile", "--format", "csv")
    mean, size = csv.DictReader(io.StringIO(done.stdout))
    assert float(size["lower"]) == pytest.approx(2.495, abs=5e-4)
    assert size["upper"] == "inf"
    assert 0.0 < float(mean["lower"]) < 0.61 < float(mean["upper"])


@pytest.mark.slow
def test_bootstrap_intervals(distfit: Run) -> None:
    arguments = ["fit", HORSEKICKS, "-f", "poisson", "--ci", "bootstrap", "--replicates", 199, "--format", "json"]
    resampled, parametric = (
        records(distfit(*arguments, "--bootstrap", kind).stdout)[0] for kind in ("nonparametric", "parametric")
    )
    for fit in (resampled, parametric):
        rate = fit["parameters"]["rate"]
        assert fit["ci"] == "bootstrap"
        assert rate["lower"] < 0.61 < rate["upper"]
        assert rate["std_error"] == pytest.approx(math.sqrt(0.61 / 200), rel=0.25)
    assert resampled["parameters"] != parametric["parameters"]


def test_json_says_how_well_it_fits(distfit: Run) -> None:
    done = distfit("fit", HORSEKICKS, "-f", "zip", "--gof-replicates", 19, "--format", "json")
    (fit,) = records(done.stdout)
    codes = ["chi_square", "g_squared", "kolmogorov_smirnov", "cramer_von_mises", "anderson_darling"]
    assert [test["code"] for test in fit["goodness"]["tests"]] == codes
    assert all(0.05 <= test["p_value"] <= 1.0 for test in fit["goodness"]["tests"])
    assert sum(row["observed"] for row in fit["goodness"]["bins"]) == 200
    assert fit["goodness"]["bins"][-1]["high"] is None
    assert [test["code"] for test in fit["tests"]] == ["lr.poisson"]
    assert fit["correlation"]["pi"]["pi"] == pytest.approx(1.0)
    assert fit["correlation"]["pi"]["rate"] == pytest.approx(fit["correlation"]["rate"]["pi"])
    (plain,) = records(distfit("fit", HORSEKICKS, "-f", "zip", "--format", "json").stdout)
    assert plain["goodness"]["tests"][2]["p_value"] is None
    assert "--gof-replicates" in plain["goodness"]["tests"][2]["null"]


@pytest.mark.slow
def test_verbose_shows_the_correlations(distfit: Run) -> None:
    loud, plain = (distfit("fit", HORSEKICKS, "-f", "zip", "--restarts", 2, *more).stdout for more in (["-v"], []))
    assert "correlation" in loud
    assert "correlation" not in plain
    assert "Pearson X²" in plain


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ci", "likelihood"],
        ["--bootstrap", "smooth"],
        ["--ci", "bootstrap", "--replicates", "5"],
        ["--gof-replicates", "7"],
        ["--replicates", "99"],
        ["--ci", "profile", "--bootstrap", "parametric"],
        ["--learning-rate", "0.1"],
    ],
)
def test_bad_ways_to_judge_are_exit_2(distfit: Run, arguments: list[str]) -> None:
    done = distfit("fit", HORSEKICKS, "-f", "nb", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_table_of_groups_shows_the_intervals_asked_for_or_says_where_they_are(distfit: Run) -> None:
    arguments = ["fit", "sample_data/biochemists.csv", "--by", "gender", "-f", "nb", "-q"]
    profile = [*arguments, "--ci", "profile"]
    men, women = records(distfit(*profile, "--format", "json").stdout)
    wide = distfit(*profile, COLUMNS="120").stdout
    for found in (men, women):
        for e in found["parameters"].values():
            assert re.search(rf"{e['estimate']:#.5g} +{e['lower']:#.5g} … {e['upper']:#.5g}", wide)
    assert "95 % profile" in wide
    narrow = distfit(*profile, COLUMNS="80").stdout
    assert narrow.count("…") == wide.count("…"), "in a table below"
    assert "90 %" in distfit(*arguments, "--level", "0.9", COLUMNS="120").stdout
    assert "interval" not in distfit(*arguments, COLUMNS="120").stdout, "nobody asked for Wald's"


def test_parquet_by_the_ending_of_the_output(distfit: Run, tmp_path: Path) -> None:
    """Whatever the format; one row per fit and parameter, p-values adjusted over the fits."""
    out = tmp_path / "results.parquet"
    done = distfit("fit", "sample_data/biochemists.csv", "--family", "nb", "--by", "gender", "-o", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = parquet.read_table(out).to_pylist()
    assert [(row["gender"], row["parameter"]) for row in rows] == list(
        itertools.product(["men", "women"], ["mean", "size"])
    )
    smaller, larger = sorted({row["chi_square.p"] for row in rows})
    adjusted = {row["chi_square.p"]: row["chi_square.p_adjusted"] for row in rows}
    assert adjusted == pytest.approx({smaller: min(2 * smaller, larger), larger: larger})
