"""Progress as a terminal shows it: whole lines, one for each task, and nothing in the way of the results."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from distfit_counts import fitting
from distfit_counts.commands.fitting import fitting_progress
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
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
        (120, "10,691 of 20,000 groups; poisson: 2,184 of 2,184 starts"),
        (80, "10,691 of 20,000 groups; poisson"),
        (56, "10,691 of 20,000 groups"),
        (44, "10,691 of 20,000"),
        (34, "53%"),
    ],
)
def test_a_line_holds_a_bar_what_is_done_and_the_time(terminal: Terminal, width: int, shown: str) -> None:
    screen = terminal(width)
    with Watch() as watch:
        fitting_progress(watch, "fitting", GROUPS)(2_184, 2_184, "poisson", 10_691, 20_000)
    line = screen.lines[0].rstrip()
    assert len(line) <= width
    assert re.fullmatch(rf"fitting ━{{5}}[━╸╺]{{5}} {re.escape(shown)} 0:00:00", line)


def test_one_column_shows_its_starts(terminal: Terminal) -> None:
    screen = terminal(80)
    with Watch() as watch:
        fitting_progress(watch, "fitting", GROUPS[:1])(3, 11, "nb", 0, 1)
    assert "nb: 3 of 11 starts converged" in screen.lines[0]


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
    finished: list[int] = []
    monkeypatch.setattr(fitting, "CHUNK_ELEMENTS", 200)
    fits = fit_columns(
        columns, parse("poisson"), FitSettings(restarts=2, threads=2), lambda *told: finished.append(told[3])
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
