"""``distfit plot`` as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Run

HORSEKICKS = "sample_data/horsekicks.csv"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def model(distfit: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "nb.json"
    distfit("fit", "sample_data/biochemists.csv", "-c", "articles", "-f", "nb", "--restarts", 3, "--save", path)
    return path


@pytest.fixture(scope="module")
def groups(distfit: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "groups.json"
    distfit("fit", "sample_data/biochemists.csv", "--by", "gender", "-f", "poisson", "--restarts", 1, "--save", path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pmf", "rootogram", "qq", "pit", "trace", "restarts", "profile", "surface"])
def test_every_kind(distfit: Run, model: Path, tmp_path: Path, kind: str) -> None:
    """The saved model has no trace: where one is needed, it is fitted again."""
    done = distfit("plot", model, "--kind", kind, "-o", tmp_path / "out.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.png").read_bytes().startswith(PNG)


@pytest.mark.slow
def test_new_data(distfit: Run, model: Path, groups: Path, tmp_path: Path) -> None:
    done = distfit("plot", model, HORSEKICKS, "--kind", "pit", "-o", tmp_path / "new.svg")
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "new.svg").read_text()
    assert "nb as fitted to biochemists.csv, here on horsekicks.csv, column deaths: 200 counts" in text
    refused = distfit("plot", model, HORSEKICKS, "--kind", "trace", "-o", tmp_path / "x.png")
    assert refused.returncode == 2
    assert "leave out SOURCE" in refused.stderr


@pytest.mark.slow
def test_seed_and_quiet(distfit: Run, model: Path, groups: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        done = distfit("plot", model, "--kind", "qq", "--seed", seed, "-o", tmp_path / f"{name}.svg")
        assert (done.returncode, done.stderr) == (0, "")
    a, b, c = ((tmp_path / f"{name}.svg").read_bytes() for name in "abc")
    assert a == b != c
    (tmp_path / "new.csv").write_text("articles,gender\n1,women\n0,unknown\n3,women\n")
    arguments = ["plot", groups, tmp_path / "new.csv", "--by", "gender", "-o", tmp_path / "new.svg"]
    assert "unknown" in distfit(*arguments).stderr
    quiet = distfit(*arguments, "-q")
    assert (quiet.returncode, quiet.stderr) == (0, "")


@pytest.mark.slow
def test_groups_are_panels_or_picked(distfit: Run, groups: Path, tmp_path: Path) -> None:
    assert distfit("plot", groups, "-o", tmp_path / "all.svg").returncode == 0
    assert "gender = women, n = 421" in (tmp_path / "all.svg").read_text()
    several = distfit("plot", groups, "--kind", "qq", "-o", tmp_path / "x.png")
    assert several.returncode == 2
    assert "--column articles --group gender=women" in several.stderr
    one = distfit("plot", groups, "--kind", "qq", "--group", "gender=women", "-o", tmp_path / "one.svg")
    assert one.returncode == 0
    assert "gender = women: 421 counts" in (tmp_path / "one.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "pie", "-o", "x.png"], ["'pie'", "rootogram"]),
        (["-o", "x.jpg"], [".jpg", ".png, .svg, .pdf or .html"]),
        (["-o", "/nonexistent/x.png"], ["no folder /nonexistent"]),
        ([], ["--output"]),
        (["--style", "flying", "-o", "x.png"], ["'flying'", "hanging"]),
        (["--kind", "surface", "--parameters", "mean", "-o", "x.png"], ["names 1", "two"]),
        (["--style", "standing", "-o", "x.png"], ["--style does nothing without --kind rootogram"]),
        (["--parameters", "mean,size", "-o", "x.png"], ["does nothing without --kind surface"]),
        (["--kind", "pit", "--seed", "1", "-o", "x.png"], ["--seed does nothing without --kind qq"]),
        (["--by", "gender", "-o", "x.png"], ["SOURCE"]),
        (["--column", "deaths", "-o", "x.png"], ["no such fit", "--column articles"]),
    ],
)
def test_bad_usage_exits_2(distfit: Run, model: Path, tmp_path: Path, arguments: list[str], said: list[str]) -> None:
    done = distfit("plot", model, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr
    assert not list(tmp_path.iterdir())


def test_without_the_extra_the_remedy_is_named(tmp_path: Path) -> None:
    """As where altair is not installed; said before the model is even read."""
    code = (
        "import sys, importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'altair' else find(name, *a)\n"
        f"sys.argv = ['distfit', 'plot', 'model.json', '-o', {str(tmp_path / 'x.png')!r}]\n"
        "from distfit_counts.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "pip install 'distfit-counts[plot]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_altair_is_loaded_for_pictures_only() -> None:
    code = (
        "import sys\n"
        "import distfit_counts.cli, distfit_counts.report.plots, distfit_counts.report.plots.render\n"
        "assert not {'altair', 'vl_convert', 'torch', 'rich', 'pandas'} & set(sys.modules), 'too early'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
