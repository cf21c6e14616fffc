"""The likelihood over two parameters, against scipy."""

from __future__ import annotations

import numpy as np
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.inference.likelihood.surface import surface

DATA = Histogram.of([0, 0, 0, 1, 2, 2, 5, 9])


def test_a_negative_binomial_surface_is_scipys() -> None:
    means, sizes = np.array([0.5, 2.0, 4.0]), np.array([0.3, 7.0])
    found = surface(parse("nb"), DATA, {"mean": 1.0, "size": 1.0}, ("mean", means), ("size", sizes))
    expected = [[(stats.nbinom.logpmf(DATA.values, s, s / (s + m)) * DATA.weights).sum() for m in means] for s in sizes]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_moved_weights_leave_the_others_their_proportions() -> None:
    """Weights 0.2 and 0.6 kept as 1 : 3 beside a first weight of 0.6; a first weight of 1.2 is no distribution."""
    held = {"weight[1]": 0.2, "weight[2]": 0.2, "weight[3]": 0.6, "rate[1]": 0.5, "rate[2]": 2.0, "rate[3]": 6.0}
    moved = ("weight[1]", np.array([0.6, 1.2])), ("rate[2]", np.array([3.0]))
    found = surface(parse("3*poisson"), DATA, held, *moved)
    pmf = sum(w * stats.poisson.pmf(DATA.values, r) for w, r in ((0.6, 0.5), (0.1, 3.0), (0.3, 6.0)))
    np.testing.assert_allclose(found[0, 0], (np.log(pmf) * DATA.weights).sum(), rtol=1e-12)
    assert np.isnan(found[0, 1])
