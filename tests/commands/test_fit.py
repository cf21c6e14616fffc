"""``distfit fit`` end to end: what a person and a pipeline see."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.commands.conftest import ROOT, Run, assert_aligned

HORSEKICKS = "sample_data/horsekicks.csv"


def records(text: str) -> list[dict]:
    """JSON Lines, strictly: NaN and Infinity are refused."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


@pytest.mark.parametrize("optimizer", ["newton", "adam"])
def test_published_experiment(distfit: Run, zip_csv: Path, optimizer: str) -> None:
    # The maximum in 40-digit arithmetic: NLL 1.754943437291 per count at pi 0.509740, rate 5.013260.
    done = distfit("fit", zip_csv, "--family", "zip", "--restarts", 10, "--optimizer", optimizer, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    (fit,) = records(done.stdout)
    assert fit["nll_per_observation"] == pytest.approx(1.754943437291, abs=1e-11)
    assert fit["parameters"]["pi"]["estimate"] == pytest.approx(0.509740168439, abs=1e-6)
    assert fit["parameters"]["rate"]["estimate"] == pytest.approx(5.013259993535, abs=1e-5)
    own = [r for r in fit["restarts"] if r["origin"] in ("moments", "random")]
    assert len(own) == 10
    assert {r["basin"] for r in own} == {1}
    assert {r["status"] for r in own} == {"converged"}
    assert len({json.dumps(r["start"]) for r in own}) == 10


def test_report_for_people(process: Run, zip_csv: Path) -> None:
    done = process("fit", zip_csv, "--family", "zip")
    assert done.returncode == 0
    for said in [
        "zip fitted to",
        "10,000 counts",
        "0.50974",
        "5.0133",
        "log-likelihood -17549.4344",
        "AIC 35102.87",
        "10 of 10 restarts reached the best optimum",
        "structural zero",
        "5,130",
        "┃",
    ]:
        assert said in done.stdout
    assert "\x1b" not in done.stdout  # no colours into a pipe
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_narrow_terminal(distfit: Run) -> None:
    done = distfit("fit", HORSEKICKS, "--family", "zip", COLUMNS="50")
    assert done.returncode == 0
    assert max(len(line) for line in done.stdout.splitlines()) <= 50


def test_ascii_terminal(distfit: Run) -> None:
    done = distfit("fit", HORSEKICKS, "--family", "nb", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "inf" in done.stdout
    assert_aligned(done.stdout)
    lines = done.stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if "its null distribution" in line)
    end = lines[head].index("p-value") + len("p-value")
    rows = list(itertools.takewhile(str.strip, lines[head + 2 :]))
    assert {"X^2", "W^2", "chi^2(1),"} <= {word for row in rows for word in row.split()}
    assert all(row[end - 1] != " " and row[end] == " " for row in rows), "the p-values are one column"


def test_json_keeps_the_contract(distfit: Run) -> None:
    (fit,) = records(distfit("fit", HORSEKICKS, "--family", "nb", "--format", "json").stdout)
    assert fit["schema"] == "distfit.fit/1"
    assert {"version", "source", "column", "group", "family", "derived", "aicc", "gradient_norm"} <= set(fit)
    assert fit["data"] == {
        "n": 200,
        "n_missing": 0,
        "distinct": 5,
        "min": 0,
        "max": 4,
        "mean": pytest.approx(0.61),
        "variance": pytest.approx(0.6109547738693468),
        "zeros": 109,
    }
    # von Bortkiewicz's horse kicks are not overdispersed: the maximum is the Poisson's.
    assert fit["parameters"]["size"] == {
        "estimate": None,
        "std_error": None,
        "lower": None,
        "upper": None,
        "boundary": "upper",
        "infinite": ["estimate"],
    }
    assert fit["parameters"]["mean"]["std_error"] == pytest.approx(math.sqrt(0.61 / 200), rel=1e-9)
    assert fit["log_likelihood"] == pytest.approx(-206.10672147175407, abs=1e-9)
    assert fit["aic"] == pytest.approx(2 * 2 + 2 * 206.10672147175407)
    assert fit["verdicts"][0]["code"] == "nb.poisson_limit"
    assert fit["converged"] is True


def test_csv_has_a_line_per_parameter(distfit: Run) -> None:
    done = distfit("fit", HORSEKICKS, "sample_data/zip_10000.csv", "--family", "zip", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["parameter"] for row in rows] == ["pi", "rate"] * 2
    assert float(rows[3]["estimate"]) == pytest.approx(5.01326, abs=1e-5)


@pytest.mark.slow
def test_infinite_is_not_undefined(distfit: Run) -> None:
    """The size of a negative binomial that is a Poisson: no standard error, no upper end of the profile interval."""
    arguments = ["fit", "sample_data/saxony.csv", "-c", "boys", "--weights", "families", "-f", "nb", "--ci", "profile"]
    (found,) = records(distfit(*arguments, "--format", "json").stdout)
    size = found["parameters"]["size"]
    assert (size["estimate"], size["std_error"], size["upper"]) == (None, None, None)
    assert size["infinite"] == ["estimate", "upper"]
    assert found["parameters"]["mean"]["infinite"] == []
    mean, size = csv.DictReader(io.StringIO(distfit(*arguments, "--format", "csv").stdout))
    assert (size["estimate"], size["std_error"], size["upper"]) == ("inf", "", "inf")
    assert float(size["lower"]) > 100.0
    assert "inf" not in (mean["estimate"], mean["lower"], mean["upper"])


@pytest.mark.slow
def test_every_source_on_its_own_and_together(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y\n1\n2\n")
    (tmp_path / "b.csv").write_text("y\n3\n")
    apart = records(distfit("fit", "a.csv", "b.csv", "-f", "poisson", "--format", "json", cwd=tmp_path).stdout)
    assert [(fit["source"], fit["data"]["n"]) for fit in apart] == [("a.csv", 2), ("b.csv", 1)]
    for arguments in (["a.csv", "b.csv", "--together"], ["*.csv"], ["."]):
        (whole,) = records(distfit("fit", *arguments, "-f", "poisson", "--format", "json", cwd=tmp_path).stdout)
        assert whole["data"]["n"] == 3


def test_groups_weights_and_globs(distfit: Run, tmp_path: Path) -> None:
    done = distfit("fit", "sample_data/biochemists.csv", "-f", "nb", "--by", "gender", "--format", "json")
    men, women = records(done.stdout)
    assert (men["group"], men["data"]["n"]) == ({"gender": "men"}, 494)
    assert (women["group"], women["data"]["n"]) == ({"gender": "women"}, 421)
    frequencies = ["sample_data/saxony.csv", "-c", "boys", "--weights", "families", "-f", "poisson", "--format", "json"]
    (saxony,) = records(distfit("fit", *frequencies).stdout)
    assert saxony["log_likelihood"] == pytest.approx(-12944.333289901026, abs=1e-6)
    (tmp_path / "wide.csv").write_text("id,x_a,x_b\nu,1,2\nv,0,3\n")
    wide = records(distfit("fit", tmp_path / "wide.csv", "-c", "x_*", "-f", "poisson", "--format", "json").stdout)
    assert [fit["column"] for fit in wide] == ["x_a", "x_b"]


@pytest.mark.parametrize("text", ["count\n0\n3\n1\n", "0\n3\n1\n", "0\n3\n1", "count\r\n0\r\n3\r\n1\r\n"])
def test_stdin(distfit: Run, text: str) -> None:
    (fit,) = records(distfit("fit", "-", "-f", "poisson", "--format", "json", input=text).stdout)
    assert fit["source"] == "-"
    assert fit["parameters"]["rate"]["estimate"] == pytest.approx(4 / 3)


@pytest.mark.slow
def test_missing_values_are_counted_and_left_out(distfit: Run, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"y": pa.array([1, None, 3, None], pa.uint8())}), tmp_path / "y.parquet")
    done = distfit("fit", tmp_path / "y.parquet", "-f", "poisson", "--format", "json")
    (fit,) = records(done.stdout)
    assert (fit["data"]["n"], fit["data"]["n_missing"]) == (2, 2)
    assert "2 missing" in distfit("fit", tmp_path / "y.parquet", "-f", "poisson").stdout


