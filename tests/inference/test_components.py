"""The components of a fitted distribution add up to it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from distfit_counts.inference.fitted.components import components

COUNTS = [0] * 30 + [1] * 6 + [2] * 9 + [3] * 8 + [4] * 5 + [7] * 4 + [9] * 3


@pytest.mark.parametrize("spec", ["poisson", "zip", "zinb", "hurdle(nb)", "2*poisson", "poisson+nb", "zi(2*poisson)"])
def test_components_sum_to_the_pmf(fit, spec: str) -> None:
    found = fit(COUNTS, spec, restarts=2)
    k = np.arange(30.0)
    parts = components(*found.model)
    assert sum(part.weight for part in parts) == pytest.approx(1.0)
    np.testing.assert_allclose(sum(part.pmf(k) for part in parts), found.pmf(k), rtol=1e-10, atol=1e-300)


def test_a_zip_is_structural_zeros_and_a_poisson(fit) -> None:
    """Against scipy's Poisson."""
    found = fit(COUNTS, "zip", restarts=2)
    pi, rate = (found.parameters[name].estimate for name in ("pi", "rate"))
    zeros, rest = components(*found.model)
    k = np.arange(12.0)
    np.testing.assert_allclose(zeros.pmf(k), np.where(k == 0, pi, 0.0))
    np.testing.assert_allclose(rest.pmf(k), (1 - pi) * stats.poisson.pmf(k, rate), rtol=1e-12)
