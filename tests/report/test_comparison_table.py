"""Comparisons of many columns as a table: what their records say."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import scipy.stats

from distfit_counts import assembly
from distfit_counts.comparing import Comparisons, compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.report.comparison import write_comparisons
from distfit_counts.report.comparison_table import comparison_rows
from distfit_counts.settings import FitSettings


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
            assert row["verdicts"].split() == [v.code for v in fit.verdicts]
            assert row["comparison_verdicts"].split() == list(
                dict.fromkeys(v.code for v in one.verdicts if not v.reassuring)
            )
            assert float(row["poisson_mixture_ceiling"]) == one.ceiling.log_likelihood
    assert next(found, None) is None


def test_p_values_are_adjusted_for_the_number_of_columns(comparisons: Comparisons, tmp_path: Path) -> None:
    """Benjamini and Hochberg's, family by family, as scipy has them; the same in JSON."""
    found = rows(comparisons, tmp_path / "out.csv")
    for spec in ("poisson", "nb"):
        own = [row for row in found if row["family"] == spec and row["chi_square_p"]]
        expected = scipy.stats.false_discovery_control([float(row["chi_square_p"]) for row in own])
        assert [float(row["chi_square_p_adjusted"]) for row in own] == pytest.approx(list(expected))
    write_comparisons(comparisons, "json", tmp_path / "out.json", False)
    first = json.loads((tmp_path / "out.json").read_text().splitlines()[0])
    by_family = {row["family"]: row for row in found if row["column"] == first["column"]}
    for candidate in first["candidates"]:
        adjusted = by_family[candidate["family"]]["chi_square_p_adjusted"]
        assert candidate["goodness"]["tests"][0]["p_adjusted"] == (float(adjusted) if adjusted else None)


def test_parquet_holds_what_csv_holds(comparisons: Comparisons, tmp_path: Path) -> None:
    write_comparisons(comparisons, "parquet", tmp_path / "out.parquet", False)
    table = parquet.read_table(tmp_path / "out.parquet")
    types = {"site": "int64", "rank": "int64", "components_by_bic": "int64", "bic": "double", "verdicts": "string"}
    assert {name: str(table.schema.field(name).type) for name in types} == types
    for row, own in zip(rows(comparisons, tmp_path / "out.csv"), table.to_pylist(), strict=True):
        known = {name: x for name, x in own.items() if x not in (None, "")}
        shown = {name: str(x).lower() if isinstance(x, bool) else str(x) for name, x in known.items()}
        assert {name: text for name, text in row.items() if text} == shown


def test_certificates_and_numbers_of_components(comparisons: Comparisons, tmp_path: Path) -> None:
    found = rows(comparisons, tmp_path / "out.csv")
    # 30 zeros: no mixture is more likely than the single Poisson of rate 0.
    assert {row["poisson_mixture_ceiling"] for row in found if row["column"] == "y3"} == {"0.0"}
    assert any("optimum.certified" in row["verdicts"].split() for row in found)
    mixtures = [row for row in found if row["family"] in ("poisson", "2*poisson")]
    assert all(row["components_by_bic"] in ("1", "2") for row in mixtures)
    assert {row["components_by_bic"] for row in found if row["family"] in ("nb", "zip")} == {""}
    assert {row["bootstrap_lr_p"] for row in found} == {""}


def test_the_bootstrap_test_is_there(tmp_path: Path) -> None:
    """Two Poissons far apart: with 19 samples, of which none is as far off, p = 1/20."""
    counts = np.random.default_rng(1).poisson(np.repeat([1.0, 12.0], 60))
    column = Column("t.csv", "y", {"rank": "a"}, Histogram.of(counts))
    families = [parse(spec) for spec in ("poisson", "2*poisson", "nb")]
    found = compare_columns([column], families, FitSettings(restarts=2, replicates=19), lrt=True)
    lines = {row["family"]: row for row in rows(found, tmp_path / "out.csv")}
    (test,) = found[0].components[0].tests
    assert float(lines["2*poisson"]["bootstrap_lr"]) == pytest.approx(test.statistic)
    assert float(lines["2*poisson"]["bootstrap_lr_p"]) == pytest.approx(0.05)
    assert lines["poisson"]["bootstrap_lr_p"] == ""
    chosen = {spec: row["components_by_bootstrap_lrt"] for spec, row in lines.items()}
    assert chosen == {"poisson": "2", "2*poisson": "2", "nb": ""}
    assert {row["group.rank"] for row in lines.values()} == {"a"}
    # That the criteria agree asks for nothing.
    assert "compare.components" in [verdict.code for verdict in found[0].verdicts if verdict.reassuring]
    assert "compare.components" not in lines["nb"]["comparison_verdicts"].split()


def test_tables_are_written_without_making_a_fit(comparisons: Comparisons, monkeypatch: pytest.MonkeyPatch) -> None:
    """And say the same as the comparisons with their fits: a fit takes longer to make than all of its numbers."""
    with_fits = list(comparison_rows(comparisons, comparisons.adjusted))
    monkeypatch.setattr(assembly, "_assemble", None)
    without = list(comparison_rows(map(comparisons.ranking, range(len(comparisons))), comparisons.adjusted))
    for row, other in zip(without, with_fits, strict=True):
        assert list(row) == list(other)
        for name, value in row.items():
            close = isinstance(value, float) and value == pytest.approx(other[name], rel=1e-12)
            assert close or value == other[name], name