@pytest.mark.slow
def test_empty_group_is_said_and_left_out(distfit: Run) -> None:
    done = distfit("fit", "-", "-c", "y", "--by", "g", "-f", "poisson", "--format", "json", input="g,y\na,1\nb,\n")
    assert [fit["group"] for fit in records(done.stdout)] == [{"g": "a"}]
    assert "g = b" in done.stderr


def test_a_column_without_values_under_a_glob_is_said_and_left_out(distfit: Run) -> None:
    table = "a,b,c\n1,0,\n2,3,\n"
    done = distfit("fit", "-", "-c", "*", "-f", "poisson", "--format", "json", input=table)
    assert (done.returncode, [fit["column"] for fit in records(done.stdout)]) == (0, ["a", "b"])
    assert done.stderr == 'distfit: -, column "c" has only missing values: left out\n'
    named = distfit("fit", "-", "-c", "a", "-c", "c", "-f", "poisson", input=table)
    assert (named.returncode, named.stdout) == (2, "")


def test_not_converged_is_exit_1_with_the_results(distfit: Run, zip_csv: Path) -> None:
    done = distfit("fit", zip_csv, "-f", "zinb", "--max-steps", 1, "--restarts", 2, "--format", "json")
    assert done.returncode == 1
    (fit,) = records(done.stdout)
    assert fit["converged"] is False
    assert "fit.max_steps" in [verdict["code"] for verdict in fit["verdicts"]]


