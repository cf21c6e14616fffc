"""The same values give the same terms from any format; what cannot be is named with its file, row and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distfit_counts import DistfitError, regress
from distfit_counts.commands.predict import predict as predict_command
from distfit_counts.data.frames import column_names, placed, read_frame
from distfit_counts.data.source import RowError
from distfit_counts.regression.regress import Request
from distfit_counts.regression.regress import regress as fitted
from distfit_counts.settings import FitSettings

RNG = np.random.default_rng(5)
N = 120


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    days = pd.to_datetime(RNG.choice(["2020-01-01", "2021-06-30"], N))
    return pd.DataFrame(
        {
            "y": RNG.poisson(2, N),
            "x": RNG.normal(size=N),
            "smokes": RNG.random(N) > 0.4,
            "day": days,
            "date": days.date,
            "at": pd.to_datetime(RNG.choice(["2020-01-01 10:30:00", "2021-06-30 11:00:00"], N)),
            "stage": pd.Categorical(
                RNG.choice(["low", "mid", "high"], N), ["low", "mid", "high", "never"], ordered=True
            ),
        }
    )


def files(frame: pd.DataFrame, folder: Path) -> tuple[str, str]:
    csv, parquet = str(folder / "t.csv"), str(folder / "t.parquet")
    frame.to_csv(csv, index=False)
    frame.to_parquet(parquet)
    return csv, parquet


def from_file(path: str, formula: str) -> list[str]:
    request = Request(formula, "poisson")
    fit = fitted(read_frame([path], request.kinds()), request, FitSettings(restarts=1))
    return list(fit.coefficients["rate"])


def test_truth_and_dates_are_the_same_levels_everywhere(frame: pd.DataFrame, tmp_path: Path) -> None:
    terms = ["Intercept", "smokes[T.true]", "day[T.2021-06-30]", "date[T.2021-06-30]", "at[T.2021-06-30 11:00:00]"]
    formula = "y ~ smokes + day + date + at"
    for path in files(frame, tmp_path):
        assert from_file(path, formula) == terms
    assert list(regress(frame, formula).coefficients["rate"]) == terms


def test_categories_keep_their_order_from_memory_and_from_parquet(frame: pd.DataFrame, tmp_path: Path) -> None:
    """CSV has no order: there the first level is the first in the alphabet. A level without rows is none."""
    csv, parquet = files(frame, tmp_path)
    assert from_file(parquet, "y ~ stage") == ["Intercept", "stage[T.mid]", "stage[T.high]"]
    assert from_file(csv, "y ~ stage") == ["Intercept", "stage[T.low]", "stage[T.mid]"]
    assert list(regress(frame, "y ~ stage").coefficients["rate"]) == ["Intercept", "stage[T.mid]", "stage[T.high]"]


def test_a_model_of_one_format_predicts_from_any(frame: pd.DataFrame, tmp_path: Path) -> None:
    csv, parquet = files(frame, tmp_path)
    formula = "y ~ smokes + day + stage"
    request = Request(formula, "poisson")
    fit = fitted(read_frame([parquet], request.kinds()), request, FitSettings(restarts=1))
    fit.save(tmp_path / "m.json")
    expected = regress(frame, formula).predict(frame)["mean"].to_numpy()
    for path in (csv, parquet):
        predict_command(tmp_path / "m.json", [path], output=tmp_path / "p.csv", quiet=True)
        assert pd.read_csv(tmp_path / "p.csv")["mean"].to_numpy() == pytest.approx(expected)


def test_a_dot_is_all_other_columns(frame: pd.DataFrame, tmp_path: Path) -> None:
    small = frame[["y", "x", "smokes"]].rename(columns={"smokes": "now smoking"}).assign(years=1.0 + frame["x"] ** 2)
    written = regress(small, "y ~ x + `now smoking`", exposure="years")
    dotted = regress(small, "y ~ .", exposure="years")
    assert dotted.log_likelihood == pytest.approx(written.log_likelihood, abs=1e-9)
    less = regress(small, "y ~ . - x", exposure="years")
    assert list(less.coefficients["rate"]) == ["Intercept", "now smoking[T.true]"]
    assert column_names([files(small, tmp_path)[0]]) == list(small.columns)
    assert column_names([files(small, tmp_path)[1]]) == list(small.columns)
    with pytest.raises(DistfitError, match="stdin"):
        column_names(["-"])


@pytest.mark.parametrize(
    ("term", "option"),
    [("offset(log(x))", "--exposure x"), ("offset(np.log(x))", "--exposure x"), ("offset(x)", "--offset x")],
)
def test_an_offset_in_the_formula_is_answered_with_the_option(term: str, option: str) -> None:
    with pytest.raises(DistfitError) as error:
        regress({"y": [1, 2], "x": [1.0, 2.0]}, f"y ~ {term}")
    assert option in error.value.hint


def test_a_spline_outside_of_the_data_of_the_fit_names_the_row(frame: pd.DataFrame) -> None:
    fit = regress(frame, "y ~ bs(x, df=4)")
    outside = frame.assign(x=frame["x"].where(frame.index != 77, 99.0))
    with pytest.raises(DistfitError, match=r"row 78: x = 99\.0") as error:
        fit.predict(outside)
    assert "outside of the data of the fit" in error.value.hint


@pytest.mark.parametrize("value", [1e200, -1e308])
def test_a_value_that_has_no_square_is_named_not_called_collinear(frame: pd.DataFrame, value: float) -> None:
    with pytest.raises(DistfitError, match=r"row 8: the term x is .*beyond 1e\+150"):
        regress(frame.assign(x=frame["x"].where(frame.index != 7, value)), "y ~ x")


def test_a_word_among_numbers_is_a_slip_not_a_level(frame: pd.DataFrame) -> None:
    slipped = frame.assign(x=frame["x"].astype(object).where(frame.index != 5, "1,5"))
    with pytest.raises(DistfitError, match="row 6, column \"x\": '1,5' is not a number"):
        fitted(slipped, Request("y ~ x", "poisson"), FitSettings(restarts=1))
    codes = frame.assign(x=[f"{i % 30}" if i % 30 else "none" for i in range(N)])
    assert len(regress(codes, "y ~ C(x)").coefficients["rate"]) == 30


def test_a_refused_row_is_told_with_file_and_line(frame: pd.DataFrame, tmp_path: Path) -> None:
    csv, parquet = files(frame, tmp_path)
    bad = RowError(N + 4, "no", "mend it", "x")
    assert str(placed([csv, parquet], ["x"], bad)).startswith(f'{parquet}, row 5, column "x": no')
    assert str(placed([csv], ["x"], RowError(4, "no", "mend it"))).startswith(f"{csv}, row 5 (line 6): no")
    assert str(placed(["-"], ["x"], RowError(4, "no", "mend it"))).startswith("stdin, row 5: no")


def test_rows_of_several_files_say_whose_they_are(frame: pd.DataFrame, tmp_path: Path) -> None:
    csv, parquet = files(frame, tmp_path)
    regress(frame, "y ~ stage").save(tmp_path / "m.json")
    for output in ("p.csv", "p.parquet"):
        predict_command(tmp_path / "m.json", [csv, parquet], output=tmp_path / output, quiet=True)
        found = pd.read_csv(tmp_path / output) if output == "p.csv" else pd.read_parquet(tmp_path / output)
        assert list(found.columns) == ["source", "row", "mean", "prob_zero"]
        assert found["source"].tolist() == [csv] * N + [parquet] * N
        assert found["row"].tolist() == [*range(1, N + 1)] * 2
    frame.assign(stage=frame["stage"].astype(str).where(frame.index != 9, "odd")).to_csv(csv, index=False)
    with pytest.raises(DistfitError, match=r"t\.csv, row 10 \(line 11\), column \"stage\": the level 'odd'"):
        predict_command(tmp_path / "m.json", [parquet, csv], output=tmp_path / "q.csv", quiet=True)
    assert not (tmp_path / "q.csv").exists()
