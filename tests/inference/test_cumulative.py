"""P(Y <= k) against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.cumulative import cumulative
from distfit_counts.inference.fitted.pmf import Pmf

FEW = [stats.poisson(0.3), stats.poisson(80.0), stats.nbinom(0.4, 0.05), stats.geom(0.2, loc=-1)]


def pmf(distribution) -> Pmf:
    return Pmf(distribution.logpmf, ((distribution.mean(), distribution.std()),))


@pytest.mark.parametrize("distribution", FEW)
def test_small_counts_are_summed_exactly(distribution) -> None:
    k = np.arange(400.0)
    np.testing.assert_allclose(cumulative(pmf(distribution), k), distribution.cdf(k), rtol=1e-12, atol=1e-15)


def test_any_order_and_shape() -> None:
    y = stats.poisson(4.0)
    k = np.array([[9.0, 2.0, 2.0], [0.0, -3.0, 50.0]])
    found = cumulative(pmf(y), k)
    assert found.shape == k.shape
    np.testing.assert_allclose(found, y.cdf(k), rtol=1e-12)
    assert found[1, 1] == 0.0
    assert cumulative(pmf(y), np.empty((0, 2))).shape == (0, 2)
    np.testing.assert_array_equal(cumulative(pmf(y), np.array([-1.0, -1e12])), [0.0, 0.0])


def test_never_above_one_and_never_falling() -> None:
    """Rounding may carry a sum of many terms past 1."""
    y = stats.nbinom(0.5, 0.002)
    found = cumulative(pmf(y), np.arange(20_000.0))
    assert found.max() <= 1.0
    assert (np.diff(found) >= 0.0).all()
    found = cumulative(Pmf.of(parse("nb"), {"mean": 1e8, "size": 2.0}), np.linspace(0, 3e9, 50).round())
    assert found.max() <= 1.0
    assert (np.diff(found) >= 0.0).all()


def test_of_a_fit(fit) -> None:
    found = fit([0, 0, 0, 1, 2, 2, 5, 9], "zip")
    k = np.arange(-2, 30)
    np.testing.assert_allclose(found.cdf(k), np.cumsum(found.pmf(k)), rtol=1e-12)
    assert found.cdf(2).shape == ()
