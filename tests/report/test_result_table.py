"""The table of many fits: as CSV and Parquet, by rows and portions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from distfit_counts import fit
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.hypotheses.adjusted import benjamini_hochberg
from distfit_counts.report import result_table
from distfit_counts.report.write import write_fits
from distfit_counts.settings import FitSettings

HEADER = (
    "parameter,estimate,std_error,lower,upper,boundary,n,n_missing,log_likelihood,n_parameters,aic,aicc,bic,"
    "converged,status,verdicts"
)


def fitted(spec: str = "nb", groups: list[dict] | None = None, count: int = 7, **options):
    rng = np.random.default_rng(2)
    means = np.linspace(2.0, 6.0, count)
    listed = groups or [{} for _ in means]
    columns = [
        Column("a.csv", f"y{i}", group, Histogram.of(rng.poisson(rng.gamma(1.0, mean, 150)), n_missing=i))
        for i, (mean, group) in enumerate(zip(means, listed, strict=True))
    ]
    return fit_columns(columns, parse(spec), FitSettings(restarts=1, **options))


def written(fits, tmp_path: Path, format: str = "csv") -> list[dict[str, str]]:
    write_fits(fits, format, tmp_path / "out.csv")
    return list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))


def test_a_row_for_every_fit_and_parameter(tmp_path: Path) -> None:
    fits = fitted()
    rows = written(fits, tmp_path)
    assert ",".join(list(rows[0])[3:19]) == HEADER
    assert [(row["column"], row["parameter"]) for row in rows] == [
        (f"y{i}", p) for i in range(7) for p in ("mean", "size")
    ]
    for row, (one, name) in zip(rows, [(f, name) for f in fits for name in f.parameters], strict=True):
        assert row["estimate"] == repr(one.parameters[name].estimate)
        assert row["bic"] == repr(one.bic)
        assert (row["n"], row["n_missing"], row["converged"]) == (str(one.n), str(one.histogram.n_missing), "true")
        tests = {test.code: test.p_value for test in (*one.goodness.tests, *one.tests)}
        assert float(row["lr.poisson.p"]) == tests["lr.poisson"]
        assert "kolmogorov_smirnov.p" not in row, "it has no p-value without simulation"


def test_adjusted_over_the_fits(tmp_path: Path) -> None:
    rows = written(fitted(), tmp_path)[::2]
    for code in ("chi_square", "g_squared", "lr.poisson"):
        p = np.array([float(row[f"{code}.p"]) for row in rows])
        assert [float(row[f"{code}.p_adjusted"]) for row in rows] == pytest.approx(benjamini_hochberg(p), rel=1e-14)


def test_one_fit_has_nothing_to_adjust(tmp_path: Path) -> None:
    rows = written([fit([0, 1, 1, 2, 5] * 20, "nb")], tmp_path)
    assert "chi_square.p" in rows[0]
    assert not [name for name in rows[0] if "adjusted" in name]
    assert "p_adjusted" not in json.dumps(record([fit([0, 1, 1, 2, 5] * 20, "nb")], tmp_path)[0])


def record(fits, tmp_path: Path) -> list[dict]:
    write_fits(fits, "json", tmp_path / "out.json")
    return [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()]


def test_json_has_the_same_adjusted_values(tmp_path: Path) -> None:
    fits = fitted()
    rows, records = written(fits, tmp_path)[::2], record(fits, tmp_path)
    for row, one in zip(rows, records, strict=True):
        tests = {test["code"]: test for test in (*one["goodness"]["tests"], *one["tests"])}
        for code in ("chi_square", "lr.poisson"):
            assert tests[code]["p_adjusted"] == float(row[f"{code}.p_adjusted"])
        assert tests["anderson_darling"]["p_adjusted"] is None


@pytest.mark.parametrize("options", [{}, {"gof_replicates": 19}, {"ci": "profile"}], ids=str)
def test_parquet_holds_what_csv_holds(tmp_path: Path, options: dict) -> None:
    groups = [{"site": name, "year": 2000 + i} for i, name in enumerate("abcdefg")]
    fits = fitted(groups=groups, **options)
    write_fits(fits, "parquet", tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    rows = written(fits, tmp_path)
    assert table.column_names == list(rows[0])
    assert [str(table.schema.field(name).type) for name in ("site", "year", "n", "estimate", "converged")] == [
        "string", "int64", "int64", "double", "bool",
    ]  # fmt: skip
    for row, own in zip(rows, table.to_pylist(), strict=True):
        for name, text in row.items():
            value = own[name]
            assert text == ("" if value is None else str(value).lower() if isinstance(value, bool) else str(value)), (
                name
            )


def test_groups_of_several_kinds_are_text(tmp_path: Path) -> None:
    write_fits(fitted(groups=[{"g": g} for g in (1, "", 2.5, None, "x", True, 3)]), "parquet", tmp_path / "out.parquet")
    found = parquet.read_table(tmp_path / "out.parquet")["g"].to_pylist()[::2]
    assert found == ["1", "", "2.5", None, "x", "True", "3"]


def test_a_group_called_like_a_column_of_the_table(tmp_path: Path) -> None:
    rows = written(fitted(groups=[{"n": i, "status": "s"} for i in range(7)]), tmp_path)
    assert [row["group.n"] for row in rows[::2]] == [str(i) for i in range(7)]
    assert {row["n"] for row in rows} == {"150"}
    assert (rows[0]["group.status"], rows[0]["status"]) == ("s", "converged")


def test_portions_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = fitted()
    whole = written(fits, tmp_path)
    write_fits(fits, "parquet", tmp_path / "whole.parquet")
    monkeypatch.setattr(result_table, "_PORTION", 3)
    assert written(fits, tmp_path) == whole
    write_fits(fits, "parquet", tmp_path / "parts.parquet")
    parts, whole_table = (parquet.read_table(tmp_path / f"{name}.parquet") for name in ("parts", "whole"))
    assert parts.equals(whole_table)


def test_fits_of_several_families_are_one_table(tmp_path: Path) -> None:
    """As ``compare --save`` keeps them."""
    mixed = [fitted("nb")[0], fitted("zip")[1], fitted("zip")[2], fitted("nb")[3]]
    rows = written(mixed, tmp_path)
    assert [row["parameter"] for row in rows] == ["mean", "size", "pi", "rate", "pi", "rate", "mean", "size"]
    assert [bool(row["lr.poisson.p"]) for row in rows] == [True] * 8
    p = [float(row["chi_square.p"]) for row in rows[::2]]
    assert [float(row["chi_square.p_adjusted"]) for row in rows[::2]] == pytest.approx(benjamini_hochberg(np.array(p)))


def test_what_is_infinite_says_so_and_what_does_not_exist_is_empty(tmp_path: Path) -> None:
    found = fit(np.random.default_rng(3).binomial(10, 0.7, 500), "nb")
    size = written([found], tmp_path)[1]
    assert (size["parameter"], size["estimate"], size["std_error"], size["boundary"]) == ("size", "inf", "", "upper")
