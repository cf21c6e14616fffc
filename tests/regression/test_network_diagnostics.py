"""What a network is judged by beside its score: residuals of the held-out rows, a normal response's variance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from distfit_counts.regression.natural import GAUSSIAN, Bernoulli, Categorical, Normal
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.fit_rows import train_frame, train_parquet
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.split import chosen
from distfit_counts.regression.network.train import train
from distfit_counts.regression.predict import Wanted, predict
from distfit_counts.regression.regress import Request
from distfit_counts.regression.residuals import Residuals
from distfit_counts.report.residuals_record import residuals_record

SHORT = NetworkSettings((6,), batch_size=128, epochs=4, learning_rate=0.01, validation=0.3)


def counts(n: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": rng.poisson(rng.gamma(1.0, np.exp(0.5 * x)))})


def normals(n: int = 600) -> Arrays:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(n, 1))
    return Arrays(x, 3.0 * np.sin(x[:, 0]) + rng.normal(0.0, 0.1, n), np.ones(n), None, ("x",))


@pytest.fixture(scope="module")
def poisson() -> NetworkFit:
    return train_frame(counts(), Request("y ~ x", "poisson"), SHORT)


def held_out(fit: NetworkFit, data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Responses and predicted rates of the rows that were held out."""
    held = chosen(np.arange(len(data)), 0, 0.3)
    design = np.column_stack([np.ones(held.sum()), data["x"][held]])
    return data["y"][held].to_numpy(), np.exp(fit.predictors(design)["rate"])


def test_diagnostics_are_those_of_the_held_out_rows_by_scipy(poisson: NetworkFit) -> None:
    y, rate = held_out(poisson, counts())
    seen = poisson.residuals
    assert isinstance(seen, Residuals)
    assert len(y) == poisson.n_held_out == poisson.checkup.n
    assert seen.moments.dispersion == pytest.approx(np.mean((y - rate) ** 2 / rate))
    assert seen.moments.zeros == (np.sum(y == 0), pytest.approx(np.exp(-rate).sum()))
    assert seen.moments.mean == (pytest.approx(y.mean()), pytest.approx(rate.mean()))
    assert seen.moments.variance == (pytest.approx(y.var()), pytest.approx(rate.mean() + rate.var()))
    expected = [scipy.stats.poisson.pmf(k, rate).sum() for k in range(5)]
    assert seen.expected[:5] == pytest.approx(expected)
    assert seen.observed[:5].tolist() == [np.sum(y == k) for k in range(5)]
    u = scipy.stats.norm.cdf(seen.quantile)
    assert (u >= scipy.stats.poisson.cdf(y - 1, rate) - 1e-12).all()
    assert (u <= scipy.stats.poisson.cdf(y, rate) + 1e-12).all()


def test_counts_that_scatter_more_than_a_network_says_are_named(poisson: NetworkFit) -> None:
    """Geometric counts around the mean, whose variance is mean + mean^2."""
    by_code = {verdict.code: verdict.message for verdict in poisson.verdicts}
    assert "try nb." in by_code["misfit.overdispersed"]
    assert "zeros" in by_code["misfit.zeros"]
    right = train_frame(counts(), Request("y ~ x", "nb"), SHORT)
    assert not [verdict for verdict in right.verdicts if verdict.code.startswith("misfit")]


