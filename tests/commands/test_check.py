"""``distfit check`` end to end: a saved model on new data."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pytest
from scipy import stats

from tests.commands.conftest import ROOT, Run, assert_aligned
from tests.commands.test_fit import records

HORSEKICKS = "sample_data/horsekicks.csv"


@pytest.fixture(scope="module")
def models(distfit: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with kicks.json (poisson), gender.json (two nb), positive.json (zt(poisson)), same.csv and other.csv."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "positive.csv").write_text("deaths\n" + "1\n" * 65 + "2\n" * 22 + "3\n" * 3 + "4\n")
    for name, arguments in {
        "kicks": [HORSEKICKS, "-f", "poisson"],
        "gender": ["sample_data/biochemists.csv", "-f", "nb", "--by", "gender"],
        "positive": [folder / "positive.csv", "-f", "zt(poisson)"],
    }.items():
        assert distfit("fit", *arguments, "--save", folder / f"{name}.json").returncode == 0
    for name, rate, seed in (("same", 0.61, 1), ("other", 1.0, 2)):
        distfit("sample", "-f", "poisson", "-p", f"rate={rate}", "-n", 3000, "-s", seed, "-o", folder / f"{name}.csv")
    return folder


def test_report_for_people(distfit: Run, models: Path) -> None:
    done = distfit("check", models / "kicks.json", models / "other.csv")
    assert (done.returncode, done.stderr) == (0, ""), "a misfit is an answer, not an error"
    for said in [
        "poisson checked on",
        "3,000",
        "fitted to 200 of sample_data/horsekicks.csv, column deaths",
        "! The new data do not follow the model: X²",
        "standard errors above",
        "log score",
        "ranked probability",
        "Pearson X²",
        "┃",
        "PIT",
        "0.9–1.0",
        "quantile residuals",
        "randomised with seed 0",
    ]:
        assert said in done.stdout
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_a_pass(distfit: Run, models: Path) -> None:
    done = distfit("check", models / "kicks.json", models / "same.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "+ The new data look like the model." in done.stdout
    assert "! " not in done.stdout


def test_json_keeps_the_contract(distfit: Run, models: Path) -> None:
    done = distfit("check", models / "kicks.json", HORSEKICKS, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = records(done.stdout)
    assert found["schema"] == "distfit.check/1"
    assert (found["source"], found["column"], found["group"]) == (HORSEKICKS, "deaths", {})
    assert found["model"]["equivalent"] == {"family": "poisson", "parameters": {"rate": pytest.approx(0.61)}}
    assert found["data"]["n"] == 200
    # The log-likelihood of von Bortkiewicz's horse kicks at their mean 0.61, by scipy.
    assert found["log_score"] == pytest.approx(206.10672147175407 / 200)
    assert found["log_score_in_sample"] == found["log_score"]
    assert found["expected"]["prob_zero"] == pytest.approx(math.exp(-0.61))
    assert sum(row["height"] for row in found["pit"]) == pytest.approx(1.0)
    assert sum(row["observed"] for row in found["frequencies"]) == 200
    assert sum(row["expected"] for row in found["bins"]) == pytest.approx(200)
    # By scipy: the quantiles of Binomial(200, exp(-0.61)), where 95 % of the bars at 0 end.
    zero = found["frequencies"][0]
    assert (zero["lower"], zero["upper"]) == tuple(stats.binom(200, math.exp(-0.61)).ppf([0.025, 0.975]))
    assert found["residuals"]["n"] == 200
    assert found["residuals"]["seed"] == 0
    assert found["residuals"]["mean"]["upper"] == pytest.approx(1.959964 / 200**0.5, rel=1e-6)
    assert set(found["residuals"]) == {"n", "seed", "mean", "deviation", "share_beyond"}
    # Expected 108.67, 66.29, 20.22 and 4.82 from 3 on, which is below 5: three bins.
    assert found["chi_square"]["df"] == 2
    assert [verdict["code"] for verdict in found["verdicts"]] == ["check.same_data"]


@pytest.mark.slow
def test_an_infinite_score_is_null(distfit: Run, models: Path) -> None:
    (found,) = records(distfit("check", models / "positive.json", HORSEKICKS, "--format", "json").stdout)
    assert (found["log_score"], found["log_score_z"], found["outside_support"]) == (None, None, 109)
    assert found["verdicts"][0]["code"] == "check.outside_support"
    done = distfit("check", models / "positive.json", HORSEKICKS)
    assert done.returncode == 0
    assert "109 of 200" in done.stdout
    assert "∞" in done.stdout


@pytest.mark.slow
def test_groups_meet_their_own_fits(distfit: Run, models: Path, tmp_path: Path) -> None:
    done = distfit("check", models / "gender.json", "sample_data/biochemists.csv", "--by", "gender", "--format", "json")
    men, women = records(done.stdout)
    assert [(g["group"]["gender"], g["model"]["n"], g["data"]["n"]) for g in (men, women)] == [
        ("men", 494, 494),
        ("women", 421, 421),
    ]
    (tmp_path / "new.csv").write_text("articles,gender\n1,women\n0,unknown\n3,women\n")
    done = distfit("check", models / "gender.json", tmp_path / "new.csv", "--by", "gender", "--format", "json")
    assert done.returncode == 0
    assert [found["group"]["gender"] for found in records(done.stdout)] == ["women"]
    assert "no fit for" in done.stderr
    assert "unknown" in done.stderr
    assert distfit("check", models / "gender.json", tmp_path / "new.csv", "--by", "gender", "-q").stderr == ""


def test_many_checks_have_a_line_each(distfit: Run, models: Path) -> None:
    done = distfit("check", models / "kicks.json", models / "same.csv", models / "other.csv", HORSEKICKS)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "poisson: 3 checks"
    (same,) = [line for line in lines if "same.csv" in line]
    (other,) = [line for line in lines if "other.csv" in line]
    assert same.endswith("pass")
    assert "misfit, drift" in other


def test_csv_has_a_line_per_check(distfit: Run, models: Path) -> None:
    done = distfit("check", models / "gender.json", "sample_data/biochemists.csv", "--by", "gender", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["gender"] for row in rows] == ["men", "women"]
    assert float(rows[0]["log_score"]) == pytest.approx(912.353 / 494, abs=1e-5)
    assert rows[0]["verdicts"] == "check.same_data"
    # Of two tests (Benjamini and Hochberg 1995): the larger p as it is, the smaller doubled, but not above it.
    small, large = sorted(float(row["p_value"]) for row in rows)
    assert sorted(float(row["p_adjusted"]) for row in rows) == pytest.approx([min(2 * small, large), large])


@pytest.mark.slow
def test_weights_and_stdin(distfit: Run, models: Path) -> None:
    table = "deaths,corps\n0,109\n1,65\n2,22\n3,3\n4,1\n"
    arguments = ["check", models / "kicks.json", "-", "-c", "deaths", "--weights", "corps", "--format", "json"]
    (found,) = records(distfit(*arguments, input=table).stdout)
    (direct,) = records(distfit("check", models / "kicks.json", HORSEKICKS, "--format", "json").stdout)
    assert found == direct | {"source": "-"}


@pytest.mark.slow
def test_output_goes_to_a_file(distfit: Run, models: Path, tmp_path: Path) -> None:
    arguments = ["check", models / "kicks.json", models / "same.csv", "--format", "json"]
    done = distfit(*arguments, "-o", tmp_path / "check.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "check.json").read_text()) == json.loads(distfit(*arguments).stdout)


@pytest.mark.parametrize("width", ["40", "60"])
def test_narrow_terminal(distfit: Run, models: Path, width: str) -> None:
    done = distfit("check", models / "kicks.json", models / "other.csv", COLUMNS=width)
    assert done.returncode == 0
    assert max(len(line) for line in done.stdout.splitlines()) <= int(width)


def test_ascii_terminal(distfit: Run, models: Path) -> None:
    done = distfit(
        "check", models / "kicks.json", models / "other.csv", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C"
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "?" not in done.stdout
    assert "X^2" in done.stdout
    assert_aligned(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "input", "said"),
    [
        (["nothing.json", HORSEKICKS], None, ["cannot read nothing.json"]),
        ([HORSEKICKS, HORSEKICKS], None, ["is not JSON"]),
        (["kicks.json"], None, ["SOURCE"]),
        (["kicks.json", "nofile.csv"], None, ["nofile.csv"]),
        (["kicks.json", "-"], "y\n1\n-2\n", ["row 2", "-2 is negative"]),
        (["kicks.json", "-"], "y\nNA\n", ["only missing values"]),
        (["gender.json", "sample_data/biochemists.csv"], None, ["no fit for", "--by gender"]),
        (["gender.json", HORSEKICKS], None, ["no fit for"]),
        (["kicks.json", HORSEKICKS, "-o", "/nonexistent/out"], None, ["/nonexistent"]),
        (["kicks.json", HORSEKICKS, "--plot", "picture.xyz"], None, ["picture.xyz"]),
    ],
)
def test_bad_usage_and_bad_input_exit_2(
    distfit: Run, models: Path, arguments: list[str], input: str | None, said: list[str]
) -> None:
    named = [models / a if (models / a).exists() else ROOT / a if (ROOT / a).exists() else a for a in arguments]
    done = distfit("check", *named, input=input)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


@pytest.mark.slow
def test_one_picture_for_one_check(distfit: Run, models: Path, tmp_path: Path) -> None:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    done = distfit("check", models / "kicks.json", models / "other.csv", "--plot", tmp_path / "check.svg")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "check.svg").read_bytes().startswith(b"<svg")
    done = distfit("check", models / "kicks.json", models / "other.csv", HORSEKICKS, "--plot", tmp_path / "two.svg")
    assert done.returncode == 2
    assert "one check, not 2" in done.stderr
    assert not (tmp_path / "two.svg").exists()


@pytest.mark.parametrize(("new", "code"), [("other.csv", 3), ("same.csv", 0)])
def test_a_check_that_is_asked_to_fail_fails(distfit: Run, models: Path, new: str, code: int) -> None:
    done = distfit("check", models / "kicks.json", models / new, "--fail")
    assert done.returncode == code, done.stdout
    assert done.stdout == distfit("check", models / "kicks.json", models / new).stdout, "printed all the same"


def test_its_own_data_fail_nothing(distfit: Run, models: Path) -> None:
    assert distfit("check", models / "kicks.json", HORSEKICKS, "--fail").returncode == 0


def test_a_check_of_a_regression_that_is_asked_to_fail(distfit: Run, tmp_path: Path) -> None:
    rows = (ROOT / "sample_data" / "biochemists.csv").read_text().splitlines()
    assert distfit("regress", "sample_data/biochemists.csv", "articles ~ gender", "--save", tmp_path / "m.json").stdout
    shifted = [rows[0], *(f"{int(y) + 1},{who}" for y, who in (row.split(",") for row in rows[1:]))]
    (tmp_path / "shifted.csv").write_text("\n".join(shifted) + "\n")
    assert distfit("check", tmp_path / "m.json", tmp_path / "shifted.csv", "--fail").returncode == 3
    assert distfit("check", tmp_path / "m.json", tmp_path / "shifted.csv").returncode == 0
