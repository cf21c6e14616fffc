"""Comparisons of many columns as CSV: what their records say, without their fits."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from distfit_counts import assembly
from distfit_counts.comparing import Comparisons, compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.report.comparison import write_comparisons
from distfit_counts.settings import FitSettings

SEARCHED = {"optimum.certified", "mixture.more_components"}


@pytest.fixture(scope="module")
def comparisons() -> Comparisons:
    rng = np.random.default_rng(4)
    drawn = [
        rng.poisson(2.0, 150),
        rng.poisson(rng.gamma(1.0, 4.0, 150)),
        rng.poisson(3.0, 120) + 1,
        [0] * 30,
        [0, 5, 9],
    ]
    columns = [Column("t.csv", f"y{i}", {"site": i}, Histogram.of(values)) for i, values in enumerate(drawn)]
    families = [parse(spec) for spec in ("poisson", "nb", "zip", "2*poisson", "zt(poisson)")]
    return compare_columns(columns, families, FitSettings(restarts=2))


def rows(comparisons: Comparisons, path: Path) -> list[dict[str, str]]:
    write_comparisons(comparisons, "csv", path, False)
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_lines_are_those_of_the_records(comparisons: Comparisons, tmp_path: Path) -> None:
    found = iter(rows(comparisons, tmp_path / "out.csv"))
    for one in comparisons:
        for rank, candidate in enumerate(one.candidates, start=1):
            row, fit = next(found), candidate.fit
            assert (row["column"], row["site"], row["rank"]) == (one.column, str(one.group["site"]), str(rank))
            assert (row["family"], row["equivalent"]) == (fit.family, fit.reduced.family)
            test = fit.goodness.tests[0]
            expected = {
                "log_likelihood": fit.log_likelihood,
                "aicc": fit.aicc,
                "bic": fit.bic,
                "delta_bic": candidate.delta,
                "akaike_weight": candidate.weight,
                "icl": candidate.icl,
                "chi_square": test.statistic,
                "chi_square_df": test.df,
                "chi_square_p": test.p_value,
                "prob_zero": fit.prob_zero,
                "saturated": one.saturated,
            }
            for name, value in expected.items():
                assert (row[name] == "") == (not math.isfinite(value)), name
                assert not row[name] or float(row[name]) == pytest.approx(value, rel=1e-12, abs=1e-12), name
            assert row["verdicts"].split() == [v.code for v in fit.verdicts if v.code not in SEARCHED]
            assert row["poisson_mixture_ceiling"] == ""
    assert next(found, None) is None


def test_no_fit_is_built(comparisons: Comparisons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a fit was put together")

    monkeypatch.setattr(assembly, "_assemble", forbidden)
    assert len(rows(comparisons, tmp_path / "out.csv")) == 5 * 4 + 1
    assert comparisons.converged


def test_a_single_column_has_its_ceiling(comparisons: Comparisons, tmp_path: Path) -> None:
    (one,) = single = compare_columns(comparisons.columns[:1], [parse("poisson"), parse("2*poisson")])
    found = rows(single, tmp_path / "out.csv")
    assert {float(row["poisson_mixture_ceiling"]) for row in found} == {one.ceiling.log_likelihood}
    assert [row["verdicts"].split() for row in found] == [[v.code for v in c.fit.verdicts] for c in one.candidates]
