"""Numbers for people: as many digits as their errors leave them."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from distfit_counts.report.numbers import number, resolved
from distfit_counts.report.plots.axes import NUMBERS, value_axis
from distfit_counts.report.terminal import to_text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.6929, 0.0607, "1.6929"),  # five digits are enough
        (1_000_002_346.0, 1414.2, "1,000,002,346"),
        (12_345_678.9012, 0.34, "12,345,678.90"),
        (20.123456, 0.00051, "20.12346"),
        (2.0000123e-7, 3.1e-12, "2.000012e-07"),
        (1.5e18, 1e6, "1.5000000000000e+18"),
        (3.0, 0.0, "3.0000"),
        (3.0, math.nan, "3.0000"),
        (0.0, 1.0, "0"),
        (math.inf, 1.0, "∞"),
    ],
)
def test_two_digits_of_the_error(value: float, error: float, text: str) -> None:
    assert resolved(value, error) == text


def test_digits_are_only_added() -> None:
    for value in 10.0 ** np.arange(-6.0, 7.0):
        assert resolved(value, value) == number(value)


def test_an_interval_around_a_billion_can_be_read(fit) -> None:
    y = np.random.default_rng(0).poisson(1e9, 500)
    found = fit(y, "poisson")
    (row,) = re.findall(r"^ rate +(\S+) +(\S+) +(\S+) … (\S+) ", to_text(found), re.M)
    estimate, error, lower, upper = (float(text.replace(",", "")) for text in row)
    assert estimate == pytest.approx(y.mean(), abs=1.0)
    assert lower < estimate < upper
    assert upper - lower == pytest.approx(2 * 1.96 * error, rel=0.01)


def test_ticks_are_told_apart() -> None:
    pytest.importorskip("altair")
    assert value_axis([0.1, 0.3], False)[1].to_dict()["format"] == NUMBERS
    assert value_axis([999_997_000.0, 1_000_003_000.0], False)[1].to_dict()["format"] == ",.0~f"
    assert value_axis([20_000.001, 20_000.004], False)[1].to_dict()["format"] == ",.4~f"
    assert value_axis([5.0, 5.0], False)[1].to_dict()["format"] == NUMBERS
