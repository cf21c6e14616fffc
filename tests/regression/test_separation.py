"""Infinite coefficients are proved: none too many, none too few, and the fit in their limit is exact."""

from __future__ import annotations

import re
import time
from itertools import product
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from distfit_counts import regress
from distfit_counts.regression.directions import moved
from distfit_counts.regression.result import Regression
from distfit_counts.report.regression_record import regression_record

CASES = Path(__file__).parent / "cases"
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def notes(fit: Regression, head: str | None = None) -> dict[str, str]:
    own = fit.predictors[0] if head is None else next(own for own in fit.predictors if own.head == head)
    return {c.name: c.note for c in own.coefficients}


def in_fifty_digits(x: np.ndarray, y: np.ndarray) -> tuple[list[float], list[float], float]:
    """Coefficients, standard errors and log-likelihood of the Poisson regression of ``y`` [N] on 1 and ``x`` [N, p]."""
    with mpmath.workdps(50):
        n, scale = len(y), np.abs(x).max(axis=0)
        rows = mpmath.matrix(
            [[1, *(mpmath.mpf(float(a)) / float(s) for a, s in zip(row, scale, strict=True))] for row in x]
        )
        beta = mpmath.matrix([mpmath.log(mpmath.mpf(int(y.sum())) / n), *[0] * x.shape[1]])
        for _ in range(100):
            rate = [mpmath.exp(eta) for eta in rows * beta]
            weighted = mpmath.matrix([[rate[i] * rows[i, j] for j in range(rows.cols)] for i in range(n)])
            information = rows.T * weighted
            step = mpmath.lu_solve(
                information, rows.T * mpmath.matrix([int(k) - r for k, r in zip(y, rate, strict=True)])
            )
            reach = max(abs(value) for value in rows * step)
            beta += step * min(1, 2 / reach)
            if reach < mpmath.mpf(10) ** -30:
                break
        errors = information**-1
        eta = rows * beta
        total = sum(int(k) * e - mpmath.exp(e) - mpmath.loggamma(int(k) + 1) for k, e in zip(y, eta, strict=True))
        units = [1.0, *scale]
        return (
            [float(b / u) for b, u in zip(beta, units, strict=True)],
            [float(mpmath.sqrt(errors[j, j]) / u) for j, u in enumerate(units)],
            float(total),
        )


def ill_conditioned() -> dict[str, tuple[pd.DataFrame, str, np.ndarray]]:
    weather = pd.read_csv(CASES / "false_separation_celsius_fahrenheit.csv")
    places = pd.read_csv(CASES / "false_separation_coordinates.csv").rename(columns={"wb": "y"})
    rng, year = np.random.default_rng(1), np.arange(1950, 2011)
    years = pd.DataFrame({"year": year, "y": rng.poisson(np.exp(0.5 + 0.02 * (year - 1980)))})
    a, b, t = (own.to_numpy(dtype=np.float64) for own in (places["X4"], places["Y4"], years["year"]))
    return {
        "celsius": (weather, "y ~ temp_c + temp_f", weather[["temp_c", "temp_f"]].to_numpy()),
        "coordinates": (places, "y ~ X4 + Y4 + I(X4**2) + I(Y4**2)", np.column_stack([a, b, a**2, b**2])),
        "cubic": (years, "y ~ year + I(year**2) + I(year**3)", np.column_stack([t, t**2, t**3])),
    }


@pytest.mark.parametrize("case", ["celsius", "coordinates", "cubic"])
def test_nearly_collinear_columns_have_finite_coefficients_and_their_true_errors(case: str) -> None:
    frame, formula, x = ill_conditioned()[case]
    fit = regress(frame, formula)
    estimates, errors, total = in_fifty_digits(x, frame["y"].to_numpy())
    assert fit.converged
    assert set(notes(fit).values()) == {""}
    assert fit.log_likelihood == pytest.approx(total, abs=1e-8)
    assert [c.estimate for c in fit.predictors[0].coefficients] == pytest.approx(estimates, rel=1e-5)
    assert [c.std_error for c in fit.predictors[0].coefficients] == pytest.approx(errors, rel=1e-5)
    codes = {verdict.code: verdict.message for verdict in fit.verdicts}
    assert "terms.separation" not in codes
    assert "condition number" in codes["terms.nearly_collinear"]
    means = fit.predict(frame)["mean"]
    assert np.isfinite(means).all()
    assert means.sum() == pytest.approx(frame["y"].sum(), rel=1e-6)


