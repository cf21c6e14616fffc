"""``from distfit_counts import fit, sample, load``: every kind of column gives the same Fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from distfit_counts import DistfitError, Fit, Histogram, compare, fit, load, load_all, regress, sample

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


def frame_of_counts() -> pd.DataFrame:
    n = len(COUNTS)
    return pd.DataFrame({"y": COUNTS, "g": np.where(np.arange(n) % 2, "a", "b"), "w": np.arange(n) % 3})


def as_lazy(kind: str, frame: pd.DataFrame) -> object:
    if kind == "polars":
        return pl.from_pandas(frame).lazy()
    if kind == "duckdb":
        import duckdb

        return duckdb.from_df(frame)
    import dask.dataframe as dd

    return dd.from_pandas(frame, npartitions=3)


LAZY = ["polars", "duckdb", "dask"]


@pytest.mark.parametrize(
    "data",
    [
        pd.Series(COUNTS).value_counts(),
        pd.DataFrame({"y": COUNTS})["y"].value_counts(),
        pd.DataFrame({"y": COUNTS}).value_counts(),
        Counter(COUNTS.tolist()),
        Counter(COUNTS),
        {float(value): number for value, number in Counter(COUNTS.tolist()).items()},
    ],
    ids=["value_counts", "named", "of a frame", "Counter", "Counter of NumPy", "dict"],
)
def test_frequencies_are_a_histogram(data: Any) -> None:
    assert fit(data, "zip", restarts=3).histogram.same(Histogram.of(COUNTS))
    assert fit(COUNTS, "zip", restarts=3).check(data).n == len(COUNTS)


def test_value_counts_in_another_order_is_never_guessed_in_silence() -> None:
    """pandas calls a column of counts that is called "count" alike."""
    counts = pd.Series(COUNTS)
    with pytest.raises(DistfitError, match=r"may be a column or value_counts\(\)"):
        fit(counts.value_counts().sort_index(), "zip")
    with pytest.warns(UserWarning, match="read as a histogram of 'y'"):
        found = fit(counts.rename("y").value_counts().sort_index(), "zip")
    assert found.n == len(COUNTS)
    column = pd.DataFrame({"count": COUNTS})["count"]
    assert fit(column[::2], "zip").n == len(COUNTS) / 2, "zeros are no frequencies"
    assert fit(column, "zip").histogram.same(Histogram.of(COUNTS))
    assert fit(dict(counts.value_counts().sort_index()), "zip").n == len(COUNTS)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({0: 1.5, 1: 2}, "1.5 is not a whole number\nweights say how often"),
        ({-1: 1, 1: 2}, "-1 is negative"),
        ({0: -1, 1: 2}, "-1 is negative"),
        ({0.5: 1, 1: 2}, "0.5 is not a whole number"),
        (pd.Series(COUNTS).value_counts(normalize=True), "not a whole number"),
        (frame_of_counts().groupby("g")["y"], "give the frame itself, with column= and by="),
        (frame_of_counts().groupby("g"), "give the frame itself"),
        ({1, 2, 3}, "a set keeps every value once"),
        ((n for n in [1, 2]), "give a list of it"),
        (np.c_[COUNTS, COUNTS], r"give one column, array\[:, 0\]"),
        ("no-such-file.csv", "no such file"),
        (object(), "give a column of whole numbers"),
        (None, "give a column of whole numbers"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:20],
)
def test_what_is_no_data_is_refused_with_what_to_pass(data: Any, said: str) -> None:
    with pytest.raises(DistfitError, match=said):
        fit(data, "poisson")


def test_a_histogram_has_no_columns() -> None:
    for more in ({"by": "g"}, {"column": "y"}, {"weights": "w"}):
        with pytest.raises(DistfitError, match="do nothing with a histogram"):
            fit({0: 3, 1: 2}, "poisson", **more)


def test_paths_are_files(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    frame_of_counts().to_csv(path, index=False)
    same = fit(COUNTS, "nb").log_likelihood
    assert fit(path, "nb", column="y").log_likelihood == fit(str(path), "nb", column="y").log_likelihood == same
    assert [found.n for found in fit(path, "nb", column="y", by="g")] == [1000, 1000]
    model = regress(path, "y ~ .")
    assert model.log_likelihood == regress(frame_of_counts(), "y ~ g + w").log_likelihood
    assert model.predict(path)["mean"].equals(model.predict(frame_of_counts())["mean"])


@pytest.mark.parametrize("kind", LAZY)
def test_lazy_frames_are_counted_where_they_are(kind: str) -> None:
    frame = frame_of_counts()
    lazy = as_lazy(kind, frame)
    assert fit(lazy, "nb", column="y").histogram.same(Histogram.of(COUNTS))
    assert fit(lazy, "nb", column="y", weights="w").histogram.same(Histogram.of(COUNTS, frame["w"]))
    both = fit(lazy, "nb", column=["y", "w"])
    assert [found.column for found in both] == ["y", "w"]
    for one, other in zip(fit(lazy, "nb", column="y", by="g"), fit(frame, "nb", column="y", by="g"), strict=True):
        assert (one.group, one.log_likelihood) == (other.group, other.log_likelihood)
    assert regress(lazy, "y ~ w + g").log_likelihood == pytest.approx(regress(frame, "y ~ w + g").log_likelihood)
    assert regress(frame, "y ~ w").predict(lazy)["mean"].equals(regress(frame, "y ~ w").predict(frame)["mean"])
    with pytest.raises(DistfitError, match='no column "z"'):
        fit(lazy, "nb", column="z")


@pytest.mark.parametrize("kind", LAZY)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"y": [1.0, 0.5]}, "0.5 is not a whole number"),
        ({"y": [1, -2]}, "-2 is negative"),
        ({"w": [0.5, 1.5]}, "weights say how often"),
        ({"w": [2.0, None]}, "a missing weight"),
    ],
)
def test_what_is_no_count_in_a_lazy_frame_is_refused(kind: str, wrong: dict[str, list[Any]], said: str) -> None:
    frame = pd.DataFrame({"y": [1, 2], "w": [1, 1]} | wrong)
    with pytest.raises(DistfitError, match=said):
        fit(as_lazy(kind, frame), "poisson", column="y", weights="w")


def test_missing_values_of_lazy_frames_are_missing() -> None:
    lazy = as_lazy("duckdb", pd.DataFrame({"y": pd.array([1, None, 3, None], dtype="Int64")}))
    assert fit(lazy, "poisson").histogram.n_missing == 2


def test_matrices_are_columns() -> None:
    import anndata
    import scipy.sparse as scipy_sparse

    dense = np.c_[COUNTS, COUNTS[::-1] // 2]
    for matrix in (scipy_sparse.csr_matrix(dense), scipy_sparse.coo_array(dense.astype(float))):
        found = fit(matrix, "nb", restarts=1)
        assert [own.column for own in found] == ["1", "2"]
        assert [own.histogram.same(Histogram.of(dense[:, i])) for i, own in enumerate(found)] == [True, True]
        assert fit(matrix, "nb", column="2", restarts=1).histogram.same(Histogram.of(dense[:, 1]))
    repeated = scipy_sparse.coo_array((np.array([2, 3]), (np.array([0, 0]), np.array([0, 0]))), shape=(4, 1))
    assert fit(repeated, "poisson", column="1").mean == pytest.approx(5 / 4), "the entries of one place are added"
    assert fit(scipy_sparse.csr_array((5, 1), dtype=int), "poisson", column="1").histogram.zeros == 5
    with pytest.raises(DistfitError, match=r"row 1, column 2: .*not a whole number"):
        fit(scipy_sparse.csr_array(dense + np.array([0, 0.5])), "nb")
    frame = frame_of_counts()
    names = [f"cell{i}" for i in range(len(frame))]
    for values in (dense.astype("f4"), scipy_sparse.csc_matrix(dense.astype("f4"))):
        cells = anndata.AnnData(
            values,
            obs=pd.DataFrame({"kind": frame["g"].to_numpy()}, index=names),
            var=pd.DataFrame(index=["GeneA", "GeneB"]),
        )
        assert [own.column for own in fit(cells, "nb", restarts=1)] == ["GeneA", "GeneB"]
        grouped = fit(cells, "nb", column="GeneA", by="kind", restarts=1)
        assert [(own.group["kind"], own.n) for own in grouped] == [("a", 1000), ("b", 1000)]


@pytest.mark.parametrize("call", [fit, compare, regress])
def test_a_wrong_option_is_told_the_nearest(call: Callable[..., Any]) -> None:
    second = {fit: "nb", compare: ["nb"], regress: "y ~ w"}[call]
    with pytest.raises(TypeError, match=r"no option 'restart'\ndid you mean restarts\?"):
        call(frame_of_counts(), second, restart=5)
    with pytest.raises(DistfitError, match="did you mean weights"):
        call(frame_of_counts(), second, weight="w")


def test_weights_are_a_column_or_its_name() -> None:
    frame = frame_of_counts()
    named = fit(frame, "nb", column="y", weights="w").log_likelihood
    shuffled = frame["w"].sample(frac=1, random_state=1)
    for weights in (frame["w"], shuffled, frame["w"].to_numpy(), frame["w"].tolist()):
        assert fit(frame["y"], "nb", weights=weights).log_likelihood == named
    with pytest.raises(DistfitError, match="2 weights for 2,000 rows"):
        fit(COUNTS, "nb", weights=[1, 2])
    with pytest.raises(DistfitError, match="the index of the weights"):
        fit(frame["y"], "nb", weights=frame["w"][5:])
    with pytest.raises(DistfitError, match="multiply shares by the number"):
        fit(frame["y"], "nb", weights=np.full(len(frame), 0.5))
    with pytest.raises(DistfitError, match="multiply shares by the number"):
        regress(frame.assign(share=1 / len(frame)), "y ~ 1", weights="share")


def test_columns_are_called_as_pandas_calls_them() -> None:
    same = fit(COUNTS, "nb").log_likelihood
    assert fit(pd.DataFrame({0: COUNTS, 1: "x"}), "nb", column=0).log_likelihood == same
    levels = pd.DataFrame({("a", "b"): COUNTS, ("a", "c"): 1})
    assert fit(levels, "nb", column=("a", "b")).log_likelihood == same
    assert fit(pd.Series(COUNTS, name=3), "nb").column == "3"
    indexed = frame_of_counts().set_index("g")
    assert [found.group for found in fit(indexed, "nb", column="y", by="g")] == [{"g": "a"}, {"g": "b"}]
    masked = np.ma.masked_array(np.r_[COUNTS, 999], mask=np.r_[COUNTS * 0, 1])
    assert fit(masked, "nb").histogram.n_missing == 1


def test_residuals_lie_where_their_counts_lie() -> None:
    """One for each row, in the rows' order: a residual of a larger count is larger."""
    frame = frame_of_counts().sample(frac=1, random_state=0)
    frame.loc[frame.index[3], "y"] = None
    model = fit(frame, "nb", column="y")
    found = model.quantile_residuals(seed=1)
    assert len(found) == len(frame)
    assert np.flatnonzero(np.isnan(found)).tolist() == [3]
    known = frame["y"].notna().to_numpy()
    y = frame["y"].to_numpy()[known]
    cuts = [found[known][y == value] for value in np.unique(y)]
    assert all(one.max() <= other.min() for one, other in pairwise(cuts))
    for own in fit(frame, "nb", column="y", by="g"):
        rows = frame[frame["g"] == own.group["g"]]["y"].to_numpy()
        residuals = own.quantile_residuals()
        assert len(residuals) == len(rows)
        assert residuals[rows == 0].max() <= residuals[rows > 0].min()


