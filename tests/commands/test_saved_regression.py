"""``show``, ``check``, ``plot`` and ``sample`` of what ``distfit regress --save`` wrote."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.commands.conftest import Run

FORMULA = "y ~ x + g"
NETWORK = ["--hidden", "3", "--epochs", "2"]


@pytest.fixture(scope="module")
def folder(distfit: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """old.csv, and more rows of its kind in new.csv; poisson.json, zip.json and network.json, fitted to old.csv."""
    made = tmp_path_factory.mktemp("regressions")
    rng = np.random.default_rng(3)
    for name, n in (("old", 400), ("new", 300)):
        x, g = rng.normal(size=n), rng.integers(0, 2, n)
        y = rng.poisson(np.exp(0.4 + 0.5 * x + 0.3 * g))
        lines = [f"{a},{b:.4f},{'uv'[c]}" for a, b, c in zip(y, x, g, strict=True)]
        (made / f"{name}.csv").write_text("y,x,g\n" + "\n".join(lines) + "\n")
    for name, options in {
        "poisson": ["-f", "poisson", "--likelihood-ratios"],
        "zip": ["-f", "zip", "--restarts", "2"],
        "network": ["-f", "nb", *NETWORK],
    }.items():
        done = distfit("regress", "old.csv", FORMULA, *options, "--save", f"{name}.json", cwd=made)
        (made / f"{name}.txt").write_text(done.stdout)
        assert (done.returncode, done.stderr) == (0, "")
    return made


@pytest.mark.parametrize("name", ["poisson", "zip", "network"])
def test_show_prints_what_regress_printed(distfit: Run, folder: Path, name: str) -> None:
    options = {"poisson": ["--likelihood-ratios"], "zip": ["-f", "zip", "--restarts", "2"]}.get(name)
    assert distfit("show", f"{name}.json", cwd=folder).stdout == (folder / f"{name}.txt").read_text()
    for more in (["--format", "json"], ["--format", "csv"], ["-v"]):
        again = ["regress", "old.csv", FORMULA, *(options or ["-f", "nb", *NETWORK]), *more]
        assert distfit("show", f"{name}.json", *more, cwd=folder).stdout == distfit(*again, cwd=folder).stdout


def test_show_keeps_what_is_infinite(distfit: Run, tmp_path: Path) -> None:
    """A level with only zeros, counts without overdispersion, and a null hypothesis that is none."""
    (tmp_path / "a.csv").write_text("y,g\n" + "0,a\n" * 9 + "1,b\n2,b\n1,b\n2,c\n1,c\n3,c\n")
    done = distfit("regress", "a.csv", "y ~ g", "-f", "nb", "--save", "m.json", cwd=tmp_path)
    assert "∞" in done.stdout
    assert distfit("show", "m.json", cwd=tmp_path).stdout == done.stdout


def test_check_scores_new_rows(distfit: Run, folder: Path) -> None:
    """Against scipy, from the coefficients as saved."""
    found = json.loads(distfit("check", "poisson.json", "new.csv", "--format", "json", cwd=folder).stdout)
    own = json.loads((folder / "poisson.json").read_text())["regression"]["predictors"]["rate"]["coefficients"]
    b = {name: c["estimate"] for name, c in own.items()}
    rows = list(csv.DictReader(io.StringIO((folder / "new.csv").read_text())))
    y = np.array([int(row["y"]) for row in rows])
    rate = np.exp([b["Intercept"] + b["x"] * float(r["x"]) + b["g[T.v]"] * (r["g"] == "v") for r in rows])
    assert found["schema"] == "distfit.regression_check/1"
    assert found["log_score"] == pytest.approx(-stats.poisson.logpmf(y, rate).mean(), rel=1e-10)
    assert (found["chi_square"], found["df"]) == (pytest.approx(((y - rate) ** 2 / rate).sum()), 300)
    assert found["zeros"] == {"observed": (y == 0).sum(), "expected": pytest.approx(np.exp(-rate).sum())}
    assert found["mean"] == {"observed": pytest.approx(y.mean()), "expected": pytest.approx(rate.mean())}
    assert sum(bar["height"] for bar in found["pit"]) == pytest.approx(1.0)
    assert found["residuals"]["n"] == 300
    assert [verdict["code"] for verdict in found["verdicts"]] == ["check.pass"]


def test_check_says_what_is_wrong(distfit: Run, folder: Path, tmp_path: Path) -> None:
    rows = (folder / "new.csv").read_text().splitlines()
    changed = [rows[0], *(f"{3 * int(y) + 2},{rest}" for y, _, rest in (row.partition(",") for row in rows[1:]))]
    (tmp_path / "other.csv").write_text("\n".join(changed) + "\n1,NA,u\n")
    done = distfit("check", folder / "poisson.json", tmp_path / "other.csv", COLUMNS="300")
    assert (done.returncode, done.stderr) == (0, ""), "a misfit is an answer, not an error"
    for said in (
        "300 rows, 1 left out",
        "higher than predicted",
        "scatter more than",
        "fewer zeros",
        "PIT",
        "on 300 df",
    ):
        assert said in done.stdout, said
    line = next(
        csv.DictReader(io.StringIO(distfit("check", "zip.json", "old.csv", "--format", "csv", cwd=folder).stdout))
    )
    assert line["verdicts"] == "check.same_data"
    assert float(line["log_score"]) == pytest.approx(float(line["log_score_in_sample"]), rel=1e-12)


def test_check_of_a_network(distfit: Run, folder: Path) -> None:
    found = json.loads(distfit("check", "network.json", "new.csv", "--format", "json", cwd=folder).stdout)
    predicted = distfit("predict", "network.json", "new.csv", "--pmf", "0", cwd=folder).stdout
    zeros = sum(float(row["pmf_0"]) for row in csv.DictReader(io.StringIO(predicted)))
    assert found["zeros"]["expected"] == pytest.approx(zeros)
    assert found["model"]["family"] == "nb network"


def test_a_count_that_the_model_cannot_produce(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,x\n1,1\n2,2\n1,3\n3,4\n1,5\n2,6\n")
    (tmp_path / "b.csv").write_text("y,x\n0,1\n2,2\n")
    distfit("regress", "a.csv", "y ~ x", "-f", "zt(poisson)", "--save", "m.json", cwd=tmp_path)
    found = json.loads(distfit("check", "m.json", "b.csv", "--format", "json", cwd=tmp_path).stdout)
    assert (found["log_score"], found["outside_support"]) == (None, 1)
    assert found["verdicts"][0]["code"] == "check.outside_support"


def test_a_weight_counts_a_row_so_many_times(distfit: Run, folder: Path, tmp_path: Path) -> None:
    head, *rows = (folder / "new.csv").read_text().splitlines()
    (tmp_path / "w.csv").write_text("\n".join([f"{head},w", *(f"{row},{1 + i % 3}" for i, row in enumerate(rows))]))
    (tmp_path / "long.csv").write_text(
        "\n".join([head, *(row for i, row in enumerate(rows) for _ in range(1 + i % 3))])
    )
    model = folder / "poisson.json"
    weighted = json.loads(distfit("check", model, tmp_path / "w.csv", "--weights", "w", "--format", "json").stdout)
    repeated = json.loads(distfit("check", model, tmp_path / "long.csv", "--format", "json").stdout)
    for name in ("log_score", "dispersion", "df"):
        assert weighted[name] == pytest.approx(repeated[name])
    assert weighted["zeros"] == pytest.approx(repeated["zeros"])


@pytest.mark.slow
def test_pictures_of_new_rows(distfit: Run, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    arguments = ["plot", folder / "poisson.json", folder / "new.csv", "-o", tmp_path / "p.svg"]
    assert (done := distfit(*arguments)).returncode == 0, done.stderr
    text = (tmp_path / "p.svg").read_text()
    assert "poisson with covariates follows the counts" in text
    assert "here on" in text
    assert distfit("plot", folder / "network.json", "-o", tmp_path / "n.svg").returncode == 0
    assert "Training" in (tmp_path / "n.svg").read_text()
    assert distfit("check", *arguments[1:3], "--plot", tmp_path / "c.svg").returncode == 0
    assert (tmp_path / "c.svg").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample", "--model", "poisson.json", "-n", "3"], "needs the covariates of rows: distfit predict"),
        (["plot", "poisson.json", "-o", "x.png"], "keeps no rows to draw"),
        (["plot", "poisson.json", "new.csv", "--kind", "pit", "-o", "x.png"], "--kind does nothing with a regression"),
        (["check", "poisson.json", "new.csv", "--by", "g"], "--by does nothing with a regression"),
        (["check", "poisson.json", "new.csv", "--weights", "w"], 'no column "w"'),
        (["check", "poisson.json", "broken.json"], "broken.json"),
        (["show", "broken.json"], "is damaged"),
        (["predict", "broken.json", "new.csv"], "is damaged"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(distfit: Run, folder: Path, arguments: list[str], said: str) -> None:
    (folder / "broken.json").write_text('{"schema": "distfit.regression_model/2", "model": {}}')
    done = distfit(*arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("options", [["-f", "gaussian"], ["-f", "gaussian", *NETWORK]], ids=["linear", "network"])
def test_normal_responses_are_scored_with_their_variance(
    distfit: Run, folder: Path, tmp_path: Path, options: list[str]
) -> None:
    """By scipy, at the means that distfit predict gives."""
    model = tmp_path / "m.json"
    shown = distfit("regress", "old.csv", "x ~ g + y", *options, "--save", model, cwd=folder).stdout
    assert distfit("show", model, cwd=folder).stdout == shown
    found = json.loads(distfit("check", model, "new.csv", "--format", "json", cwd=folder).stdout)
    own = json.loads(model.read_text())
    variance = own["model"].get("variance") or own["model"]["network"]["model"]["variance"]
    predicted = csv.DictReader(io.StringIO(distfit("predict", model, "new.csv", cwd=folder).stdout))
    rows = csv.DictReader(io.StringIO((folder / "new.csv").read_text()))
    left = np.array([float(row["x"]) - float(at["mean"]) for row, at in zip(rows, predicted, strict=True)])
    assert found["log_score"] == pytest.approx(-stats.norm.logpdf(left, 0.0, math.sqrt(variance)).mean())
    assert found["residuals"]["mean"]["value"] == pytest.approx(left.mean() / math.sqrt(variance))
    assert found["zeros"] is None
    assert "PIT" in distfit("check", model, "new.csv", cwd=folder).stdout


def test_levels_are_scored_by_their_probabilities(distfit: Run, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.json"
    distfit("regress", "old.csv", "g ~ x + y", "-f", "bernoulli", "--save", model, cwd=folder)
    found = json.loads(distfit("check", model, "new.csv", "--format", "json", cwd=folder).stdout)
    predicted = csv.DictReader(io.StringIO(distfit("predict", model, "new.csv", cwd=folder).stdout))
    rows = csv.DictReader(io.StringIO((folder / "new.csv").read_text()))
    p = [
        float(at["mean"]) if row["g"] == "v" else 1.0 - float(at["mean"])
        for row, at in zip(rows, predicted, strict=True)
    ]
    assert found["log_score"] == pytest.approx(-np.log(p).mean())


def test_rows_that_the_model_knows_nothing_of_are_left_out(distfit: Run, tmp_path: Path) -> None:
    """Of a hurdle, the counts of a level with only zeros: nothing says how large they would be."""
    lines = [
        f"{y},{g}"
        for g, counts in (("a", [0] * 6), ("b", [0, 1, 2, 1, 3, 0, 2]), ("c", [1, 1, 2, 4, 0]))
        for y in counts
    ]
    (tmp_path / "a.csv").write_text("\n".join(["y,g", *lines]) + "\n")
    distfit("regress", "a.csv", "y ~ g", "-f", "hurdle(poisson)", "--save", "m.json", cwd=tmp_path)
    found = json.loads(distfit("check", "m.json", "a.csv", "--format", "json", cwd=tmp_path).stdout)
    assert found["data"] == {"n": 12.0, "rows": 12, "n_missing": 0, "n_unknown": 6}
    assert (
        "6 left out as the model knows nothing"
        in distfit("check", "m.json", "a.csv", cwd=tmp_path, COLUMNS="300").stdout
    )


@pytest.mark.parametrize("weights", [[], ["--weights", "w"]])
def test_check_knows_the_rows_of_a_normal_fit(distfit: Run, tmp_path: Path, weights: list[str]) -> None:
    """Its likelihood has the variance RSS/n, its predictions RSS/(n - p): both scores are those of the predictions."""
    (tmp_path / "a.csv").write_text("y,x,w\n1.5,1,1\n2.1,2,2\n2.2,3,1\n4.5,4,3\n4.1,5,1\n7,6,2\n")
    distfit("regress", "a.csv", "y ~ x", "-f", "gaussian", *weights, "--save", "m.json", cwd=tmp_path)
    found = json.loads(distfit("check", "m.json", "a.csv", *weights, "--format", "json", cwd=tmp_path).stdout)
    assert found["log_score_in_sample"] == pytest.approx(found["log_score"], rel=1e-13)
    assert "check.same_data" in [verdict["code"] for verdict in found["verdicts"]]
