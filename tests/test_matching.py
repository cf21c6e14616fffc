"""Which fit of a model is meant for which column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from distfit_counts.data.column import Column
from distfit_counts.errors import DataError
from distfit_counts.matching import match
from distfit_counts.result import Fit


@pytest.fixture(scope="module")
def base(fit) -> Fit:
    return fit([0, 1, 2], "poisson", restarts=1)


def test_one_fit_is_meant_for_every_column(base: Fit) -> None:
    columns = [Column("a.csv", "x"), Column("b.csv", "z", {"clinic": "A"})]
    assert match([base], columns) == ([(base, columns[0]), (base, columns[1])], [])


def test_by_column_and_group(base: Fit) -> None:
    fits = [replace(base, column=c, group={"clinic": g}) for c in ("x", "z") for g in (1, 2)]
    columns = [
        Column("new", "z", {"clinic": "2"}),
        Column("new", "x", {"clinic": 1}),
        Column("new", "x", {"clinic": 3}),
    ]
    pairs, left = match(fits, columns)
    assert [(fit.column, fit.group["clinic"]) for fit, _ in pairs] == [("z", 2), ("x", 1)]
    assert left == [columns[2]]


def test_by_the_name_of_the_file(base: Fit) -> None:
    fits = [replace(base, source=f"old/{name}.csv") for name in "ab"]
    ((found, _),), left = match(fits, [Column("new/b.csv", base.column)])
    assert (found.source, left) == ("old/b.csv", [])
    with pytest.raises(DataError, match=r"2 fits.*old/a.csv; old/b.csv"):
        match(fits, [Column("new/c.csv", base.column)])


@pytest.mark.parametrize(
    ("group", "asked", "column", "said"),
    [
        ({"clinic": "A"}, {}, "y", "its fits are by clinic: give --by clinic"),
        ({}, {"clinic": "A"}, "y", "leave out --by"),
        ({"clinic": "A"}, {"clinic": "C"}, "y", "clinic = A; clinic = B"),
        ({}, {}, "visits", "its columns: y; z"),
    ],
)
def test_no_fit_at_all_says_what_there_is(group: dict, asked: dict, column: str, said: str, base: Fit) -> None:
    second = {"group": {"clinic": "B"}} if group else {"column": "z"}
    fits = [replace(base, column="y", group=group), replace(base, **({"column": "y"} | second))]
    with pytest.raises(DataError, match="no fit for") as error:
        match(fits, [Column("new.csv", column, asked)])
    assert said in error.value.hint
