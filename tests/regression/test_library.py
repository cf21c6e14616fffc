"""``from distfit_counts import regress``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.csv as pc
import pytest

from distfit_counts import DistfitError, regress


def test_frames_of_any_kind_give_the_same(repository: Path) -> None:
    path = repository / "sample_data" / "nmes1988.csv"
    fits = [
        regress(data, "visits ~ chronic + health", "nb", errors="hc1")
        for data in (pd.read_csv(path), pl.read_csv(path), pc.read_csv(path))
    ]
    assert {fit.log_likelihood for fit in fits} == {fits[0].log_likelihood}
    assert fits[0].coefficients["mean"]["chronic"].std_error > 0
    assert list(fits[0].to_frame().loc["mean"].index)[:2] == ["Intercept", "chronic"]
    assert "nb regression of visits" in fits[0].summary()


def test_a_fit_predicts_and_is_saved(repository: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(repository / "sample_data" / "nmes1988.csv")
    fit = regress(frame, "visits ~ chronic", "zip")
    found = fit.predict(frame, quantiles=[0.5], interval=True)
    assert found["mean"].mean() == pytest.approx(frame["visits"].mean(), rel=0.02)
    assert list(found.columns) == ["row", "mean", "mean_lower", "mean_upper", "prob_zero", "quantile_0.5"]
    fit.save(tmp_path / "m.json")
    assert (tmp_path / "m.json").stat().st_size > 1000


def test_what_is_no_frame_or_has_no_such_column_is_refused() -> None:
    with pytest.raises(DistfitError, match="no column"):
        regress({"y": [1, 2, 3]}, "y ~ x")