def test_ordinary_columns_are_not_called_nearly_collinear() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"age": rng.uniform(20, 80, 200), "g": rng.choice(list("abc"), 200)})
    frame["y"] = rng.poisson(np.exp(0.02 * frame["age"]))
    fit = regress(frame, "y ~ age + I(age**2) + g")
    assert "terms.nearly_collinear" not in {verdict.code for verdict in fit.verdicts}


def test_what_is_exactly_collinear_is_left_out_as_ever() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.normal(size=50), "b": rng.normal(size=50)}).assign(c=lambda d: d["a"] - 2 * d["b"])
    frame["y"] = rng.poisson(np.exp(0.3 * frame["a"]))
    assert notes(regress(frame, "y ~ a + b + c")) == {"Intercept": "", "a": "", "b": "", "c": "aliased"}


# A design [N, p], counts, and which rows are separated: in the manner of Correia, Guimarães and Zylkin's sets.
SETS: dict[str, tuple[list[list[float]], list[int], list[int]]] = {
    "no zero": ([[0], [1], [2], [3]], [1, 2, 1, 4], []),
    "zeros that overlap": ([[0], [1], [2], [3]], [0, 2, 0, 4], []),
    "zeros at one end, positive counts vary": ([[0], [1], [2], [3]], [0, 0, 1, 4], []),
    "dummy of zeros": ([[0], [0], [0], [1], [1]], [1, 2, 0, 0, 0], [3, 4]),
    "dummy with one positive": ([[0], [0], [0], [1], [1]], [1, 2, 0, 0, 1], []),
    "positive counts share a value": ([[1], [1], [1], [2], [3]], [1, 2, 0, 0, 0], [3, 4]),
    "positive counts share a value in the middle": ([[1], [1], [0], [2], [3]], [1, 2, 0, 0, 0], []),
    "two dummies of zeros": ([[0, 0], [0, 0], [1, 0], [0, 1]], [1, 2, 0, 0], [2, 3]),
    "dummy of zeros beside a slope": ([[0, 1], [0, 2], [0, 3], [1, 1], [1, 5]], [1, 0, 2, 0, 0], [3, 4]),
    "difference of two columns": ([[1, 1], [2, 2], [3, 3], [1, 0], [2, 1]], [1, 0, 2, 0, 0], [3, 4]),
    "difference of two columns, both signs": ([[1, 1], [2, 2], [3, 3], [1, 0], [1, 2]], [1, 0, 2, 0, 0], []),
    "sum of two columns": ([[1, -1], [2, -2], [0, 0], [1, 0], [0, 1]], [1, 1, 2, 0, 0], [3, 4]),
    "three columns": ([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 2]], [2, 1, 1, 0, 0, 0], [4, 5]),
    "three columns, both signs": (
        [[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, -2]], [2, 1, 1, 0, 0, 0], []
    ),
    "zeros that hold each other": (
        [[0, 0], [0, 0], [1, 0], [0, 1], [-1, -1]], [1, 2, 0, 0, 0], []
    ),
    "zeros that hold each other but one": (
        [[0, 0], [0, 0], [1, 0], [-1, 0], [0, 1]], [1, 2, 0, 0, 0], [4]
    ),
    "one positive count": ([[0, 0], [1, 0], [0, 1], [1, 1]], [3, 0, 0, 0], [1, 2, 3]),
    "one positive count within": ([[0], [1], [-1], [2]], [3, 0, 0, 0], []),
    "far columns": ([[1e6], [1e6], [1e6 + 1], [1e6 + 2]], [1, 2, 0, 0], [2, 3]),
    "far columns that overlap": ([[1e6], [1e6 + 1], [1e6 + 1], [1e6 + 2]], [1, 2, 0, 0], []),
    "small column": ([[0], [0], [1e-9], [2e-9]], [1, 2, 0, 0], [2, 3]),
    "interaction": (
        [[a, b, a * b] for a, b in product([0, 1], repeat=2) for _ in range(2)], [1, 2, 3, 0, 4, 1, 0, 0], [6, 7]
    ),
    "chain": ([[1, 0], [1, 0], [1, 1], [1, 2], [0, 0], [2, 0]], [1, 2, 0, 0, 1, 1], [2, 3]),
    "nearly held": ([[0, 0], [0, 0], [1, 0], [-1, 1e-6]], [1, 2, 0, 0], [2, 3]),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("family", ["poisson", "geometric"])
