"""Narrow terminals: columns stand below each other; no line is too long, no name and no number is lost or broken."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from distfit_counts.comparing import compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.new_data.check import check
from distfit_counts.regression.check import NewRows
from distfit_counts.regression.check import check as check_regression
from distfit_counts.regression.model import Model
from distfit_counts.regression.network.fit_rows import train_frame
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.saved import SavedRegression
from distfit_counts.report.check import print_checks
from distfit_counts.report.comparison import _print as print_comparisons
from distfit_counts.report.network import print_network
from distfit_counts.report.numbers import fixed, number
from distfit_counts.report.overview import print_overview
from distfit_counts.report.regression import print_regression
from distfit_counts.report.regression_check import _print as print_regression_check
from distfit_counts.report.screen import Screen, plain_text
from distfit_counts.report.terminal import print_fit, to_text
from distfit_counts.result import Fit
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
        fit = candidate.fit
        numbers = [fixed(value, places) for value, places in ((fit.log_likelihood, 3), (fit.aic, 2), (fit.bic, 2))]
        assert all(number in text for number in numbers)
        if width >= 60:
            assert re.search(rf"^ {re.escape(fit.family)} .*{numbers[0]}.* {numbers[2]}", text, re.M)
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


LONG = "a label of many words that no table has room for, " * 2 + "中文" * 20 + "x" * 70
COLUMNS = [Column("t.csv", f"c{i}", {"place": LONG + str(i), "g": i}, Histogram.of(COUNTS + i)) for i in range(3)]
MANY = [Column("t.csv", "c", {"g": label}, Histogram.of(COUNTS + i)) for i, label in enumerate("uvwxyz")]


def _fits(spec: str, columns: Sequence[Column], **options: Any) -> list[Fit]:
    return list(fit_columns(columns, parse(spec), FitSettings(restarts=2, **options)))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    found = pd.DataFrame({"x": rng.normal(size=len(COUNTS)), "g": [f"level {'abc'[i % 3]} {LONG}" for i in range(200)]})
    return found.assign(y=COUNTS, z=rng.normal(size=len(COUNTS)) ** 2)


@pytest.fixture(scope="module")
def drawn(frame: pd.DataFrame) -> dict[str, Callable[[Console], None]]:
    """Every report for people, by what it is of."""
    one, many = _fits("zinb", COLUMNS[:1], trace=True)[0], _fits("zinb", COLUMNS, ci="profile")
    families = [parse(spec) for spec in ("poisson", "nb", "zinb", "hurdle(nb)")]
    settings = FitSettings(restarts=1)
    compared = compare_columns(COLUMNS[:1], families, settings)
    ranked = compare_columns(MANY, families[:2], settings)
    linear = regress(frame, Request("y ~ x + g + z | x", "zinb", likelihood_ratio=True), settings)
    mixture = regress(frame, Request("y ~ x + g", "2*poisson"), settings)
    networks = [
        NetworkModel(
            train_frame(frame, Request(formula, family), NetworkSettings(hidden=(2,), epochs=2), None, lambda *_: None),
            *("t.csv", formula, None, None, None),
        )
        for formula, family in (("y ~ x + g", "zinb"), ("g ~ x", "categorical"))
    ]
    saved = SavedRegression(Model.of(linear), linear, linear.formula, "t.csv")
    checked = check_regression(saved, NewRows.of(saved, frame), "new.csv")
    return {
        "fit": lambda console: print_fit(console, one, True),
        "fits": lambda console: print_overview(console, many),
        "fits of several families": lambda console: print_overview(console, many + _fits("poisson", COLUMNS)),
        "comparison": lambda console: print_comparisons(console, compared, True),
        "comparisons": lambda console: print_comparisons(console, ranked, False),
        "check": lambda console: print_checks(console, [check(one, COLUMNS[1])]),
        "checks": lambda console: print_checks(console, [check(*pair) for pair in zip(many, COLUMNS, strict=True)]),
        "regression": lambda console: print_regression(console, linear, True),
        "mixture regression": lambda console: print_regression(console, mixture),
        "network": lambda console: print_network(console, networks[0], True),
        "network of levels": lambda console: print_network(console, networks[1], True),
        "check of a regression": lambda console: print_regression_check(console, checked),
    }


def _numbers(text: str) -> Counter[str]:
    """Numbers that a table holds: with a decimal point, apart from the labels."""
    return Counter(re.findall(r"(?<![\w.])-?[\d,]*\d\.\d+(?:e[+-]\d+)?(?![\w.])", text))


def _assert_whole(draw: Callable[[Console], None], width: int) -> None:
    text, wide = plain_text(draw, width), plain_text(draw, 1000)
    assert max(map(cell_len, text.splitlines())) <= width
    assert not _numbers(wide) - _numbers(text)
    assert not re.search(r"\S…|…\S", text)


@pytest.mark.parametrize("width", [60, 80])
def test_a_regression_fits_its_terminal(frame: pd.DataFrame, width: int) -> None:
    found = regress(frame, Request("y ~ x + g + z", "poisson"), FitSettings(restarts=1))
    _assert_whole(lambda console: print_regression(console, found), width)


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_too_long_and_no_number_lost(drawn: dict[str, Callable[[Console], None]], width: int) -> None:
    for draw in drawn.values():
        _assert_whole(draw, width)


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 100])
def test_long_labels_are_folded_whole(drawn: dict[str, Callable[[Console], None]], width: int) -> None:
    """The label's column, read downwards, is the label."""
    lines = plain_text(drawn["fits"], width).splitlines()
    first = next(i for i, line in enumerate(lines) if "a label" in line)
    start = lines[first].index("a label")
    end = lines[first].index("  ", start) if "  " in lines[first][start:] else len(lines[first])
    read = ""
    for line in lines[first:]:
        read += re.split(r" {2,}", line[start:])[0]
        if read.endswith("x0"):
            break
    assert end > start
    assert read.replace(" ", "") == (LONG + "0").replace(" ", "")
