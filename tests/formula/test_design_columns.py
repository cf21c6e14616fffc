"""The columns of a design against formulaic, which has them by another way, and against what is known of splines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import BSpline

from distfit_counts.errors import DataError, DistfitError
from distfit_counts.formula.functions import Rows
from distfit_counts.formula.matrix import Coding
from distfit_counts.formula.terms import read_terms
from distfit_counts.regression.design import Terms, matrix_of
from distfit_counts.regression.terms_state import terms_of, terms_record

N = 150
RNG = np.random.default_rng(11)
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.random(N) + 0.1,
        "k": RNG.integers(0, 5, N),
        "g": RNG.choice(list("abc"), N),
        "h": RNG.choice(["u", "v"], N),
        "stage": pd.Categorical(RNG.choice(["low", "mid", "high"], N), ["low", "mid", "high"]),
        "a b": RNG.random(N),
    }
)
TERMS = [
    *("x + z", "0 + g", "x - 1", "-1 + x", "g - 1 + h", "1", "x + 0", "g*h", "0 + g:h", "x:g", "g:x + x", "x*g*h"),
    *("g/x", "g/h", "x %in% g", "(x + z + g)**2", "(g + h + C(k))^3 - g:h", "0 + x:g + h", "g:h + x:h", "stage*x"),
    *("C(k)", "C(k):g", "C(k, Sum)", "C(g, contr.helmert)", "C(g, contr.helmert(reverse=False, scale=True))"),
    *("C(g, contr.diff(backward=False))", "C(g, Diff)", "C(k, Poly)", "C(k, contr.poly(scores=[1, 2, 4, 8, 9]))"),
    *("C(k, contr.SAS)", "C(g, Treatment('b'))", "C(g, contr.treatment('c')):x", "C(k, levels=[4, 3, 2, 1, 0])"),
    *("C(x > 0)", "C(k // 2)", "0 + C(g, Sum):h", "poly(x, 3)", "poly(x, degree=2):g", "scale(x)", "center(x)"),
    *("standardize(x)", "scale(x, center=False)", "scale(log(z))", "log(scale(z) + 9)", "scale(x, ddof=0)"),
    *("bs(x, df=5)", "bs(x, df=6, include_intercept=True)", "bs(x, df=6, include_intercept=True):g"),
    *("0 + bs(x, df=6, include_intercept=True)", "bs(x, knots=[-1, 0.5], degree=2)", "bs(x, degree=1)"),
    *(f"bs(x, df=5, lower_bound=-1, upper_bound=1, extrapolation='{way}')" for way in ("clip", "zero", "na", "extend")),
    *(f"cr(x, df=5, lower_bound=-1, upper_bound=1, extrapolation='{way}')" for way in ("clip", "zero", "na", "extend")),
    *("cr(x, df=4)", "cs(x, df=5, constraints='center')", "cr(x, knots=[-0.5, 0, 1])", "cc(x, df=4)"),
    *("cc(x, df=4, constraints='center')", "cc(x, df=5, lower_bound=-1, upper_bound=1)"),
    *("I(x**2)", "I(-x**2 + 3 * (z - x) / 2)", "np.sqrt(z) + log1p(z)", "where(x > 0, z, 1)", "I(g == 'a')"),
    *("I((x > 0) & (z < .5))", "`a b`", "log(`a b`)", "exp2(x)", "maximum(x, z)", "I(x % 2 - k // 2)", "I(2**-z)"),
]  # fmt: skip


def made(terms: str, frame: pd.DataFrame = FRAME) -> tuple[Coding, Any]:
    rows = Rows(frame, np.arange(len(frame)), {}, fitting=True)
    coding = Coding.of(read_terms(terms), rows)
    return coding, coding.matrix(rows)


@pytest.mark.parametrize("terms", TERMS)
def test_names_and_columns_are_those_of_formulaic(terms: str) -> None:
    from formulaic import model_matrix

    context = {"where": np.where, "maximum": np.maximum, "log1p": np.log1p}
    expected = model_matrix(terms, FRAME, context=context, na_action="ignore")
    coding, matrix = made(terms)
    assert list(coding.names) == list(expected.columns)
    assert matrix == pytest.approx(expected.to_numpy(dtype=np.float64), rel=1e-9, abs=1e-11, nan_ok=True)
    assert [len(places) for places in coding.by_term.values()] == [
        len(places) for places in expected.model_spec.term_indices.values()
    ]


@pytest.mark.parametrize("terms", TERMS)
def test_new_rows_are_coded_as_those_of_the_fit_also_from_a_record(terms: str) -> None:
    """Each row alone, with levels, knots and means of all rows; through JSON values and back."""
    import json

    coding, matrix = made(terms)
    back = terms_of(json.loads(json.dumps(terms_record(Terms(terms, coding)))))
    assert back.names == coding.names
    for i in (0, 17, N - 1):
        assert (
            matrix_of(back, FRAME.iloc[i : i + 1], np.array([i]))[0]
            == pytest.approx(matrix[i], rel=1e-12, abs=1e-14, nan_ok=True)
            or np.isnan(matrix[i]).any()
        )


def test_polynomials_are_orthonormal_and_raw_ones_are_powers() -> None:
    _, matrix = made("0 + poly(x, 4)")
    assert matrix.T @ matrix == pytest.approx(np.eye(4), abs=1e-12)
    coding, matrix = made("0 + poly(z, 3, raw=True)")
    assert matrix == pytest.approx(np.column_stack([FRAME["z"] ** k for k in (1, 2, 3)]))
    assert coding.names[0] == "poly(z, 3, raw=True)[1]"


def test_a_spline_whose_knots_meet_its_end_is_a_basis_there_too() -> None:
    """Quantiles of tied data are knots on the boundary: formulaic's basis jumps there, scipy's does not."""
    frame = pd.DataFrame({"x": np.r_[np.arange(8.0), np.full(12, 8.0)]})
    _, matrix = made("0 + bs(x, df=6, include_intercept=True)", frame)
    knots = np.r_[[0.0] * 4, np.quantile(frame["x"], [1 / 3, 2 / 3]), [8.0] * 4]
    assert knots[5] == 8.0
    within = frame["x"] < 8.0
    expected = BSpline.design_matrix(frame["x"][within], np.r_[knots[:5], [8.0] * 4], 3).toarray()
    assert matrix[within][:, :5] == pytest.approx(expected)
    assert matrix[~within] == pytest.approx(np.tile([0.0, 0, 0, 0, 1, 0], (12, 1)))


def test_ten_to_the_power_of_x() -> None:
    _, matrix = made("exp10(x)")
    assert matrix[:, 1] == pytest.approx(10.0 ** FRAME["x"].to_numpy())


def test_powers_of_whole_numbers_do_not_wrap() -> None:
    _, matrix = made("I(k**40) + I(k**-1)", FRAME[FRAME["k"] > 0])
    k = FRAME["k"][FRAME["k"] > 0].to_numpy(dtype=np.float64)
    assert matrix[:, 1:] == pytest.approx(np.column_stack([k**40, 1.0 / k]))


def test_truths_are_added_as_numbers() -> None:
    _, matrix = made("I((x > 0) + (z > 0.5))")
    assert set(matrix[:, 1]) == {0.0, 1.0, 2.0}


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("log(g)", "computes with words"),
        ("I(g + 1)", "computes with words"),
        ("I(g < 'b')", "computes with words"),
        ("C(g, Treatment('q'))", "'q' is none of its levels"),
        ("poly(k, 7)", "needs more than 7 distinct values, and there are 5"),
        ("scale(I(x * 0))", "all its values are the same"),
        ("bs(I(x * 0), df=4)", "boundary knots"),
        ("bs(x, df=2)", "df is 2"),
        ("bs(x, knots=[99])", "a knot lies outside"),
        ("cr(x)", "not one of df and knots"),
        ("cr(x, df=3, knots=[0])", "not one of df and knots"),
        ("cr(k, knots=[0])", "not distinct"),
        ("C(I(x * z))", None),
        ("I(~x)", "not true or false"),
        ("I(x & z)", "not true or false"),
    ],
)
def test_what_the_data_cannot_bear_is_said(terms: str, said: str | None) -> None:
    if said is None:
        assert len(made(terms)[0].names) == N
        return
    with pytest.raises(DistfitError, match=said) as error:
        made(terms)
    assert error.value.hint


def test_columns_are_counted_before_they_are_made() -> None:
    wide = pd.DataFrame({name: np.arange(1500) for name in "abc"})
    with pytest.raises(DataError, match="3,375,000,000 columns"):
        made("C(a):C(b):C(c)", wide)
    with pytest.raises(DataError, match="3,000 levels"):
        made("C(x)", pd.DataFrame({"x": np.arange(3000)}))
    with pytest.raises(DataError, match="3,000 levels"):
        made("C(x / 2)", pd.DataFrame({"x": np.arange(3000)}))
