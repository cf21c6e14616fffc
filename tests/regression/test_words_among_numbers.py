"""A covariate of numbers in which a few values are none: missing, refused or said, never a factor without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distfit_counts import DistfitError, regress
from distfit_counts.commands.predict import predict as predict_command
from distfit_counts.data.covariates import frame_of
from distfit_counts.data.frames import read_frame
from distfit_counts.data.memory import as_table
from distfit_counts.regression.network.fit_rows import train_frame
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.regress import Request
from distfit_counts.regression.regress import regress as fitted
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

N = 60
RNG = np.random.default_rng(8)
Y = RNG.poisson(2, N)
X = RNG.normal(size=N).round(3)
REQUEST = Request("y ~ x", "poisson")


def table(**rows: str) -> pd.DataFrame:
    """``x`` as text, with other words in single rows: ``_4="."``."""
    x = X.astype(str).astype(object)
    for row, word in rows.items():
        x[int(row[1:])] = word
    return pd.DataFrame({"y": Y, "x": x})


def from_csv(frame: pd.DataFrame, folder: Path, request: Request = REQUEST) -> Regression:
    frame.to_csv(folder / "t.csv", index=False, sep="\t")
    return fitted(read_frame([str(folder / "t.csv")], request.kinds()), request, FitSettings(restarts=1))


def said(fit: Regression, code: str) -> list[str]:
    return [verdict.message for verdict in fit.verdicts if verdict.code == code]


@pytest.mark.parametrize("word", ["na", ".", "-", "n.a.", "?", "#DIV/0!", " na ", "None", "missing", "–"])
def test_a_word_for_no_value_is_missing_and_said(word: str, tmp_path: Path) -> None:
    frame = table(_4=word, _9=word)
    expected = regress({"y": np.delete(Y, [4, 9]), "x": np.delete(X, [4, 9])}, "y ~ x")
    for fit in (from_csv(frame, tmp_path), regress(frame, "y ~ x")):
        assert list(fit.coefficients["rate"]) == ["Intercept", "x"]
        assert fit.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-9)
        assert fit.n_missing == 2
        if word != "None":  # Which is missing in every column of a file, and counted in the report.
            (message,) = said(fit, "data.missing_words")
            assert message.startswith(f"x: {word!r} in 2 rows (first in row 5)")


def test_an_exposure_and_a_weight_say_it_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": Y, "x": X, "t": ["2", ".", "1"] * 20, "w": ["1", "3", "na", "1"] * 15})
    request = Request("y ~ x", "poisson", exposure="t", weights="w")
    for fit in (from_csv(frame, tmp_path, request), regress(frame, "y ~ x", exposure="t", weights="w")):
        assert [m.split(" stands")[0] for m in said(fit, "data.missing_words")] == [
            "t: '.' in 20 rows (first in row 2)",
            "w: 'na' in 15 rows (first in row 3)",
        ]
        assert fit.n_missing == 30
    (tmp_path / "bad.csv").write_text("y,x,t\n1,1,2\n2,2,1h\n")
    with pytest.raises(DistfitError, match=r'row 2 \(line 3\), column "t": \'1h\' is not a number'):
        read_frame([str(tmp_path / "bad.csv")], Request("y ~ x", "poisson", exposure="t").kinds())


def test_what_is_missing_in_the_fit_is_missing_in_predictions(tmp_path: Path) -> None:
    frame = table(_4=".")
    from_csv(frame, tmp_path).save(tmp_path / "m.json")
    predict_command(tmp_path / "m.json", [str(tmp_path / "t.csv")], output=tmp_path / "p.csv", quiet=True)
    found = pd.read_csv(tmp_path / "p.csv")["mean"]
    assert np.flatnonzero(found.isna()).tolist() == [4]
    assert np.flatnonzero(regress(frame, "y ~ x").predict(frame)["mean"].isna()).tolist() == [4]
    table(_7="abc").to_csv(tmp_path / "u.csv", index=False)
    with pytest.raises(DistfitError, match=r'row 8 \(line 9\), column "x": \'abc\' is not a number'):
        predict_command(tmp_path / "m.json", [str(tmp_path / "u.csv")], output=tmp_path / "q.csv", quiet=True)
    with pytest.raises(DistfitError, match="row 8, column \"x\": 'abc' is not a number"):
        regress(frame, "y ~ x").predict(table(_7="abc"))


def test_networks_say_it_too() -> None:
    trained = train_frame(frame_of(as_table(table(_4="."))), REQUEST, NetworkSettings(hidden=(2,), epochs=1))
    assert trained.verdicts[0].code == "data.missing_words"
    assert trained.n_missing == 1


@pytest.mark.parametrize("word", ["abc", "1.5.2", "12 cm", "<0.1", "1_000", "0x1F", "1'000"])
def test_any_other_word_among_fractions_is_refused(word: str, tmp_path: Path) -> None:
    for run in (lambda: from_csv(table(_6=word), tmp_path), lambda: regress(table(_6=word), "y ~ x")):
        with pytest.raises(DistfitError) as error:
            run()
        assert f'row 7, column "x": {word!r} is not a number' in str(error.value)
        assert "C(x)" in error.value.hint


@pytest.mark.parametrize("every", [True, False])
def test_a_decimal_comma_is_refused_with_the_number(every: bool, tmp_path: Path) -> None:
    """Of a whole column and of one value; with a missing value beside it."""
    x = [str(value).replace(".", ",") if every or i == 3 else str(round(value)) for i, value in enumerate(X)]
    x[5] = "."
    frame = pd.DataFrame({"y": Y, "x": x})
    for run in (lambda: from_csv(frame, tmp_path), lambda: regress(frame, "y ~ x")):
        with pytest.raises(DistfitError, match='column "x"') as error:
            run()
        assert "has a decimal point and no comma" in error.value.hint
        assert f"{X[0] if every else X[3]}" in error.value.hint
    assert len(regress(pd.DataFrame({"y": Y, "x": ["1,5", "2,5", "3"] * 20}), "y ~ C(x)").coefficients["rate"]) == 3


def test_levels_of_which_some_are_numbers_are_said(tmp_path: Path) -> None:
    """``3+`` among 0, 1 and 2: a factor it may be, and C() says so."""
    frame = pd.DataFrame({"y": Y, "x": ["0", "1", "2", "3+"] * 15})
    for fit in (from_csv(frame, tmp_path), regress(frame, "y ~ x")):
        assert len(fit.coefficients["rate"]) == 4
        (message,) = said(fit, "terms.mixed_levels")
        assert message.startswith("x is taken as 4 levels: 3 of them are numbers, and row 4 holds '3+'.")
    assert not said(regress(frame, "y ~ C(x)"), "terms.mixed_levels")
    assert not said(regress(frame.assign(x=["a", "b", "+", "-"] * 15), "y ~ x"), "terms.mixed_levels")


def test_numbers_as_text_in_memory_are_said() -> None:
    """By who made the frame they were meant as text; a file has no types, and there they are numbers."""
    frame = pd.DataFrame({"y": Y, "x": ["1", "2", "3"] * 20})
    (message,) = said(regress(frame, "y ~ x"), "terms.mixed_levels")
    assert "all of them are numbers, as text" in message
    for x in (X.astype(str), [f"{i % 30}" for i in range(N)]):
        with pytest.raises(DistfitError, match='column "x" holds numbers as text'):
            regress(pd.DataFrame({"y": Y, "x": x}), "y ~ x")


def test_a_leading_plus_is_a_number(tmp_path: Path) -> None:
    fit = from_csv(pd.DataFrame({"y": Y, "x": [f"{value:+}" for value in X]}), tmp_path)
    assert fit.log_likelihood == pytest.approx(regress({"y": Y, "x": X}, "y ~ x").log_likelihood, abs=1e-9)


def test_decimals_in_memory_are_numbers() -> None:
    from decimal import Decimal

    frame = pd.DataFrame({"y": Y, "x": [Decimal(str(value)) for value in X]})
    assert list(regress(frame, "y ~ x").coefficients["rate"]) == ["Intercept", "x"]
