"""Data sets made from one: with the moments of a multinomial, with the family's pmf, and refitted as well as alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.replicates import pieces, refit, resampled, simulated, warm_values
from distfit_counts.optimise.problem import Batch
from distfit_counts.settings import REPLICATE_ELEMENTS, FitSettings


def dense(batch: Batch, values: np.ndarray) -> np.ndarray:
    """Weights [B, V] of ``values``."""
    return np.stack([(batch.w * (batch.k == value)).sum(axis=1) for value in values], axis=1)


def check_padding(batch: Batch) -> None:
    """Unused places repeat the first value, with weight zero; every value occurs once."""
    unused = batch.w == 0
    assert (batch.k[unused] == np.broadcast_to(batch.k[:, :1], batch.k.shape)[unused]).all()
    for k, w in zip(batch.k, batch.w, strict=True):
        assert len(np.unique(k[w > 0])) == (w > 0).sum()
    np.testing.assert_array_equal(batch.w.sum(axis=1), batch.n)


def test_resampling_is_multinomial() -> None:
    """E w = n p, Var w = n p (1 − p), Cov = −n p q (within five Monte-Carlo errors)."""
    values, weights = np.array([0, 1, 4, 90]), np.array([50, 30, 15, 5])
    batch = resampled(Histogram.of(values, weights), 20_000, np.random.default_rng(0))
    check_padding(batch)
    assert set(batch.n) == {100.0}
    found, p = dense(batch, values), weights / 100
    deviation = np.sqrt(100 * p * (1 - p))
    assert (np.abs(found.mean(axis=0) - 100 * p) < 5 * deviation / np.sqrt(20_000)).all()
    expected = 100 * (np.diag(p) - np.outer(p, p))
    error = 5 * np.outer(deviation, deviation) * np.sqrt(2 / 20_000)
    assert (np.abs(np.cov(found.T) - expected) < error).all()


def test_resampling_does_not_depend_on_n() -> None:
    batch = resampled(Histogram.of([0, 3], [10**12, 10**12]), 50, np.random.default_rng(0))
    share = dense(batch, np.array([0]))[:, 0] / 2e12
    assert np.abs(share - 0.5).max() < 1e-5
    assert set(batch.n) == {2e12}


SIMULATED = [
    ("poisson", {"rate": 3.0}),
    ("nb", {"mean": 4.0, "size": 0.8}),
    ("zinb", {"pi": 0.3, "mean": 5.0, "size": 2.0}),
    ("hurdle(poisson)", {"p0": 0.6, "rate": 1.3}),
    ("zt(nb)", {"mean": 2.0, "size": 1.5}),
    ("logseries", {"q": 0.8}),
    ("2*poisson", {"weight[1]": 0.7, "weight[2]": 0.3, "rate[1]": 1.0, "rate[2]": 12.0}),
    ("point(2)", {}),
]


@pytest.mark.parametrize(("spec", "values"), SIMULATED, ids=[spec for spec, _ in SIMULATED])
def test_simulated_counts_follow_the_family(spec: str, values: dict[str, float]) -> None:
    """χ² of all draws together against the pmf, which the laws of families check elsewhere."""
    family = parse(spec)
    batch = simulated(family, values, 500, 200, np.random.default_rng(4))
    check_padding(batch)
    assert set(batch.n) == {500.0}
    assert batch.k[batch.w > 0].min() >= family.lowest
    assert batch.k.min() >= family.lowest, "not even the padding leaves the support"
    draws = family.sample(values, 100_000, np.random.default_rng(5))
    k = np.arange(int(max(draws.max(), batch.k.max())) + 1)
    ours, theirs = dense(batch, k).sum(axis=0), np.bincount(draws, minlength=len(k))
    keep = theirs >= 20
    table = np.array([np.append(part[keep], part[~keep].sum()) for part in (ours, theirs)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] > 1:
        assert stats.chi2_contingency(table).pvalue > 1e-4


def test_heavy_tails_are_drawn_one_by_one() -> None:
    """A size of 0.01 at a mean of 1000: most counts are 0 and the largest are near a million; the pmf is too long."""
    batch = simulated(parse("nb"), {"mean": 1000.0, "size": 0.01}, 2000, 60, np.random.default_rng(0))
    check_padding(batch)
    assert set(batch.n) == {2000.0}
    zeros = (batch.w * (batch.k == 0)).sum() / 120_000
    truth = stats.nbinom.pmf(0, 0.01, 0.01 / 1000.01)
    assert zeros == pytest.approx(truth, abs=5 * np.sqrt(truth * (1 - truth) / 120_000))
    beyond = (batch.w * (batch.k > 50_000)).sum() / 120_000
    share = stats.nbinom.sf(50_000, 0.01, 0.01 / 1000.01)
    assert beyond == pytest.approx(share, abs=5 * np.sqrt(share / 120_000))


def test_large_counts_are_drawn_too() -> None:
    batch = simulated(parse("poisson"), {"rate": 1e9}, 50, 20, np.random.default_rng(0))
    assert batch.k.shape == (20, 50)
    assert abs(batch.k.mean() - 1e9) < 5 * np.sqrt(1e9 / 1000)


@pytest.mark.parametrize(
    ("spec", "values"), [("hurdle(poisson)", {"p0": 0.0, "rate": 0.4}), ("zt(poisson)", {"rate": 0.001})]
)
def test_no_zero_where_there_is_none(spec: str, values: dict[str, float]) -> None:
    batch = simulated(parse(spec), values, 30, 500, np.random.default_rng(0))
    assert batch.k.min() == 1.0


def test_the_seed_decides() -> None:
    family, values = parse("nb"), {"mean": 3.0, "size": 1.0}
    first, second, other = (simulated(family, values, 100, 20, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.k, second.k)
    np.testing.assert_array_equal(first.w, second.w)
    assert first.w.shape != other.w.shape or (first.w != other.w).any()


@pytest.mark.parametrize(("replicates", "width"), [(999, 10), (999, 5000), (19, 10**7), (1, 1), (999, 0)])
def test_pieces_are_all_of_them(replicates: int, width: int) -> None:
    found = list(pieces(replicates, width))
    assert sum(found) == replicates
    assert min(found) >= 1
    assert all(size == 1 or size * width <= REPLICATE_ELEMENTS for size in found)


@pytest.mark.parametrize("spec", ["nb", "zip", "hurdle(nb)", "2*poisson"])
def test_a_replicate_is_fitted_as_well_as_a_column(spec: str) -> None:
    """From the neighbourhood of one solution, each replicate reaches what ten random restarts reach."""
    family, rng = parse(spec), np.random.default_rng(2)
    histogram = Histogram.of(rng.poisson(rng.gamma(1.2, 3.0, 200)) * rng.binomial(1, 0.8, 200))
    fits = fit_columns([Column("t", "y", {}, histogram)], family)
    batch = resampled(histogram, 25, rng)
    solution = refit(family, batch, warm_values(fits.places[0].solution, 0), FitSettings())
    columns = [
        Column("t", str(i), {}, Histogram.of(k[w > 0].astype(int), w[w > 0].astype(int)))
        for i, (k, w) in enumerate(zip(batch.k, batch.w, strict=True))
    ]
    alone = fit_columns(columns, family, FitSettings(restarts=10)).log_likelihood
    np.testing.assert_allclose(-solution.supremum * batch.n, alone, rtol=0, atol=1e-6)


def test_warm_values_hold_the_boundary_model_too() -> None:
    histogram = Histogram.of(np.random.default_rng(3).binomial(10, 0.7, 500))
    fits = fit_columns([Column("t", "y", {}, histogram)], parse("zinb"))
    warm = warm_values(fits.places[0].solution, 0)
    assert parse("zinb") in warm
    assert warm[parse("poisson")] == {"rate": pytest.approx(histogram.mean, rel=1e-8)}
    assert all(np.isfinite(list(values.values())).all() for values in warm.values())
