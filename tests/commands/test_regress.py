"""``distfit regress`` and ``distfit predict`` end to end."""

from __future__ import annotations

import csv
import io
import json
import math
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.commands.conftest import COMMAND, ROOT, Run

NMES = "sample_data/nmes1988.csv"
FORMULA = "visits ~ hospital + C(health, contr.treatment('average')) + chronic + gender + school + insurance"


@pytest.fixture(scope="module")
def model(distfit: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("regress") / "nb.json"
    assert distfit("regress", NMES, FORMULA, "-f", "nb", "--save", path).returncode == 0
    return path


def test_a_report_for_people(distfit: Run) -> None:
    """Zeileis, Kleiber and Jackman (2008), table 1: NB-ML."""
    done = distfit("regress", NMES, FORMULA, "-f", "nb")
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        "nb regression of visits",
        "4,406 rows",
        "hospital",
        "health[poor]",
        "1.243 (1.191",
        "log-likelihood -12170.5536 on 9 parameters",
        "size 1.2066 ± 0.033560",
        "95 % interval",
        "rate ratio",
    ):
        assert said in done.stdout, said


def test_a_polynomial_beside_levels_has_the_numbers_of_r(distfit: Run) -> None:
    """R: glm.nb(visits ~ hospital + health + gender + poly(age, 2)), its epsilon at 1e-12."""
    formula = "visits ~ hospital + health + C(gender) + poly(age, 2)"
    record = json.loads(distfit("regress", NMES, formula, "-f", "nb", "--format", "json").stdout)
    expected = (1.6504476407, 0.2744718791, -0.4114278012, 0.3770595276, -0.1020485378, -1.5728116828, -4.8278168809)
    coefficients = record["predictors"]["mean"]["coefficients"].values()
    assert [c["estimate"] for c in coefficients] == pytest.approx(expected, rel=1e-6)
    assert record["log_likelihood"] == pytest.approx(-12304.26632, abs=1e-5)
    assert record["predictors"]["size"]["coefficients"]["Intercept"]["estimate"] == pytest.approx(
        math.log(1.113870036), rel=1e-6
    )


def test_json_holds_every_number(distfit: Run) -> None:
    done = distfit("regress", NMES, FORMULA + " | chronic", "-f", "zip", "--format", "json")
    record = json.loads(done.stdout)
    assert record["schema"] == "distfit.regression/1"
    assert list(record["predictors"]) == ["pi", "rate"]
    assert record["predictors"]["pi"]["terms"] == "chronic"
    assert record["predictors"]["rate"]["coefficients"]["hospital"]["std_error"] > 0
    assert len(record["covariance"]) == 10
    assert record["converged"]


def test_csv_has_a_line_for_every_coefficient(distfit: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(distfit("regress", NMES, "visits ~ chronic", "--format", "csv").stdout)))
    assert [(row["parameter"], row["term"]) for row in rows] == [("rate", "Intercept"), ("rate", "chronic")]


def test_predictions_keep_the_rows_of_the_source(distfit: Run, model: Path, tmp_path: Path) -> None:
    done = distfit("predict", model, NMES, "--pmf", "0..2", "--quantiles", "0.5", "--interval")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 4406
    assert [row["row"] for row in rows[:3]] == ["1", "2", "3"]
    assert all(float(row["mean_lower"]) < float(row["mean"]) < float(row["mean_upper"]) for row in rows[:50])
    first = json.loads(distfit("predict", model, NMES, "--format", "json").stdout.splitlines()[0])
    assert first == {"row": 1, "mean": float(rows[0]["mean"]), "prob_zero": float(rows[0]["prob_zero"])}
    assert distfit("predict", model, NMES, "-o", tmp_path / "p.parquet").returncode == 0
    table = pq.read_table(tmp_path / "p.parquet")
    assert table.column("mean").to_pylist() == [float(row["mean"]) for row in rows]


def test_a_pipe_is_a_source(distfit: Run, process: Run, model: Path) -> None:
    text = (ROOT / NMES).read_text()
    few = "".join(text.splitlines(keepends=True)[:4])
    assert distfit("predict", model, "-", input=few).stdout.count("\n") == 4
    assert "4,406 rows" in process("regress", "-", "visits ~ chronic", input=text).stdout
    assert "stdin has no data rows" in distfit("regress", "-", "y ~ x", input="y,x\n").stderr