def test_separated_rows_are_found_and_no_others(name: str, family: str) -> None:
    x, y, rows = SETS[name]
    columns = [f"x{j}" for j in range(len(x[0]))]
    frame = pd.DataFrame(x, columns=columns).assign(y=y)
    fit = regress(frame, f"y ~ {' + '.join(columns)}", family)
    assert fit.converged
    assert np.flatnonzero(fit.predict(frame)["mean"] == 0.0).tolist() == rows
    infinite = [name for name, note in notes(fit).items() if note in ("lower", "upper", "not identified")]
    assert bool(infinite) == bool(rows)
    # The supremum is the maximum of the rows that are left.
    rest = frame.drop(index=rows)
    left = [c for c in columns if np.ptp(rest[c]) > 0.0] or ["1"]
    assert fit.log_likelihood == pytest.approx(
        regress(rest, f"y ~ {' + '.join(left)}", family).log_likelihood, abs=1e-7
    )
    if rows:
        (told,) = [verdict.message for verdict in fit.verdicts if verdict.code == "terms.separation"]
        assert ", ".join(str(row + 1) for row in rows) in told
        record = regression_record(fit)["predictors"][fit.predictors[0].head]["coefficients"][infinite[0]]
        assert record["estimate"] is None
        assert record["note"]


def test_the_sets_of_ppmlhdfe() -> None:
    """Their own column says which rows are separated: of 11 none, of 15 the nine with x3 = 1."""
    for number, formula in ((11, "y ~ x1"), (15, "y ~ x1 + x2 + x3")):
        frame = pd.read_csv(CASES / f"ppml{number}.csv")
        fit = regress(frame, formula)
        assert ((fit.predict(frame)["mean"] == 0.0) == (frame["separated"] == 1)).all()


def separated(x: np.ndarray, up: Bools, down: Bools) -> Bools:
    """Which rows of ``x`` [N, p] are moved by a direction that each row allows: ``up``, ``down`` or not at all."""
    one, none, p = up ^ down, ~up & ~down, x.shape[1]
    signed, slack = np.where(up[one], 1.0, -1.0)[:, None] * x[one], np.eye(int(one.sum()))
    found = linprog(
        np.concatenate([np.zeros(p), -np.ones(len(slack))]),
        A_ub=np.hstack([-signed, slack]),
        b_ub=np.zeros(len(slack)),
        A_eq=np.hstack([x[none], np.zeros((int(none.sum()), len(slack)))]) if none.any() else None,
        b_eq=np.zeros(int(none.sum())) if none.any() else None,
        bounds=[(None, None)] * p + [(0.0, 1.0)] * len(slack),
        method="highs-ipm",
    )
    rows = np.zeros(len(x), dtype=bool)
    rows[np.flatnonzero(one)[found.x[p:] > 0.5]] = True
    return rows


def random_design(rng: np.random.Generator) -> np.ndarray:
    n, p = int(rng.integers(6, 40)), int(rng.integers(1, 5))
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(-1, 2, (n, p)).astype(np.float64)
    if kind == 1:
        return (rng.random((n, p)) < 0.3).astype(np.float64)
    if kind == 2:
        return rng.normal(size=(n, p)).round(int(rng.integers(0, 4)))
    year = rng.integers(1950, 2020, n).astype(np.float64)
    return np.column_stack([year**k for k in range(1, min(p, 3) + 1)])


def compared(family: str, seeds: range) -> int:
    """How many of the designs are separated; each fit must agree with the linear programme."""
    some = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        x = random_design(rng)
        z = (x - x.mean(axis=0)) / np.where(np.ptp(x, axis=0) > 0.0, x.std(axis=0), 1.0)
        eta = rng.normal(-0.5, 1.0) + z @ rng.normal(size=x.shape[1]) * rng.choice([0.5, 2.0])
        y = rng.poisson(np.exp(np.minimum(eta, 3.0)))
        if family == "bernoulli":
            y = np.minimum(y, 1)
        elif family == "zt(poisson)":
            y = y + 1
        if len(set(y.tolist())) < 2:
            continue
        columns = [f"x{j}" for j in range(x.shape[1])]
        frame = pd.DataFrame(x, columns=columns).assign(y=y)
        fit = regress(frame, f"y ~ {' + '.join(columns)}", family, restarts=1)
        never = np.zeros(len(y), dtype=bool)
        sides = {"bernoulli": (y == 1, y == 0), "zt(poisson)": (never, y == 1)}.get(family, (never, y == 0))
        # Orthogonal columns: the programme's tolerance is one of the rows.
        left, values, _ = np.linalg.svd(np.column_stack([np.ones(len(y)), z]), full_matrices=False)
        rows = separated(left[:, values > 1e-10 * values[0]] * len(y) ** 0.5, *sides)
        found = fit.predict(frame)["mean"].to_numpy()
        ends = {"bernoulli": (found == 0.0) | (found == 1.0), "zt(poisson)": found == 1.0}.get(family, found == 0.0)
        assert fit.converged, seed
        assert ends[rows].all(), seed
        assert (moved(np.column_stack([np.ones(len(y)), x]), fit.predictors[0].unbounded) == rows).all(), seed
        assert bool({"lower", "upper", "not identified"} & set(notes(fit).values())) == rows.any(), seed
        some += int(rows.any())
    return some


