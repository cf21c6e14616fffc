"""``distfit compare`` end to end."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.commands.conftest import COMMAND, ROOT, Run, assert_aligned

HORSEKICKS = "sample_data/horsekicks.csv"
FEW = ["--families", "poisson,nb,zip", "--restarts", "2"]
# One of every kind that a comparison speaks of.
KINDS = ["--families", "poisson,geometric,nb,zip,2*poisson", "--restarts", "2"]


def records(text: str) -> list[dict]:
    """JSON Lines, strictly: NaN and Infinity are refused."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_report_for_people(distfit: Run) -> None:
    done = distfit("compare", HORSEKICKS, *KINDS)
    assert (done.returncode, done.stderr) == (0, "")
    for said in [
        "poisson has the lowest BIC of 5 families",
        "200 counts",
        "-206.107",
        "best",
        "(saturated)",
        "(Poisson mixture)",
        "certified",
        "= poisson",
        "components of poisson",
    ]:
        assert said in done.stdout
    assert "\x1b" not in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    order = [words[0] for words in lines if words and words[0] in ("poisson", "zip", "nb", "zinb", "geometric")]
    assert order[0] == "poisson"
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith((" (sat", " (Poi", " poisson"))]
    assert [row[0] for row in rows[:3]] == ["(saturated)", "(Poisson", "poisson"], "the ceilings are the first rows"


@pytest.mark.parametrize("columns", ["50", pytest.param("140", marks=pytest.mark.slow)])
def test_fits_the_terminal(distfit: Run, columns: str) -> None:
    done = distfit("compare", HORSEKICKS, *FEW, COLUMNS=columns)
    assert done.returncode == 0
    table = [line for line in done.stdout.splitlines() if line.startswith(" ")]
    assert max(map(len, table)) <= max(int(columns), 60)
    assert "BIC" in done.stdout


@pytest.mark.slow
def test_too_little_for_most_is_one_line(distfit: Run) -> None:
    done = distfit("compare", "-", input="y\n0\n0\n0\n", COLUMNS="160")
    families = "nb, zip, zinb, hurdle(nb), 2*poisson, 3*poisson, 2*nb"
    left = [line for line in done.stdout.splitlines() if "left out" in line]
    assert left == [f"{families} left out: too many parameters for n = 3 with 1 distinct value"]
    assert "= point(0)" in done.stdout
    assert "point(0): a point mass at 0" in done.stdout


@pytest.mark.slow
def test_a_single_family(distfit: Run) -> None:
    done = distfit("compare", HORSEKICKS, "-f", "poisson", "--restarts", 1)
    assert done.stdout.startswith(f"poisson is the only family compared on {HORSEKICKS}, column deaths: 200 counts")


