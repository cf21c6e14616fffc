"""Cells against SciPy's distribution functions, for narrow data and for wide."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import split
from distfit_counts.inference.goodness.cells import Cells


def pmf(distribution) -> Pmf:
    return Pmf(distribution.logpmf, ((distribution.mean(), distribution.std()),))


def probabilities(cells: Cells, logpmf: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return cells.probability(logpmf(cells.rule.points)[None])[0]


def exact(cells: Cells, cdf: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    reached = np.append(cdf(cells.starts[1:] - 1.0), 1.0)
    return np.diff(reached, prepend=0.0)


def cells_of(values: np.ndarray, distribution) -> Cells:
    return Cells.of(Histogram.of(values), float(distribution.mean()), float(distribution.var()), pmf(distribution))


@pytest.mark.parametrize(
    "distribution", [stats.poisson(3.0), stats.nbinom(0.7, 0.1), stats.geom(0.3, loc=-1), stats.poisson(900.0)]
)
def test_a_cell_for_every_count(distribution) -> None:
    rng = np.random.default_rng(0)
    values = distribution.rvs(300, random_state=rng)
    cells = cells_of(values, distribution)
    assert (np.diff(cells.starts) == 1).all()
    assert cells.starts[0] == 0
    assert cells.starts[-1] > values.max(), "the last cell is open and empty"
    found = probabilities(cells, distribution.logpmf)
    np.testing.assert_allclose(found, exact(cells, distribution.cdf), rtol=1e-9, atol=1e-13)
    assert found.sum() == pytest.approx(1.0, abs=1e-14)
    observed = cells.observed(values[None].astype(float), np.ones((1, 300)))[0]
    np.testing.assert_array_equal(observed[:-1], np.bincount(values, minlength=len(observed) - 1))
    assert observed[-1] == 0.0


@pytest.mark.parametrize("values", [[0], [3], [0, 0, 0], [7] * 30, [0, 1]])
def test_few_values_have_cells(values: list[int]) -> None:
    mean = float(np.mean(values))
    cells = Cells.of(Histogram.of(values), mean, mean, pmf(stats.poisson(mean)))
    with np.errstate(divide="ignore"):
        found = probabilities(cells, stats.poisson(mean).logpmf)
    assert found.sum() == pytest.approx(1.0, abs=1e-14)
    assert cells.observed(np.array([values], dtype=float), np.ones((1, len(values)))).sum() == len(values)


def test_no_moments_no_harm() -> None:
    """A fit whose variance overflows still has cells for the data."""
    cells = Cells.of(Histogram.of([1, 5]), 1.0, np.inf, pmf(stats.poisson(1.0)))
    assert cells.starts[-1] > 5
    assert len(cells.starts) < 100


def test_several_data_sets_in_the_same_cells() -> None:
    cells = Cells.of(Histogram.of([0, 2, 9]), 3.0, 3.0, pmf(stats.poisson(3.0)))
    k, w = np.array([[0.0, 2.0, 9.0], [1.0, 1.0, 1e9]]), np.array([[5.0, 1.0, 2.0], [4.0, 0.0, 3.0]])
    found = cells.observed(k, w)
    assert found.shape == (2, len(cells.starts))
    assert found[0, [0, 2, 9]].tolist() == [5.0, 1.0, 2.0]
    assert found[1, 1] == 4.0
    assert found[1, -1] == 3.0, "what lies beyond all cells is in the open one"
    np.testing.assert_array_equal(found.sum(axis=1), w.sum(axis=1))


@pytest.mark.parametrize(
    "distribution",
    [
        stats.nbinom(3.0, 3.0 / (3.0 + 1e6)),
        stats.nbinom(40.0, 40.0 / (40.0 + 3e4)),
        stats.geom(1e-5, loc=-1),
    ],
    ids=["nb 1e6", "nb 3e4", "geometric 1e5"],
)
def test_wide_cells_hold_what_lies_in_them(distribution) -> None:
    values = distribution.rvs(2000, random_state=np.random.default_rng(1))
    cells = cells_of(values, distribution)
    assert len(cells.starts) < 2500
    assert len(cells.rule.points) < 40_000
    assert (np.diff(cells.starts) > 0).all()
    found, truth = probabilities(cells, distribution.logpmf), exact(cells, distribution.cdf)
    np.testing.assert_allclose(found, truth, rtol=1e-6, atol=1e-9)
    # SciPy's log-pmf has nine digits here.
    np.testing.assert_allclose(cells.shares, truth, rtol=1e-7, atol=1e-14)
    assert cells.observed(values[None].astype(float), np.ones((1, 2000))).sum() == 2000


@pytest.mark.parametrize(
    ("distribution", "n"),
    [
        (stats.poisson(1e6), 5),
        (stats.poisson(1e6), 2000),
        (stats.nbinom(0.1, 0.1 / (0.1 + 1e6)), 2000),
    ],
    ids=["below the smallest of five", "of 2000", "steep near zero"],
)
def test_wide_cells_lose_nothing(distribution, n: int) -> None:
    """What the cells miss is counted into the open one, as if it lay above all data."""
    values = distribution.rvs(n, random_state=np.random.default_rng(1))
    cells = cells_of(values, distribution)
    np.testing.assert_allclose(cells.shares.cumsum(), exact(cells, distribution.cdf).cumsum(), atol=1e-10)


@pytest.mark.parametrize(("near", "far"), [(300.0, 1e6), (1000.0, 1e6), (300.0, 1e7)])
def test_a_narrow_component_far_from_a_wide_one(near: float, far: float) -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.poisson(near, 1000), rng.poisson(far, 1000)])
    model = Pmf.of(parse("2*poisson"), {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": near, "rate[2]": far})
    cells = Cells.of(Histogram.of(values), 0.5 * (near + far), far + 0.25 * far**2, model)
    truth = exact(cells, lambda k: 0.5 * (stats.poisson.cdf(k, near) + stats.poisson.cdf(k, far)))
    # SciPy is off by some 1e-8 where a Poisson of 1e7 has its tail (test_tabulate has it from mpmath).
    np.testing.assert_allclose(cells.shares, truth, rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(probabilities(cells, model.log), cells.shares, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("rate", [1e10, 1e12])
def test_large_counts_beside_zeros(rate: float) -> None:
    values = np.array([0, int(rate - rate**0.5), int(rate + rate**0.5)])
    model = Pmf.of(parse("zip"), {"pi": 0.5, "rate": rate})
    cells = Cells.of(Histogram.of(values), 0.5 * rate, 0.5 * (rate + 0.5 * rate**2), model)
    truth = exact(cells, lambda k: 0.5 + 0.5 * stats.poisson.cdf(k, rate))
    np.testing.assert_allclose(cells.shares.cumsum(), truth.cumsum(), atol=1e-6)


@pytest.mark.parametrize(("fitted", "refitted"), [(1e6, 1e6 + 80.0), (1e9, 1e9 + 3e3)])
def test_a_refitted_model_is_summed_over_the_same_points(fitted: float, refitted: float) -> None:
    """Replicates are refitted, and move by a standard error or two: their cells are read where the fit's mass is."""
    family = parse("poisson")
    values = family.sample({"rate": fitted}, 400, np.random.default_rng(0))
    cells = Cells.of(Histogram.of(values), fitted, fitted, Pmf.of(family, {"rate": fitted}))
    own = Pmf.of(family, {"rate": refitted})
    found, truth = probabilities(cells, own.log), split(own, cells.starts).held(cells.starts)
    np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-9)


def test_memory_does_not_grow_with_distinct_values() -> None:
    """A piece of the table for each of them took 1,400 bytes for each."""
    highest = []
    for n in (5_000, 200_000):
        histogram = Histogram.of(np.random.default_rng(4).integers(0, 2**40, n))
        mean = histogram.mean
        tracemalloc.start()
        try:
            cells = Cells.of(histogram, mean, mean, Pmf(stats.poisson(mean).logpmf, ((mean, mean**0.5),)))
            highest.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        counted = cells.observed(histogram.values[None].astype(float), histogram.weights[None].astype(float))
        assert counted.sum() == n
    assert highest[1] < 1.2 * highest[0]