@pytest.mark.parametrize("family", ["poisson", "bernoulli", "zt(poisson)"])
def test_random_designs_are_judged_as_by_a_linear_programme(family: str) -> None:
    assert compared(family, range(100, 115)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("family", ["poisson", "bernoulli", "zt(poisson)", "nb", "geometric"])
def test_many_random_designs_are_judged_as_by_a_linear_programme(family: str) -> None:
    assert compared(family, range(2_000, 2_120)) > 5


@pytest.mark.parametrize("family", ["hurdle(poisson)", "zip", "hurdle(nb)"])
def test_a_zero_part_that_covariates_settle(family: str) -> None:
    """All zeros lie below x = 0, all counts above: P(Y = 0) is 1 and 0, and the counts are those of their own fit."""
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(-2.0, -0.1, 30), rng.uniform(0.1, 2.0, 60)])
    frame = pd.DataFrame({"x": x, "y": np.where(x < 0.0, 0, 1 + rng.poisson(2.0, 90))})
    fit = regress(frame, "y ~ 1 | x", family, restarts=3)
    zero = "pi" if family == "zip" else "p0"
    assert notes(fit, zero) == {"Intercept": "not identified", "x": "lower"}
    assert fit.predict(frame)["prob_zero"][:30].to_numpy() == pytest.approx(np.ones(30))
    assert "complete separation" in "".join(v.message for v in fit.verdicts if v.code == "terms.separation")
    alone = regress(frame[x > 0.0], "y ~ 1", {"zip": "poisson", "hurdle(poisson)": "zt(poisson)"}.get(family, "zt(nb)"))
    assert fit.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-6)


def test_levels_that_run_off_keep_their_proportions() -> None:
    """Of group b the first level is missing: both others grow without bound there, at 1 to 2 as they were seen."""
    kinds = ["u"] * 3 + ["v"] * 2 + ["w"] * 4 + ["v"] * 2 + ["w"] * 4
    frame = pd.DataFrame({"kind": kinds, "g": ["a"] * 9 + ["b"] * 6})
    fit = regress(frame, "kind ~ g", "categorical")
    assert fit.converged
    found = fit.predict(pd.DataFrame({"g": ["a", "b"]}))
    assert found[["prob_u", "prob_v", "prob_w"]].to_numpy() == pytest.approx(
        np.array([[3 / 9, 2 / 9, 4 / 9], [0.0, 2 / 6, 4 / 6]]), abs=1e-6
    )
    expected = 3 * np.log(3 / 9) + 2 * np.log(2 / 9) + 4 * np.log(4 / 9) + 2 * np.log(1 / 3) + 4 * np.log(2 / 3)
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-8)
    assert {notes(fit, level)["g[T.b]"] for level in ("v", "w")} == {"upper"}


def test_weights_of_zero_forbid_nothing() -> None:
    frame = pd.DataFrame({"y": [1, 2, 0, 0, 5], "x": [0, 0, 1, 1, 1], "w": [1, 1, 1, 1, 0]})
    assert notes(regress(frame, "y ~ x", weights="w")) == {"Intercept": "", "x": "lower"}
    assert notes(regress(frame, "y ~ x")) == {"Intercept": "", "x": ""}