@pytest.mark.slow
def test_ascii_terminal(distfit: Run) -> None:
    done = distfit("compare", HORSEKICKS, *FEW, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert_aligned(done.stdout)


def test_json_of_a_comparison(distfit: Run) -> None:
    done = distfit("compare", HORSEKICKS, *KINDS, "--format", "json")
    (found,) = records(done.stdout)
    assert found["schema"] == "distfit.compare/1"
    assert found["best"] == "poisson"
    assert found["candidates"][0]["family"] == "poisson"
    assert [c["delta_bic"] for c in found["candidates"]] == sorted(c["delta_bic"] for c in found["candidates"])
    assert sum(c["akaike_weight"] for c in found["candidates"]) == pytest.approx(1.0)
    assert found["saturated"]["log_likelihood"] == pytest.approx(-205.67261076352702, abs=1e-9)
    ceiling = found["poisson_mixture_ceiling"]
    # The certified maximum of the reference collection.
    assert ceiling["log_likelihood"] == pytest.approx(-206.10272788078407, abs=1e-7)
    assert ceiling["gap"] < 1e-6 * 200
    assert sum(ceiling["weights"]) == pytest.approx(1.0)
    assert found["skipped"] == {}
    nb = next(c for c in found["candidates"] if c["family"] == "nb")
    assert nb["parameters"]["size"]["estimate"] is None
    assert nb["goodness"]["tests"][0]["code"] == "chi_square"
    assert nb["tests"][0]["code"] == "lr.poisson"
    assert next(c for c in found["candidates"] if c["family"] == "geometric")["vuong"]["code"] == "vuong"
    assert nb["vuong"] is None
    assert found["components"][0]["by_bic"] == 1
    assert {verdict["code"] for verdict in found["verdicts"]} == {"compare.ceiling", "compare.components"}


@pytest.mark.slow
def test_several_columns(distfit: Run, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("a,b\n0,1\n3,1\n1,2\n0,0\n")
    both = records(distfit("compare", tmp_path / "two.csv", "-c", "a", "-c", "b", *FEW, "--format", "json").stdout)
    assert [found["column"] for found in both] == ["a", "b"]


@pytest.mark.slow
@pytest.mark.parametrize("data", ["y\n5\n5\n", "y\n0\n0\n", "y\n3\n"])
def test_json_stays_strict_where_nothing_fits(distfit: Run, data: str) -> None:
    families = "poisson,nb,zip,point(0)" if "5" not in data else "poisson,point(3),point(5)"
    done = distfit("compare", "-", "--families", families, "--format", "json", input=data)
    assert len(records(done.stdout)) == 1


def test_csv_has_a_line_per_family(distfit: Run) -> None:
    done = distfit("compare", HORSEKICKS, "sample_data/zip_10000.csv", *FEW, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 6
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 2
    assert [row["family"] for row in rows[:3]] == ["poisson", "zip", "nb"]
    assert rows[3]["family"] == "zip"
    assert rows[2]["equivalent"] == "poisson"
    assert float(rows[0]["log_likelihood"]) == pytest.approx(-206.10672147175407, abs=1e-9)
    assert float(rows[0]["saturated"]) == pytest.approx(-205.67261076352702, abs=1e-9)
    assert rows[0]["icl"] == "", "no number of components to choose"


def test_csv_has_empty_fields_where_there_is_no_number(distfit: Run) -> None:
    done = distfit("compare", "-", "--families", "point(3),point(5)", "--format", "csv", input="y\n5\n5\n")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["log_likelihood"] for row in rows] == ["0.0", ""]
    assert "inf" not in done.stdout


@pytest.mark.slow
def test_groups(distfit: Run) -> None:
    data = ["sample_data/biochemists.csv", "-c", "articles", "--by", "gender", "--restarts", "2"]
    men, women = records(distfit("compare", *data, "--families", "poisson,nb", "--format", "json").stdout)
    assert men["group"] == {"gender": "men"}
    assert women["group"] == {"gender": "women"}
    assert men["data"]["n"] + women["data"]["n"] == 915
    alone = records(distfit("fit", *data, "-f", "nb", "--format", "json").stdout)
    for found, fit in zip((men, women), alone, strict=True):
        nb = next(c for c in found["candidates"] if c["family"] == "nb")
        assert nb["log_likelihood"] == pytest.approx(fit["log_likelihood"], abs=1e-7)
    done = distfit("compare", *data, "--families", "poisson,nb", "--format", "csv")
    assert [row["gender"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["men"] * 2 + ["women"] * 2


@pytest.mark.slow
def test_the_best_model_is_saved(distfit: Run, tmp_path: Path) -> None:
    model = tmp_path / "best.json"
    done = distfit("compare", HORSEKICKS, *FEW, "--save", model, "--format", "json")
    assert done.returncode == 0
    shown = distfit("show", model)
    assert shown.returncode == 0
    assert shown.stdout.startswith("poisson fitted to")
    assert records(distfit("show", model, "--format", "json").stdout)[0]["family"] == "poisson"


@pytest.mark.slow
def test_output_file(distfit: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    done = distfit("compare", HORSEKICKS, *FEW, "--format", "json", "-o", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert path.read_text() == distfit("compare", HORSEKICKS, *FEW, "--format", "json").stdout
    same = distfit("compare", HORSEKICKS, *FEW, "-o", path, "--save", path)
    assert same.returncode == 2
    assert "same name" in same.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--families", ""], "names no family"),
        (["--families", ","], "names no family"),
        (["--families", "poisson,poison"], "poisson"),
        pytest.param(["--families", "zt(poisson),logseries"], "none of the families", marks=pytest.mark.slow),
        (["--families", "poisson", "--gof-replicates", "3"], "gof_replicates"),
        (["--families", "poisson,2*poisson", "--bootstrap-lrt", "--replicates", "3"], "replicates"),
        (["--families", "poisson,2*nb", "--bootstrap-lrt"], "no two of one kind"),
        (["--replicates", "99"], "--replicates does nothing without --bootstrap-lrt"),
        (["--learning-rate", "0.1"], "does nothing without --optimizer adam"),
        (["-c", "nothing"], "nothing"),
        (["-o", "/nowhere/at/all.json"], "/nowhere"),
    ],
)
def test_bad_usage_is_exit_2_and_says_why(distfit: Run, arguments: list[str], said: str) -> None:
    done = distfit("compare", HORSEKICKS, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_not_converged_is_exit_1_with_the_results(distfit: Run) -> None:
    arguments = ["--families", "zinb,poisson", "--max-steps", 1, "--restarts", 1, "--format", "json"]
    done = distfit("compare", "sample_data/zip_10000.csv", *arguments)
    assert done.returncode == 1
    (found,) = records(done.stdout)
    assert len(found["candidates"]) == 2


@pytest.mark.slow
def test_bootstrap_lrt(distfit: Run) -> None:
    arguments = ["--families", "poisson,2*poisson", "--bootstrap-lrt", "--replicates", 39, "--restarts", 2]
    done = distfit("compare", HORSEKICKS, *arguments, "--format", "json")
    (found,) = records(done.stdout)
    (group,) = found["components"]
    assert group["by_bootstrap_lrt"] == 1
    (test,) = group["tests"]
    assert 0.05 < test["p_value"] <= 1.0
    assert test["df"] is None


@pytest.mark.slow
def test_same_seed_same_bytes(distfit: Run) -> None:
    arguments = ["compare", HORSEKICKS, *FEW, "--gof-replicates", "19", "--format", "json"]
    first, second, other = (distfit(*arguments, "--seed", seed).stdout for seed in (1, 1, 2))
    assert first == second
    assert first != other


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    arguments = [COMMAND, "compare", "sample_data/biochemists.csv", "-c", "articles", *FEW, "-v"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 141, -13)
