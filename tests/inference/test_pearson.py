"""Pooling, X² and G²."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.inference.goodness.pearson import g_squared, grouped, pearson, pool


def begins(expected: np.ndarray) -> np.ndarray:
    """Where the pooled bins of one column begin."""
    return np.flatnonzero(pool(expected[None, :]))


EXPECTED = st.lists(st.integers(0, 12), min_size=1, max_size=9).map(lambda cells: np.array(cells, dtype=float))


@given(EXPECTED)
def test_every_bin_expects_enough_and_no_pooling_has_more_bins(expected: np.ndarray) -> None:
    """Against all ways to cut the cells."""
    starts = begins(expected)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    bins = grouped(expected, starts)
    assert bins.sum() == expected.sum()
    assert len(bins) == 1 or (bins >= 5.0).all()
    most = 1
    for cuts in itertools.product([False, True], repeat=len(expected) - 1):
        pieces = np.split(expected, np.flatnonzero(cuts) + 1)
        if all(piece.sum() >= 5.0 for piece in pieces):
            most = max(most, len(pieces))
    assert len(bins) == most


@pytest.mark.parametrize(
    ("expected", "starts"),
    [
        ([6.0, 20.0, 9.0], [0, 1, 2]),
        ([1.0, 2.0, 3.0, 40.0, 6.0, 4.0, 2.0, 0.5], [0, 3, 4, 5]),
        ([50.0, 6.0, 3.0, 1.0, 0.1], [0, 1]),
        ([8.0, 0.0, 8.0], [0, 1]),
        ([1.0, 1.0], [0]),
        ([3.0], [0]),
    ],
    ids=["nothing to do", "both tails", "remainder joins", "hole", "too few", "one cell"],
)
def test_pools_worked_by_hand(expected: list[float], starts: list[int]) -> None:
    assert begins(np.array(expected)).tolist() == starts


def test_horse_kicks_are_pooled_as_in_the_textbooks() -> None:
    """Expected 108.67, 66.29, 20.22, 4.11, 0.63 (and 0.08 above): deaths >= 2 become one bin."""
    expected = 200 * np.append(stats.poisson.pmf(np.arange(5), 0.61), stats.poisson.sf(4, 0.61))
    starts = begins(expected)
    assert starts.tolist() == [0, 1, 2]
    assert grouped(np.array([109, 65, 22, 3, 1, 0]), starts).tolist() == [109, 65, 26]


def test_a_batch_is_grouped_row_by_row() -> None:
    cells = np.arange(24.0).reshape(2, 3, 4)
    bins = grouped(cells, np.array([0, 1, 3]))
    assert bins[1, 2].tolist() == [20.0, 43.0, 23.0]
    assert bins.sum(axis=-1).tolist() == cells.sum(axis=-1).tolist()


def test_a_die_worked_by_hand() -> None:
    """60 throws, 10 expected each: X² = (25 + 4 + 1 + 4 + 0 + 100)/10 = 13.4."""
    observed = np.array([5.0, 8.0, 9.0, 8.0, 10.0, 20.0])
    assert float(pearson(observed, np.full(6, 10.0))) == pytest.approx(13.4)


def test_mendels_peas() -> None:
    """Mendel's 556 peas, 9:3:3:1: X² = 0.470 (Pearson's formula), G² = 0.475 in every textbook."""
    observed = np.array([315.0, 108.0, 101.0, 32.0])
    expected = 556 * np.array([9, 3, 3, 1]) / 16
    assert float(pearson(observed, expected)) == pytest.approx(0.470024, abs=1e-6)
    assert float(g_squared(observed, expected)) == pytest.approx(0.4754, abs=1e-4)


def test_against_scipy_in_a_batch() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(7), size=5)
    observed = rng.multinomial(40, p).astype(float)
    for statistic, name in ((pearson, "pearson"), (g_squared, "log-likelihood")):
        outside = [stats.power_divergence(o, 40 * q, lambda_=name).statistic for o, q in zip(observed, p, strict=True)]
        assert statistic(observed, 40 * p) == pytest.approx(np.array(outside), rel=1e-10)


def test_cells_where_nothing_is_expected() -> None:
    observed, expected = np.array([[4.0, 0.0], [3.0, 1.0]]), np.array([4.0, 0.0])
    assert pearson(observed, expected).tolist() == [0.0, np.inf]
    assert g_squared(observed, expected).tolist() == [0.0, np.inf]
    assert float(pearson(np.array([1.0]), np.array([1e-310]))) == np.inf
    assert np.isfinite(g_squared(np.array([1.0]), np.array([1e-310])))


@pytest.mark.parametrize("observed", [0.0, 2.0])
def test_a_failed_fit_is_nan_and_not_perfect(observed: float) -> None:
    assert np.isnan(pearson(np.array([observed, 1.0]), np.array([np.nan, 1.0])))
    assert np.isnan(g_squared(np.array([observed, 1.0]), np.array([np.nan, 1.0])))


# R's vcd::goodfit, cells 0..max, the fitted number at each: data, distribution, G2, X2.
VCD = [
    ([109, 65, 22, 3, 1], stats.poisson(0.61), 0.868221416454179, 0.705365930443531),
    ([109, 65, 22, 3, 1], stats.nbinom(389.725789473688, 0.998437242967546), 0.86953437159311, 0.700242069186336),
]


@pytest.mark.parametrize(("observed", "fitted", "g2", "x2"), VCD)
def test_horse_kicks_as_in_vcd(observed: list[int], fitted, g2: float, x2: float) -> None:
    expected = sum(observed) * fitted.pmf(np.arange(len(observed)))
    assert float(g_squared(np.array(observed), expected)) == pytest.approx(g2, rel=1e-10)
    assert float(pearson(np.array(observed), expected)) == pytest.approx(x2, rel=1e-10)


def test_the_whole_collection_as_in_vcd(shared_reference: Path) -> None:
    """vcd's cells leave out the tail, so the totals differ: its G2 is still 2 Σ O log(O/E)."""
    compared = 0
    for data in json.loads((shared_reference / "reference.json").read_text()).values():
        for name, found in data.get("vcd_goodfit", {}).items():
            if "pearson_X2" not in found:
                continue
            values = np.loadtxt(shared_reference / data["file"], skiprows=1, dtype=np.int64)
            observed = np.bincount(values).astype(float)
            par = found["par"]
            fitted = stats.poisson(par["lambda"]) if name == "poisson" else stats.nbinom(par["size"], par["prob"])
            expected = len(values) * fitted.pmf(np.arange(len(observed)))
            assert float(g_squared(observed, expected)) == pytest.approx(float(found["G2"]), rel=1e-8)
            # Where nothing is expected (1e-2000) vcd divides 0 by 0.
            x2 = np.inf if found["pearson_X2"] == "NaN" else found["pearson_X2"]
            assert float(pearson(observed, expected)) == pytest.approx(x2, rel=1e-8)
            compared += 1
    assert compared > 20


def test_a_perfect_fit_is_never_below_zero() -> None:
    """2 n Σ p log(p/p) is 0; in float64 many such sums end at -1e-16."""
    rng = np.random.default_rng(0)
    expected = rng.dirichlet(np.ones(5), 1000) * rng.uniform(1.0, 50.0, (1000, 1))
    total = expected.sum(axis=1, keepdims=True)
    found = g_squared(expected, total * (expected / total))
    assert (found >= 0.0).all()
    assert found.max() < 1e-12