@pytest.mark.parametrize("kind", ["string", "string[pyarrow]", "category", object])
def test_text_of_every_type_is_a_factor(kind: Any) -> None:
    frame = frame_of_counts()
    same = regress(frame, "y ~ g").log_likelihood
    assert regress(frame.astype({"g": kind, "y": "Int64"}), "y ~ g").log_likelihood == same


def test_predictions_keep_the_index() -> None:
    frame = frame_of_counts()
    model = regress(frame, "y ~ w")
    expected = model.predict(frame)["mean"]
    shuffled = frame.sample(frac=1, random_state=1)
    shuffled["mu"] = model.predict(shuffled)["mean"]
    assert shuffled["mu"].sort_index().equals(expected.rename("mu"))
    kept = frame[frame["w"] > 0].copy()
    kept["mu"] = model.predict(kept)["mean"]
    assert kept["mu"].notna().all()
    for order in (pl.from_pandas(shuffled), pa.Table.from_pandas(shuffled, preserve_index=False)):
        assert (model.predict(order)["mean"].to_numpy() == shuffled["mu"].to_numpy()).all()
    with pytest.raises(DistfitError, match='no column "w" in the data'):
        model.predict(frame[["y"]])


@pytest.mark.parametrize(("data", "family"), [("zip", COUNTS), (COUNTS, None), (COUNTS, 5)])
def test_a_family_that_is_no_text_is_refused(data: Any, family: Any) -> None:
    with pytest.raises(DistfitError, match=r'data first: fit\(counts, "zip"\)'):
        fit(data, family)
