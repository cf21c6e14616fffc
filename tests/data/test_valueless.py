"""Columns without a value: one that a pattern chose does not stop the others, one that was named does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from distfit_counts.data.column import Column
from distfit_counts.data.files import read_source, read_sources
from distfit_counts.data.request import Request
from distfit_counts.errors import DataError

TextFile = Callable[..., str]
TABLE = "g,a,b,c\nx,1,0,NA\ny,2,3,NA\n"


def seen(columns: Sequence[Column]) -> list[tuple[str, dict, int, int]]:
    return [(own.column, dict(own.group), own.histogram.n, own.histogram.n_missing) for own in columns]


def test_a_pattern_leaves_it_empty(text_file: TextFile) -> None:
    path = text_file(TABLE)
    assert seen(read_source(path, ["[abc]"])) == [("a", {}, 2, 0), ("b", {}, 2, 0), ("c", {}, 0, 2)]
    assert seen(read_source(path, ["a", "[c]"])) == [("a", {}, 2, 0), ("c", {}, 0, 2)]


def test_with_groups_it_is_one_column(text_file: TextFile) -> None:
    """Not as many as there are groups, each with a message."""
    found = seen(read_source(text_file(TABLE), ["[ac]"], ["g"]))
    assert found == [("a", {"g": "x"}, 1, 0), ("a", {"g": "y"}, 1, 0), ("c", {}, 0, 2)]


def test_no_weight_above_0_is_no_value(text_file: TextFile) -> None:
    path = text_file("a,b,w\n1,,1\n2,5,0\n,6,0\n")
    assert seen(read_source(path, ["[ab]"], weights="w")) == [("a", {}, 1, 0), ("b", {}, 0, 1)]


@pytest.mark.parametrize("columns", [["c"], ["a", "c"], ["[abc]", "c"], ["[c]"]])
def test_one_that_is_named_is_an_error_and_so_are_all(text_file: TextFile, columns: list[str]) -> None:
    path = text_file(TABLE)
    with pytest.raises(DataError) as caught:
        read_source(path, columns)
    assert caught.value.problem == f'column "c" of {path} has only missing values (2 of 2 rows)'


def test_of_files_that_are_one_data_set_all_count(text_file: TextFile) -> None:
    """Read side by side too: a column is valueless only where it is in every part."""
    paths = [text_file("a,b,c\n1,,\n"), text_file("a,b,c\n2,7,\n", "2.csv")]
    for threads in (1, 2):
        found = read_sources(paths, Request(["*"], threads=threads), together=True)
        assert seen(found) == [("a", {}, 2, 0), ("b", {}, 1, 1), ("c", {}, 0, 2)]