def test_predictions_of_a_fit_that_did_not_converge_say_so(distfit: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    assert distfit("regress", NMES, "visits ~ chronic", "--max-steps", "1", "--save", path).returncode == 1
    done = distfit("predict", path, "-", input="chronic\n1\n")
    assert done.returncode == 0
    assert "did not converge" in done.stderr
    assert distfit("predict", path, "-", "-q", input="chronic\n1\n").stderr == ""


def test_a_level_keeps_its_name_on_one_line_of_an_ascii_terminal(distfit: Run, tmp_path: Path) -> None:
    """Two levels never look alike: what the encoding lacks is written out, and so is the end of a line."""
    rows = [f'{i % 4},"{("élan", "a")[i % 2]}\n"' for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["y,g", *rows, ""]), encoding="utf-8")
    path = tmp_path / "a.csv"
    done = distfit("regress", path, "y ~ g", "-f", "nb", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert r"g[\xe9lan\x0a]" in done.stdout
    assert (
        "+-"
        in distfit(
            "regress", NMES, "visits ~ chronic", "-f", "nb", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C"
        ).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([NMES, "visits ~ chronik"], 'did you mean "chronic"'),
        ([NMES, "visits ~ chronic +"], "cannot read 'chronic +': it ends too early"),
        ([NMES, "visits ~ chronic +"], "end it in no operator"),
        ([NMES, "visits ~ chronic + log(visits)"], 'the response "visits" is also a covariate'),
        ([NMES, "visits"], "is no formula"),
        ([NMES, "health ~ chronic"], "'average' is not"),
        ([NMES, "visits ~ health", "-f", "zipp"], "zipp"),
        ([NMES, "visits ~ health", "-f", "gausian"], "did you mean gaussian"),
        ([NMES, "insurance ~ health", "-f", "binomial"], "did you mean bernoulli"),
        ([NMES, "visits ~ health", "-f", "zinb", "--restarts", "0"], "at least one start"),
        ([NMES, "visits ~ health", "-f", "normal"], "gaussian, bernoulli, categorical"),
        ([NMES, "visits ~ chronic + offset(log(school))"], "no covariate"),
        ([NMES, "visits ~ health", "-f", "nb", "--formula", "alpha=~ chronic"], "no parameter 'alpha'"),
        ([NMES, "visits ~ health", "--exposure", "hospital"], "exposures are above 0"),
        ([NMES, "visits ~ log(hospital)"], "-inf"),
        ([NMES, "health ~ chronic", "-f", "bernoulli"], "has 3 levels"),
        ([NMES, "visits ~ I(school^2)"], "write it with **"),
        ([NMES, "visits ~ as.factor(school)"], "write C(x) for levels"),
        ([NMES, "visits ~ poly(school, 19)"], "there are 19\n  lower the degree"),
        ([NMES, "insurance ~ chronic", "-f", "bernoulli", "--exposure", "school"], "no rate"),
        (["missing.csv", "visits ~ chronic"], "missing.csv"),
        ([NMES, "visits ~ chronic", "--save", NMES], "is also an input"),
        ([NMES, "visits ~ chronic", "--cluster", "health", "--errors", "hc1"], "two kinds"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(distfit: Run, arguments: list[str], said: str) -> None:
    done = distfit("regress", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_columns_that_a_prediction_lacks_are_named(distfit: Run, model: Path) -> None:
    done = distfit("predict", model, "sample_data/horsekicks.csv")
    assert done.returncode == 2
    assert 'no column "chronic"' in done.stderr
    done = distfit(
        "predict", model, "-", input="hospital,health,chronic,gender,school,insurance\n0,so so,1,male,8,yes\n"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "row 1" in done.stderr
    assert "'so so'" in done.stderr


def test_only_a_saved_regression_predicts(distfit: Run, tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    distfit("fit", "sample_data/horsekicks.csv", "-f", "poisson", "--save", path)
    done = distfit("predict", path, NMES)
    assert done.returncode == 2
    assert "distfit regress --save" in done.stderr


def test_a_network_is_one_option_away(distfit: Run, tmp_path: Path) -> None:
    """Trained, checked up, kept, and asked for predictions; the checkpoint of an ended run has nothing more to do."""
    arguments = ["regress", NMES, "visits ~ chronic + health", "-f", "nb", "--hidden", "8", "--epochs", "3"]
    options = ["--checkpoint", tmp_path / "c.npz", "--save", tmp_path / "n.json"]
    done = distfit(*arguments, *options)
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("nb network 3-8-2 on visits ~ chronic + health", "held out", "R² of the mean", "epoch"):
        assert said in done.stdout, said
    assert "\n\n\n" not in done.stdout
    again = distfit(*arguments, *options, "--format", "json")
    record = json.loads(again.stdout)
    assert record["epochs"] == 3
    assert (record["source"], record["formula"]) == (NMES, "visits ~ chronic + health")
    assert record["settings"]["learning_rate"] == 0.003
    assert record["checkup"]["r_squared"] > 0.0
    predicted = distfit("predict", tmp_path / "n.json", NMES, "--quantiles", "0.5")
    assert predicted.stdout.count("\n") == 4407
    assert distfit("predict", tmp_path / "n.json", NMES, "--interval").returncode == 2


def test_a_network_is_told_in_the_words_of_a_regression(distfit: Run) -> None:
    """Keys of the same name hold the same thing; those of a kind of its own are the documented ones."""
    linear = json.loads(distfit("regress", NMES, "visits ~ chronic", "--format", "json").stdout)
    options = ["--hidden", "4", "--epochs", "1", "--format", "json"]
    network = json.loads(distfit("regress", NMES, "visits ~ chronic", *options).stdout)
    page = (ROOT / "docs" / "regression.md").read_text()
    for record in (linear, network):
        for key in record:
            assert f"`{key}`" in page, key
    for key in ("source", "formula", "family", "response", "offset", "exposure", "weights", "seed", "levels"):
        assert network[key] == linear[key], key
    assert network["data"] | {"n_held_out": 0} == linear["data"] | {"n_held_out": 0}
    assert network["predictors"].keys() == linear["predictors"].keys()
    assert network["residuals"].keys() == linear["residuals"].keys()
    own = {"terms", "columns", "settings", "epochs", "best_epoch", "stopped_early", "history", "checkup"}
    assert network.keys() - linear.keys() == own


def test_a_damaged_network_is_named_with_its_file(distfit: Run, tmp_path: Path) -> None:
    path, broken = tmp_path / "n.json", tmp_path / "broken.json"
    distfit("regress", NMES, "visits ~ chronic", "--hidden", "4", "--epochs", "1", "--save", path)
    record = json.loads(path.read_text())
    for name, value in (("weights", {}), ("settings", {"hidden": [3], "epochs": -1}), ("terms", []), ("model", 3)):
        network = record["model"]["network"] | {name: value}
        broken.write_text(json.dumps(record | {"model": record["model"] | {"network": network}}))
        done = distfit("predict", broken, NMES)
        assert done.returncode == 2
        assert str(broken) in done.stderr, name
        assert "save the model again" in done.stderr
    broken.write_bytes(path.read_bytes()[:900])
    assert "is not JSON" in distfit("predict", broken, NMES).stderr


def test_quantiles_of_a_normal_response_need_not_be_whole(distfit: Run, tmp_path: Path) -> None:
    """The middle of mean -+ 1.96 residual standard deviations is the mean."""
    path = tmp_path / "g.json"
    fit = distfit("regress", NMES, "visits ~ chronic", "-f", "gaussian", "--save", path, "--format", "json")
    done = distfit("predict", path, NMES, "--quantiles", "0.025,0.975")
    row = next(csv.DictReader(io.StringIO(done.stdout)))
    low, high = float(row["quantile_0.025"]), float(row["quantile_0.975"])
    assert 0.5 * (low + high) == pytest.approx(float(row["mean"]))
    assert high - low == pytest.approx(2 * 1.959963984540054 * json.loads(fit.stdout)["variance"] ** 0.5)


@pytest.mark.slow
def test_ctrl_c_in_training_and_the_same_command_again(process: Run, tmp_path: Path) -> None:
    """The real process, the real signal: it says where the state is, and ends as one that was never stopped."""
    command = ["regress", NMES, "visits ~ chronic + health", "-f", "nb", "--hidden", "20", "--patience", "1000"]
    kept = [*command, "--epochs", "60", "--format", "json", "--checkpoint", str(tmp_path / "c.npz")]
    child = subprocess.Popen([COMMAND, *kept], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    while not (tmp_path / "c.npz").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert f"the state is in {tmp_path / 'c.npz'}" in err
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    again = json.loads(process(*kept).stdout)
    whole = json.loads(process(*kept[:-2]).stdout)
    assert again["history"] == whole["history"]
    assert again["checkup"] == whole["checkup"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "3"], "does nothing without --hidden"),
        (["--hidden", "8,x"], "names no layers"),
        (["--hidden", "8", "--cluster", "health"], "does nothing with --hidden"),
        (["--hidden", "8", "--validation", "1.5"], "out of range"),
        (["--hidden", "8", "--gradient", "canonical", "-f", "nb"], "canonical"),
        (["--hidden", "8", "--checkpoint", NMES], "is also an input: it would be overwritten"),
        (["--hidden", "8", "--checkpoint", "sample_data/horsekicks.csv"], "horsekicks.csv is no checkpoint\n"),
    ],
)
def test_options_of_networks_that_cannot_be(distfit: Run, arguments: list[str], said: str) -> None:
    done = distfit("regress", NMES, "visits ~ chronic", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
