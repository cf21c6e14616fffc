"""``from distfit_counts import fit, sample, load``: every kind of column gives the same Fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from distfit_counts import DistfitError, Fit, Histogram, compare, fit, load, load_all, sample

COUNTS = sample("zip", {"pi": 0.4, "rate": 3.0}, 2000, seed=1)


@pytest.mark.parametrize(
    "data",
    [
        list(COUNTS),
        tuple(COUNTS),
        COUNTS.astype(np.uint8),
        COUNTS.astype(float),
        pd.Series(COUNTS),
        pd.Series(COUNTS, dtype="Int64"),
        pd.Series(list(COUNTS), dtype=object),
        pd.DataFrame({"y": COUNTS, "name": "x"}),
        pl.Series(COUNTS),
        pl.DataFrame({"y": COUNTS}),
        pa.array(COUNTS),
        pa.chunked_array([COUNTS[:7], COUNTS[7:]]),
        pa.table({"y": COUNTS}),
        torch.tensor(COUNTS),
        {"y": COUNTS},
        Histogram.of(COUNTS),
    ],
    ids=lambda data: f"{type(data).__module__}.{type(data).__name__}",
)
def test_any_column_gives_the_same_fit(data: object) -> None:
    found = fit(data, "zip", restarts=3)
    assert isinstance(found, Fit)
    assert found.log_likelihood == fit(COUNTS, "zip", restarts=3).log_likelihood


def test_what_a_fit_answers() -> None:
    found = fit(COUNTS, "zip")
    pi, rate = found.parameters["pi"].estimate, found.parameters["rate"].estimate
    assert found.to_frame().loc["rate", "estimate"] == rate
    assert "10 of 10 restarts" in found.summary()
    assert found.mean == pytest.approx((1 - pi) * rate)
    assert found.mean == pytest.approx(COUNTS.mean(), rel=1e-8)
    assert found.variance == pytest.approx((1 - pi) * rate * (1 + pi * rate))
    assert found.pmf(0) == pytest.approx(pi + (1 - pi) * np.exp(-rate))
    assert found.pmf([0, 1]).shape == (2,)
    assert found.pmf(np.arange(60)).sum() == pytest.approx(1.0)
    assert found.sample(5, seed=3).dtype == np.int64
    assert (found.sample(5, seed=3) == found.sample(5, seed=3)).all()
    assert found.distribution().log_prob(torch.tensor(2.0)).exp().item() == pytest.approx(found.pmf(2).item())


def test_missing_values_columns_and_groups() -> None:
    frame = pd.DataFrame({"g": ["a", "b"] * 3, "x": [1, 2, None, 4, 5, 6], "y": [0, 1, 2, 3, 4, 5]})
    assert fit(frame, "poisson", column="x").histogram.n_missing == 1
    groups = fit(frame, "poisson", column="y", by="g")
    assert [dict(found.group) for found in groups] == [{"g": "a"}, {"g": "b"}]
    both = fit(frame, "poisson", column=["x", "y"])
    assert [found.column for found in both] == ["x", "y"]
    weighted = fit({"y": [0, 3], "n": [2, 1]}, "poisson", column="y", weights="n")
    assert weighted.mean == pytest.approx(1.0)


def test_comparisons_of_columns_and_groups_are_those_of_each() -> None:
    frame = pd.DataFrame({"g": ["a", "b"] * 20, "x": COUNTS[:40], "y": COUNTS[40:80]})
    few = ["poisson", "geometric"]
    both = compare(frame, few, column=["x", "y"])
    assert [found.column for found in both] == ["x", "y"]
    for found in both:
        alone = compare(frame, few, column=found.column)
        pd.testing.assert_frame_equal(found.to_frame(), alone.to_frame())
        assert found.best.family == alone.best.family
    groups = compare(frame, few, column="y", by="g")
    assert [dict(found.group) for found in groups] == [{"g": "a"}, {"g": "b"}]
    assert groups[1].histogram.same(Histogram.of(COUNTS[41:80:2]))
    assert [found.column for found in compare(frame, few, column=["x"])] == ["x"], "a sequence of one"
    assert len(compare(frame, few, column=["[xy]"], by=["g"])) == 4


@pytest.mark.parametrize(
    "call", [lambda *data: fit(*data, "poisson", column="[xy]"), lambda *data: compare(*data, column="[xy]")]
)
def test_a_pattern_that_matches_several_is_not_one_column(call: Callable[..., object]) -> None:
    with pytest.raises(DistfitError, match=r"2 columns match '\[xy\]'\nname one column, or give column=\['\[xy\]'\]"):
        call({"x": [0, 1, 2], "y": [3, 4, 5]})


def test_save_and_load(tmp_path: Path) -> None:
    found = fit(COUNTS, "nb")
    found.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.summary() == found.summary()
    assert again.parameters == found.parameters
    assert again.pmf(3) == found.pmf(3)
    assert [each.family for each in load_all(tmp_path / "model.json")] == ["nb"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([1, 2.5], "row 2"),
        ([3, -1], "-1 is negative"),
        (["few"], "'few'"),
        ([None, None], "only missing"),
        (np.zeros((2, 2)), "2 dimensions"),
        (pd.DataFrame({"a": [1], "b": [2]}), "a, b"),
        ([True, False], "bool"),
        ([], "no data"),
        (3, "int"),
    ],
)
def test_bad_data_is_refused_in_words(data: object, said: str) -> None:
    with pytest.raises(DistfitError, match=said):
        fit(data, "poisson")


def test_bad_options_are_refused_in_words() -> None:
    for options in ({"optimizer": "lbfgs"}, {"restarts": 0}, {"level": 1.5}, {"components": 2}):
        with pytest.raises(DistfitError):
            fit(COUNTS, "nb", **options)
    with pytest.raises(DistfitError, match="rate"):
        sample("poisson", {"rate": -1.0}, 3)


@pytest.mark.parametrize(
    "options", [{"ci": "profile"}, {"ci": "bootstrap"}, {"ci": "bootstrap", "bootstrap": "parametric"}]
)
def test_other_intervals_around_the_same_estimates(options: dict, tmp_path: Path) -> None:
    wald, found = fit(COUNTS, "zip"), fit(COUNTS, "zip", replicates=99, **options)
    assert found.ci == options["ci"]
    assert found.log_likelihood == wald.log_likelihood
    for name, e in found.parameters.items():
        assert e.estimate == wald.parameters[name].estimate
        assert e.lower < e.estimate < e.upper
        assert (e.lower, e.upper) != (wald.parameters[name].lower, wald.parameters[name].upper)
    assert f"{options['ci']} interval" in found.summary()
    found.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.parameters == found.parameters
    assert again.summary() == found.summary()


def test_infinite_ends_are_saved_and_loaded(tmp_path: Path) -> None:
    """JSON has no infinity: an end that does not exist comes back as one."""
    found = fit([7] * 30, "nb", ci="profile")
    size = found.parameters["size"]
    assert (size.lower > 0.0, size.upper) == (True, float("inf"))
    found.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert repr(again.parameters) == repr(found.parameters), "NaN where there is no standard error"
    assert again.summary() == found.summary()
    assert again.goodness.bins == found.goodness.bins


def test_an_absent_bootstrap_interval_is_saved_and_loaded(tmp_path: Path) -> None:
    """Every replicate of constant counts is at the Poisson limit: there is no interval, then or later."""
    found = fit([7] * 30, "nb", ci="bootstrap", replicates=39)
    found.save(tmp_path / "model.json")
    assert load(tmp_path / "model.json").summary() == found.summary()


def test_simulated_goodness_of_fit_is_saved_and_loaded(tmp_path: Path) -> None:
    found = fit(COUNTS, "zip", gof_replicates=19)
    assert all(test.p_value >= 1 / 20 for test in found.goodness.tests)
    found.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert repr(again.goodness) == repr(found.goodness)
    assert again.tests == found.tests
    assert again.correlation == found.correlation


@pytest.mark.parametrize(
    "options",
    [
        {"ci": "likelihood"},
        {"bootstrap": "smooth"},
        {"replicates": 5},
        {"gof_replicates": -1},
        {"gof_replicates": 7},
    ],
)
def test_bad_ways_to_judge_are_refused_in_words(options: dict) -> None:
    with pytest.raises(DistfitError):
        fit(COUNTS, "nb", **options)


@pytest.mark.parametrize("do", [lambda *a, **k: fit(a[0], "nb", **k), lambda *a, **k: compare(a[0], ["nb"], **k)])
def test_what_has_no_value_is_left_out_of_many(do) -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, None], "z": [None] * 4, "g": ["a", "a", "a", "b"]})
    with pytest.warns(UserWarning, match='"z" has only missing values: left out'):
        (own,) = do(frame[["y", "z"]], column=["*"])
    assert own.column == "y"
    with pytest.warns(UserWarning, match='"y", g = b has only missing values: left out'):
        (own,) = do(frame, column="y", by="g")
    assert own.group == {"g": "a"}
    with pytest.raises(DistfitError, match="only missing values"):
        do(frame, column="z")


@pytest.mark.parametrize("families", ["nb,poisson", []])
def test_families_that_are_no_list_are_refused(families: object) -> None:
    with pytest.raises(DistfitError, match="no list of families"):
        compare([1, 2, 3], families)
