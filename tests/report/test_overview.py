"""Many fits in one table."""

from __future__ import annotations

import io

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.report.overview import print_overview
from distfit_counts.report.screen import Screen
from distfit_counts.result import Fit
from distfit_counts.settings import FitSettings


def shown(fits: list[Fit]) -> str:
    buffer = io.StringIO()
    print_overview(Screen(file=buffer, width=100, no_color=True), fits)
    return buffer.getvalue()


def fitted(spec: str, name: str) -> Fit:
    column = Column("t.csv", name, {}, Histogram.of([0, 1, 2, 2, 3, 5, 9] * 9))
    return fit_columns([column], parse(spec), FitSettings(restarts=1))[0]


def test_fits_of_several_families_say_which_is_whose() -> None:
    """As a saved comparison of many columns holds them."""
    text = shown([fitted("poisson", "a"), fitted("nb", "b")])
    assert text.startswith("2 families: 2 fits of t.csv\n")
    lines = [line.split() for line in text.splitlines()]
    assert any(line[:2] == ["column", "family"] for line in lines)
    assert {tuple(line[:2]) for line in lines} >= {("a", "poisson"), ("b", "nb")}


def test_fits_of_one_family_show_their_parameters() -> None:
    text = shown([fitted("nb", "a"), fitted("nb", "b")])
    assert text.startswith("nb: 2 fits of t.csv\n")
    assert "size" in text
    assert "family" not in text.splitlines()[2]


def test_of_one_kind_of_remark_a_few_are_said_and_the_rest_counted() -> None:
    """Of thousands of fits, each with numbers of its own."""
    counts = [[0, 1, 2, 2, 3, 5, 9] * (9 + i) for i in range(20)]
    columns = [Column("t.csv", f"y{i}", {}, Histogram.of(own)) for i, own in enumerate(counts)]
    fits = list(fit_columns(columns, parse("poisson"), FitSettings(restarts=1)))
    code = "misfit.chi_square"
    assert all(code in [verdict.code for verdict in fit.verdicts] for fit in fits)
    text = " ".join(shown(fits).split())
    assert text.count("The counts do not follow this family") == 5
    assert f"15 more fits: {code}, with other numbers; --format csv has all" in text
    assert shown(fits[:6]).count("more fits") == 0
