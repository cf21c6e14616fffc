"""Progress as a terminal shows it: whole lines, one for each task, and nothing in the way of the results."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from distfit_counts import fitting
from distfit_counts.cli import app
from distfit_counts.commands.fitting import fitting_progress
from distfit_counts.comparing import compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.replicates import watched
from distfit_counts.report import progress
from distfit_counts.report.progress import Watch, portion, reported
from distfit_counts.report.write import write_fits
from distfit_counts.settings import FitSettings


class Screen(io.StringIO):
    """A terminal that keeps all that it was told."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())
        return [line for line in re.split(r"[\r\n]+", plain) if line.strip()]


Terminal = Callable[[int], Screen]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Makes stderr a terminal so many characters wide, on which progress is shown at once."""

    def made(width: int) -> Screen:
        screen = Screen()
        for name, value in (("COLUMNS", str(width)), ("TERM", "xterm")):
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(progress, "PROGRESS_AFTER", -1.0)
        monkeypatch.setattr(progress, "_EVERY", 0.0)
        return screen

    return made


GROUPS = [Column("t.csv", "y", {"g": i}, Histogram.of([0, 1, 1, 4])) for i in range(20_000)]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "10,691 of 20,000 fits; poisson"),
        (54, "10,691 of 20,000 fits"),
        (44, "10,691 of 20,000"),
        (34, "53%"),
    ],
)
def test_a_line_holds_a_bar_what_is_done_and_the_time(terminal: Terminal, width: int, shown: str) -> None:
    screen = terminal(width)
    with Watch() as watch:
        fitting_progress(watch, "fitting")(10_691.3, 20_000, "poisson")
    line = screen.lines[0].rstrip()
    assert len(line) <= width
    assert re.fullmatch(rf"fitting ━{{5}}[━╸╺]{{5}} {re.escape(shown)} 0:00:00", line)


def test_one_fit_shows_its_share(terminal: Terminal) -> None:
    screen = terminal(80)
    with Watch() as watch:
        fitting_progress(watch, "fitting")(0.37, 1, "nb")
    assert "37%; nb" in screen.lines[0]


def told_by(ask: Callable[..., object]) -> list[tuple[float, int]]:
    """What ``ask`` tells its watcher, as (done, in all)."""
    told: list[tuple[float, int]] = []
    ask(lambda done, in_all, *_: told.append((done, in_all)))
    return told


DATA = np.random.default_rng(3).negative_binomial(2, 0.3, 60)


@pytest.mark.parametrize("columns", [1, 7])
def test_a_comparison_has_one_total_and_never_goes_back(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Families that do not suit all columns are fitted apart; what is simpler is fitted for each of them."""
    monkeypatch.setattr(fitting, "CHUNK_ELEMENTS", 200)
    listed = [Column("t.csv", "y", {"g": i}, Histogram.of(DATA[i:] + (i == 3))) for i in range(columns)]
    settings = FitSettings(restarts=3, threads=2)
    told = told_by(lambda progress: compare_columns(listed, None, settings, progress=progress))
    done = [own for own, _ in told]
    assert done == sorted(done)
    assert len({in_all for _, in_all in told}) == 1
    assert done[-1] == told[-1][1]
    assert len(set(done)) > 3


def test_replicates_are_counted_while_they_are_refitted() -> None:
    """Two simulations, of intervals and of goodness of fit, with one total; pieces of them show too."""
    fits = fit_columns(
        [GROUPS[0]], parse("zinb"), FitSettings(restarts=1, ci="bootstrap", replicates=60, gof_replicates=40)
    )

    def ask(report: Callable[[int, int], None]) -> None:
        with watched(report, 100):
            fits[0]

    told = told_by(ask)
    done = [own for own, _ in told]
    assert done == sorted(done)
    assert (done[-1], {in_all for _, in_all in told}) == (100, {100})
    assert len([own for own in set(done) if own not in (0, 60, 100, 40)]) > 3


def test_the_command_shows_replicates(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("y\n" + "\n".join(map(str, DATA)) + "\n")
    for ask in (["fit", "-f", "nb", "--ci", "bootstrap"], ["compare", "-f", "poisson,2*poisson", "--bootstrap-lrt"]):
        screen = terminal(80)
        with contextlib.redirect_stdout(io.StringIO()):
            app([ask[0], str(tmp_path / "y.csv"), *ask[1:], "--replicates", "39"], standalone_mode=False)
        counts = [
            int(found[1]) for line in screen.lines if (found := re.search(r"simulating.* (\d+) of 39 samples", line))
        ]
        assert counts == sorted(counts)
        assert counts[-1] == 39


def test_what_fits_nowhere_is_cut_and_the_time_is_not(terminal: Terminal) -> None:
    screen = terminal(50)
    with Watch() as watch:
        watch.show("simulating", 1, 9, 'a_long_name_of_a_file.csv, column "[y]", clinic = A')
    line = screen.lines[0].rstrip()
    assert (line[-7:], len(line) <= 50, "a_long_name" in line) == ("0:00:00", True, True)


def test_threads_share_the_line_of_a_task(terminal: Terminal) -> None:
    screen = terminal(80)
    with Watch() as watch, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: watch.show("fitting", i, 200, *portion(i, 200, "groups")), range(200)))
        assert watch._progress is not None
        assert len(watch._progress.tasks) == 1
    assert any("of 200 groups" in line for line in screen.lines)


def test_each_stage_of_many_fits_is_shown(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitting, judging and writing, each to its end; and the bar of fitting never goes back."""
    rng = np.random.default_rng(3)
    columns = [Column("t.csv", "y", {"g": i}, Histogram.of(rng.poisson(3.0, 30))) for i in range(40)]
    finished: list[float] = []
    monkeypatch.setattr(fitting, "CHUNK_ELEMENTS", 200)
    fits = fit_columns(
        columns, parse("poisson"), FitSettings(restarts=2, threads=2), lambda *told: finished.append(told[0])
    )
    assert (finished == sorted(finished), finished[-1]) == (True, 40)
    for name in ("a.csv", "a.json", "a.parquet"):
        screen = terminal(80)
        with Watch() as watch:
            fits._numbers = None
            fits.judge(watch.reporter("judging", "groups"))
            format = name.removeprefix("a.")
            write_fits(fits, format, tmp_path / name, report=watch.writing(tmp_path / name, "fits"))
        for ended in ("judging ━━━━━━━━━━ 40 of 40 groups", "writing ━━━━━━━━━━ 40 of 40 fits"):
            assert any(line.startswith(ended) for line in screen.lines)


def test_results_on_stdout_have_it_to_themselves(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    screen = terminal(80)
    with Watch() as watch:
        watch.show("fitting", 1, 2, "1 of 2")
        print("a result")
        assert watch.writing(None, "fits") is None
        assert watch._progress is None
        assert watch.writing(Path("/dev/null"), "fits") is None
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in screen.getvalue()


def test_nothing_where_nobody_watches(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(80)
    with Watch(quiet=True) as watch:
        assert list(reported("abc", watch.reporter("writing", "fits"))) == ["a", "b", "c"]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Watch() as watch:
        watch.show("reading", 1, 2, "1 MB")
    assert (screen.getvalue(), sys.stderr.getvalue()) == ("", "")