@pytest.mark.slow
def test_verbose_shows_the_path(distfit: Run) -> None:
    done = distfit("fit", "sample_data/biochemists.csv", "-c", "articles", "-f", "nb", "--restarts", 2, "-v")
    assert "restart 1, from moments" in done.stdout
    assert "restart 2, from random" in done.stdout


@pytest.mark.slow
def test_same_seed_same_bytes_other_seed_other_starts(distfit: Run) -> None:
    arguments = ["fit", HORSEKICKS, "-f", "2*poisson", "--format", "json"]
    first, second, other = (distfit(*arguments, "--seed", seed).stdout for seed in (3, 3, 4))
    assert first == second
    assert records(first)[0]["restarts"][1]["start"] != records(other)[0]["restarts"][1]["start"]


@pytest.mark.slow
def test_plain_words_for_mixtures(distfit: Run, zip_csv: Path) -> None:
    quoted = distfit("fit", zip_csv, "-f", "2*poisson", "--format", "json").stdout
    assert distfit("fit", zip_csv, "-f", "mixture", "--components", 2, "--format", "json").stdout == quoted


def test_output_file_and_saved_model(distfit: Run, tmp_path: Path) -> None:
    report, model = tmp_path / "out.json", tmp_path / "model.json"
    report.write_text("old")
    done = distfit("fit", HORSEKICKS, "-f", "nb", "--format", "json", "-o", report, "--save", model)
    assert (done.returncode, done.stdout) == (0, "")
    printed = distfit("fit", HORSEKICKS, "-f", "nb", "--format", "json").stdout
    assert report.read_text() == printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "out.json"]
    assert distfit("show", model, "--format", "json").stdout == printed
    shown, fitted = distfit("show", model).stdout, distfit("fit", HORSEKICKS, "-f", "nb").stdout
    assert shown == fitted


def test_quiet_stderr_and_no_colour(distfit: Run, zip_csv: Path) -> None:
    done = distfit("fit", zip_csv, "-f", "zip", "-q", NO_COLOR="1")
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_sample_into_fit_recovers_the_parameters(distfit: Run) -> None:
    drawn = distfit("sample", "-f", "zinb", "-p", "pi=0.3", "-p", "mean=4", "-p", "size=1.5", "-n", 50_000, "-s", 1)
    (fit,) = records(distfit("fit", "-", "-f", "zinb", "--format", "json", input=drawn.stdout).stdout)
    for name, truth in {"pi": 0.3, "mean": 4.0, "size": 1.5}.items():
        found = fit["parameters"][name]
        assert abs(found["estimate"] - truth) < 4 * found["std_error"]


@pytest.mark.slow
def test_large_values_and_weights(distfit: Run, tmp_path: Path) -> None:
    # A mean of 1e6 arrives (softplus is linear: without scaling it would not), and 1e12 observations stay exact.
    counts = np.random.default_rng(0).poisson(1e6, 2000)
    (tmp_path / "big.csv").write_text("y\n" + "\n".join(map(str, counts)))
    (fit,) = records(distfit("fit", tmp_path / "big.csv", "-f", "poisson", "--format", "json").stdout)
    assert fit["parameters"]["rate"]["estimate"] == pytest.approx(counts.mean(), rel=1e-9)
    table = "y,n\n0,500000000000\n1,500000000000\n"
    done = distfit("fit", "-", "-c", "y", "--weights", "n", "-f", "poisson", "--format", "json", input=table)
    (fit,) = records(done.stdout)
    assert fit["data"]["n"] == 10**12
    assert fit["parameters"]["rate"]["std_error"] == pytest.approx(math.sqrt(0.5 / 1e12), rel=1e-6)


def test_sample_data_can_be_made_again(tmp_path: Path) -> None:
    script = (ROOT / "sample_data" / "make_zip_10000.py").read_text()
    copy = tmp_path / "make_zip_10000.py"
    copy.write_text(script)
    exec(compile(script, str(copy), "exec"), {"__file__": str(copy)})
    assert (tmp_path / "zip_10000.csv").read_bytes() == (ROOT / "sample_data" / "zip_10000.csv").read_bytes()
