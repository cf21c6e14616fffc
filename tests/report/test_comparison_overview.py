"""Many comparisons: an overview, and what a full report says of simulated p-values."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from distfit_counts.comparing import Comparisons, compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.report.comparison import _print
from distfit_counts.report.screen import Screen
from distfit_counts.settings import FitSettings

FAMILIES = [parse("poisson"), parse("nb")]


def compared(columns: int, **options) -> Comparisons:
    drawn = [np.random.default_rng(i).poisson(3.0 + 20.0 * (np.arange(200) % 2) * (i % 2)) for i in range(columns)]
    listed = [Column("t.csv", f"y{i}", {}, Histogram.of(counts)) for i, counts in enumerate(drawn)]
    return compare_columns(listed, FAMILIES, FitSettings(restarts=1, **options))


def text(comparisons: Comparisons, verbose: bool = False, width: int = 120) -> str:
    buffer = io.StringIO()
    _print(Screen(file=buffer, width=width, no_color=True), comparisons, verbose)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


@pytest.fixture(scope="module")
def six() -> Comparisons:
    return compared(6)


def test_more_than_a_handful_is_one_table(six: Comparisons) -> None:
    shown = text(six)
    assert shown.startswith("6 comparisons")
    assert "has the lowest BIC" not in shown
    for one in six:
        first, second = (candidate.fit.family for candidate in one.candidates)
        numbers = rf"{one.best.bic:.2f} +{second} +{one.candidates[1].delta:.2f}"
        (line,) = re.findall(rf"^ {one.column} +200 +{first} +{numbers}(.*)$", shown, re.M)
        own = [v.code for v in (*one.verdicts, *one.best.verdicts) if not v.reassuring]
        assert sorted(line.split()) == sorted(set(own))
    assert any("compare.misfit" in line for line in shown.splitlines())


def test_verbose_adds_the_reports_with_a_blank_line_between(six: Comparisons) -> None:
    lines = text(six, verbose=True).splitlines()
    titles = [i for i, line in enumerate(lines) if "has the lowest BIC" in line]
    assert len(titles) == 6
    assert all(lines[i - 1] == "" for i in titles)
    assert not any(" fitted to " in line for line in lines), "the reports of every family are too many"


@pytest.mark.parametrize("width", [30, 50, 70, 100])
def test_every_column_keeps_its_best_family(six: Comparisons, width: int) -> None:
    shown = text(six, width=width)
    assert all(re.search(rf"^ {one.column} .*{one.best.family}", shown, re.M) for one in six)
    assert "…" not in shown


def test_simulated_p_values_are_called_so() -> None:
    shown = text(compared(1, gof_replicates=19))
    assert "X² p sim." in shown
    assert "X² p sim.: simulated with 19 samples of the fit, refitted" in shown
    assert "sim." not in text(compared(1))
