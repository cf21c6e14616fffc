"""The published examples: one network, three responses around f = sin(10x), plain gradient descent.

x uniform on (0, 1), 400 rows; 1-30-20-out with ReLU, 5,000 full-batch steps at 0.2. The data are sample_data's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distfit_counts.regression.natural import BERNOULLI, GAUSSIAN, NaturalFamily, NaturalPoisson
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.train import train

PUBLISHED = NetworkSettings((30, 20), "sgd", 0.2, None, 5_000, validation=0.0, gradient="canonical")
FAMILIES: dict[str, tuple[NaturalFamily, Callable[[np.ndarray], np.ndarray]]] = {
    "gaussian": (GAUSSIAN, lambda f: f),
    "bernoulli": (BERNOULLI, lambda f: 1.0 / (1.0 + np.exp(-3.5 * f))),
    "poisson": (NaturalPoisson(), lambda f: 2.0 * np.exp(f)),
}
# Root mean square error of the fitted mean, over the standard deviation of the true one.
WITHIN = {"gaussian": 0.15, "bernoulli": 0.25, "poisson": 0.25}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_fitted_mean_is_near_the_truth_and_both_gradients_go_the_same_way(name: str, repository: Path) -> None:
    x, y = np.loadtxt(repository / "sample_data" / f"sine_{name}.csv", delimiter=",", skiprows=1).T
    family, mean = FAMILIES[name]
    data = Arrays(x[:, None], y, np.ones(400), None, ("x",))
    canonical = train(family, data, PUBLISHED)
    autograd = train(family, data, replace(PUBLISHED, gradient="autograd"))
    truth = mean(np.sin(10.0 * x))
    (eta,) = canonical.predictors(x[:, None]).values()
    error = np.sqrt(np.mean((family.links[family.heads[0]].show(eta) - truth) ** 2))
    assert error < WITHIN[name] * truth.std()
    np.testing.assert_allclose(canonical.history.train, autograd.history.train, rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(canonical.history.steps, autograd.history.steps, rtol=0.0, atol=1e-12)
    assert canonical.history.train[-1] < canonical.history.train[0] - 0.15