def test_a_stream_is_diagnosed_as_the_same_rows_in_memory(tmp_path: Path) -> None:
    """Only the held-out rows are kept, 131,072 at most: the first prediction of both is the same."""
    from distfit_counts.regression.network import summary

    counts().to_parquet(tmp_path / "c.parquet", row_group_size=400, index=False)
    still = replace(SHORT, epochs=1, learning_rate=1e-12)
    request = Request("y ~ x", "nb")
    streamed = train_parquet([tmp_path / "c.parquet"], request, still)
    held = train_frame(counts(), request, still)
    a, b = (residuals_record(fit.agreement) for fit in (streamed, held) if fit.agreement is not None)
    assert a["dispersion"] == pytest.approx(b["dispersion"])
    assert a["quantile"]["sd"] == pytest.approx(b["quantile"]["sd"], rel=1e-6)
    assert a["frequencies"][0]["expected"] == pytest.approx(b["frequencies"][0]["expected"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "HELD_OUT_ROWS", 100)
        few = train_parquet([tmp_path / "c.parquet"], request, replace(still, validation=0.0))
    assert isinstance(few.residuals, Residuals)
    assert 60 < len(few.residuals.y) < 140


def test_a_normal_response_is_scored_with_the_variance_of_its_training_rows() -> None:
    data = normals()
    fit = train(GAUSSIAN, data, replace(SHORT, epochs=30))
    held = chosen(np.arange(600), 0, 0.3)
    left = data.y - fit.predictors(data.x)["mean"]
    variance = float((left[~held] ** 2).mean())
    assert fit.variance == pytest.approx(variance)
    assert fit.checkup.log_score == pytest.approx(scipy.stats.norm.logpdf(left[held], 0, variance**0.5).mean())
    assert fit.checkup.deviance == pytest.approx((left[held] ** 2).sum() / variance)
    flat = data.y - data.y.mean()
    before = scipy.stats.norm.logpdf(flat[held], 0, np.sqrt((flat[~held] ** 2).mean())).mean()
    assert fit.checkup.gain == pytest.approx(fit.checkup.log_score - before)
    # The loss that was followed is that of unit variance: the canonical gradient knows no other.
    assert min(fit.history.held_out) == pytest.approx(-scipy.stats.norm.logpdf(left[held]).mean())
    assert isinstance(fit.residuals, NaturalResiduals)
    assert fit.residuals.quantile == pytest.approx(left[held] / variance**0.5)


def test_intervals_of_a_normal_response_come_from_its_saved_variance() -> None:
    data = pd.DataFrame({"x": normals().x[:, 0], "y": normals().y})
    fit = train_frame(data, Request("y ~ x", "gaussian"), SHORT)
    model = NetworkModel.from_record(NetworkModel(fit, "d.csv", "y ~ x", None, None, None).record())
    assert isinstance(model.rows, Normal)
    assert fit.variance is not None
    (found,) = predict(model, iter([data]), Wanted(quantiles=(0.025, 0.5)))
    assert found["quantile_0.5"] == pytest.approx(found["mean"])
    wide = scipy.stats.norm.ppf(0.025) * fit.variance**0.5
    assert found["quantile_0.025"] - found["mean"] == pytest.approx(np.full(600, wide))


def test_a_response_that_does_not_vary_has_no_infinite_score() -> None:
    data = normals(200)
    fit = train(GAUSSIAN, replace(data, y=np.full(200, 2.0)), SHORT)
    assert fit.variance is not None
    assert fit.variance > 0.0
    assert np.isfinite(fit.checkup.log_score)


@pytest.mark.parametrize("model", [Bernoulli(("no", "yes")), Categorical(("a", "b", "c", "d"))])
def test_residuals_of_levels_are_standard_normal_if_the_model_is_true(model: Bernoulli | Categorical) -> None:
    rng = np.random.default_rng(7)
    eta = rng.normal(size=(len(model.heads), 4000))
    weights = np.exp(np.concatenate([np.zeros((1, 4000)), eta]))
    y = (rng.random(4000) > np.cumsum(weights / weights.sum(axis=0), axis=0)).sum(axis=0).astype(float)
    assert scipy.stats.kstest(NaturalResiduals(model, eta, y, np.ones(4000), 0).quantile, "norm").pvalue > 0.01
    wrong = NaturalResiduals(model, -eta, y, np.ones(4000), 0)
    assert scipy.stats.kstest(wrong.quantile, "norm").pvalue < 1e-6


def test_families_other_than_counts_have_no_frequencies() -> None:
    fit = train(GAUSSIAN, normals(200), SHORT)
    assert fit.agreement is not None
    record = residuals_record(fit.agreement)
    assert record["frequencies"] is None
    assert record["quantile"]["sd"] > 0.0
