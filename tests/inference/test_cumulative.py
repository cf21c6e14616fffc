"""P(Y <= k) against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from distfit_counts.inference.fitted.cumulative import cumulative

FEW = [stats.poisson(0.3), stats.poisson(80.0), stats.nbinom(0.4, 0.05), stats.geom(0.2, loc=-1)]
WIDE = [
    stats.poisson(1e6),
    stats.poisson(1e9),
    stats.nbinom(3.0, 3.0 / (3.0 + 1e7)),
    stats.nbinom(0.1, 0.1 / (0.1 + 1e6)),
]


@pytest.mark.parametrize("distribution", FEW)
def test_small_counts_are_summed_exactly(distribution) -> None:
    k = np.arange(400.0)
    np.testing.assert_allclose(cumulative(distribution.pmf, k), distribution.cdf(k), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("distribution", WIDE, ids=["poisson 1e6", "poisson 1e9", "nb 1e7", "nb steep"])
def test_large_counts(distribution) -> None:
    k = distribution.ppf([0.001, 0.02, 0.3, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(cumulative(distribution.pmf, k), distribution.cdf(k), atol=2e-5)


def test_any_order_and_shape() -> None:
    y = stats.poisson(4.0)
    k = np.array([[9.0, 2.0, 2.0], [0.0, -3.0, 50.0]])
    found = cumulative(y.pmf, k)
    assert found.shape == k.shape
    np.testing.assert_allclose(found, y.cdf(k), rtol=1e-12)
    assert found[1, 1] == 0.0
    assert cumulative(y.pmf, np.empty((0, 2))).shape == (0, 2)
    np.testing.assert_array_equal(cumulative(y.pmf, np.array([-1.0, -1e12])), [0.0, 0.0])


def test_never_above_one_and_never_falling() -> None:
    """Rounding may carry a sum of many terms past 1."""
    y = stats.nbinom(0.5, 0.002)
    found = cumulative(y.pmf, np.arange(20_000.0))
    assert found.max() <= 1.0
    assert (np.diff(found) >= 0.0).all()
    wide = stats.nbinom(2.0, 2.0 / (2.0 + 1e8))
    found = cumulative(wide.pmf, np.linspace(0, 3e9, 50).round())
    assert found.max() <= 1.0
    assert (np.diff(found) >= 0.0).all()


def test_of_a_fit(fit) -> None:
    found = fit([0, 0, 0, 1, 2, 2, 5, 9], "zip")
    k = np.arange(-2, 30)
    np.testing.assert_allclose(found.cdf(k), np.cumsum(found.pmf(k)), rtol=1e-12)
    assert found.cdf(2).shape == ()