def test_new_rows_beyond_what_separation_settles_are_not_known() -> None:
    """Both x1 + x2 and x1 + 2 x2 run to minus infinity: of x1 alone nothing is known, of x1 + 1.5 x2 all is."""
    frame = pd.DataFrame({"y": [1, 2, 0, 0], "x1": [0, 0, 1, 1], "x2": [0, 0, 1, 2]})
    fit = regress(frame, "y ~ x1 + x2")
    assert notes(fit) == {"Intercept": "", "x1": "not identified", "x2": "not identified"}
    found = fit.predict(pd.DataFrame({"x1": [0.0, 1.0, 1.0], "x2": [0.0, 1.5, 0.0]}))["mean"].to_numpy()
    assert found == pytest.approx([1.5, 0.0, np.nan], nan_ok=True)


def test_a_tail_that_newton_leaves_slowly_is_followed_to_its_end() -> None:
    """One row lies a millionth beyond the positive counts: it is settled only where the others are long since."""
    frame = pd.DataFrame({"y": [1, 2, 0, 0], "x": [0.0, 0.0, 1e-6, 1.0]})
    fit = regress(frame, "y ~ x", max_steps=50)
    assert fit.converged
    assert notes(fit)["x"] == "lower"
    assert fit.predict(frame)["mean"].to_numpy() == pytest.approx([1.5, 1.5, 0.0, 0.0])
    assert fit.log_likelihood == pytest.approx(3 * np.log(1.5) - 3.0 - np.log(2.0), abs=1e-9)


def test_a_size_that_grows_for_a_group_is_infinite_there() -> None:
    """Group b scatters less than a Poisson: its size runs to infinity, that of group a does not."""
    rng = np.random.default_rng(6)
    a, b = rng.negative_binomial(1, 0.2, 80), rng.binomial(10, 0.5, 80)
    frame = pd.DataFrame({"y": np.concatenate([a, b]), "g": ["a"] * 80 + ["b"] * 80})
    fit = regress(frame, "y ~ g", "nb", formulas={"size": "~ g"})
    assert notes(fit, "size") == {"Intercept": "", "g[T.b]": "upper"}
    parts = [regress(frame[frame["g"] == own], "y ~ 1", family) for own, family in (("a", "nb"), ("b", "poisson"))]
    assert fit.log_likelihood == pytest.approx(sum(part.log_likelihood for part in parts), abs=1e-6)
    assert np.isfinite(fit.predict(frame, interval=True).drop(columns="row")).all(axis=None)


def test_a_component_at_its_poisson_limit_is_no_separation() -> None:
    fit = regress(pd.read_csv(CASES / "nb_mixture_poisson_limit.csv"), "y ~ x", "2*nb")
    codes = {verdict.code: verdict.message for verdict in fit.verdicts}
    assert "terms.separation" not in codes
    number = re.search(r"component (\d) is a Poisson", codes["mixture.nb.poisson_limit"])
    assert number is not None
    size = next(own for own in fit.predictors if own.head == f"size[{number.group(1)}]")
    assert size.natural is not None
    assert size.natural[0] == np.inf
    assert regression_record(fit)["predictors"][size.head]["natural"]["infinite"] == ["estimate"]


def test_what_is_0_whatever_is_unknown_is_predicted() -> None:
    """All of level b are structural zeros: of their rate nothing is known, and of their counts everything."""
    y = [0, 3, 1, 0, 4, 2, 0, 5, 0, 0, 0, 0]
    frame = pd.DataFrame({"y": y, "g": ["a"] * 8 + ["b"] * 4})
    found = regress(frame, "y ~ g", "zip").predict(pd.DataFrame({"g": ["b"]}), pmf=[1])
    assert found[["mean", "prob_zero", "pmf_1"]].iloc[0].tolist() == [0.0, 1.0, 0.0]


def test_many_rows_that_a_level_settles_are_no_large_programme() -> None:
    """Only the rows that are nearly settled enter it: of 50,000 a few thousand, and one direction."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=50_000), "g": rng.choice(list("abcd"), 50_000)})
    frame["y"] = np.where(frame["g"] == "d", 0, rng.random(50_000) < 0.3).astype(int)
    begun = time.perf_counter()
    assert notes(regress(frame, "y ~ x + g", "bernoulli"))["g[T.d]"] == "lower"
    assert time.perf_counter() - begun < 20.0


def test_more_columns_than_rows_are_collinear() -> None:
    """Rounding took 94 of 101 columns for independent on 80 rows."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "y": rng.poisson(2.0, 80)})
    fit = regress(frame, "y ~ bs(x, df=100)")
    assert "terms.collinear" in {verdict.code for verdict in fit.verdicts}
    assert np.isfinite(fit.log_likelihood)
