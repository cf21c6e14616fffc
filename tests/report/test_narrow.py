"""Narrow terminals: columns are dropped or stacked, never a name, and never half a number."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from distfit_counts.comparing import compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.report.comparison import _print as print_comparisons
from distfit_counts.report.numbers import fixed, number
from distfit_counts.report.overview import print_overview
from distfit_counts.report.screen import Screen
from distfit_counts.report.terminal import to_text
from distfit_counts.settings import FitSettings

COUNTS = np.random.default_rng(0).negative_binomial(2, 0.3, 200)
WIDTHS = [20, 30, 40, 50, 60, 80, 96, 120]


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("ci", ["wald", "profile"])
def test_every_parameter_keeps_its_name_and_its_whole_numbers(width: int, ci: str, fit) -> None:
    found = fit(COUNTS, "zinb", ci=ci, restarts=2)
    text = to_text(found, width)
    for name, e in found.parameters.items():
        assert re.search(rf"^ {re.escape(name)} +{re.escape(number(e.estimate))}", text, re.M), name
        if e.lower == e.lower:
            assert f"{number(e.lower)} … {number(e.upper)}" in text
        if e.std_error == e.std_error:
            assert number(e.std_error) in text
    for name, value in found.derived.items():
        if name not in ("mean", "variance", "prob_zero"):
            assert re.search(rf"^ {re.escape(name)} +{re.escape(number(value))}", text, re.M), name
    for test in found.goodness.tests:
        assert number(test.statistic, 4) in text
    assert all(fixed(restart.nll, 4) in text for restart in found.restarts)
    # Rich's mark of what it has cut off; the "…" of an interval stands between blanks.
    assert not re.search(r"\S…|…\S", text)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_keeps_every_family_and_whole_numbers(width: int) -> None:
    families = [parse(spec) for spec in ("poisson", "nb", "zinb", "hurdle(nb)")]
    found = compare_columns([Column("t", "y", {}, Histogram.of(COUNTS))], families, FitSettings(restarts=1))
    buffer = io.StringIO()
    print_comparisons(Screen(file=buffer, width=width, no_color=True), found, False)
    text = buffer.getvalue()
    for candidate in found[0].candidates:
        spec = re.escape(candidate.fit.family)
        numbers = [fixed(candidate.fit.log_likelihood, 3), fixed(candidate.fit.bic, 2)]
        assert re.search(rf"^ {spec} .*{numbers[0]}.* {numbers[1]}", text, re.M)
    assert "…" not in text


@pytest.mark.parametrize("width", [40, 50, 60, 80])
def test_from_40_characters_on_nothing_is_wider_than_the_terminal(width: int, fit) -> None:
    text = to_text(fit(COUNTS, "zinb", restarts=2), width)
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_why_there_is_no_p_value_is_said_in_any_width(width: int, fit) -> None:
    found = fit(COUNTS, "nb", restarts=2)
    assert "--gof-replicates 999" in to_text(found, width)
    assert "--gof-replicates 999" not in to_text(fit(COUNTS, "nb", restarts=2, gof_replicates=19), width)


@pytest.mark.parametrize("width", [40, 60, 64, 80, 100])
def test_counts_of_a_billion_leave_less_room_for_bars(width: int, fit) -> None:
    counts = np.random.default_rng(3).negative_binomial(3, 3 / (3 + 1e9), 200)
    lines = to_text(fit(counts, "nb", restarts=1), width).splitlines()
    bins = [line for line in lines if re.search(r"\d–\d|≥\d", line) and "┃" in line]
    assert bins or width < 80
    assert all(len(line) <= width for line in bins)


@pytest.mark.parametrize("width", [50, 60, 80])
def test_many_fits_drop_criteria_before_they_overrun(width: int) -> None:
    columns = [Column("t", name, {}, Histogram.of(COUNTS + i)) for i, name in enumerate(("c10", "c11"))]
    fits = fit_columns(columns, parse("zinb"), FitSettings(restarts=1))
    buffer = io.StringIO()
    print_overview(Screen(file=buffer, width=width, no_color=True), fits)
    table = buffer.getvalue().split("!")[0]
    assert all(len(line.rstrip()) <= width for line in table.splitlines())
    for fit in fits:
        assert all(number(e.estimate) in table for e in fit.parameters.values())
