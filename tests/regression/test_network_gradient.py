"""The canonical gradient is that of the NLL, step for step, whatever the natural exponential family."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.families.spec import parse
from distfit_counts.regression.natural import BERNOULLI, Categorical, Gaussian, NaturalFamily, NaturalPoisson
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.feed import Batch
from distfit_counts.regression.network.gradient import canonical
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.train import train
from distfit_counts.regression.objective import by_autograd, natural_derivatives
from distfit_counts.regression.row_model import CountModel


@dataclass(frozen=True)
class Gamma2(NaturalFamily):
    """The gamma of shape 2 and rate -eta: A = -2 log(-eta), the mean its derivative."""

    spec = "gamma2"
    heads = ("eta",)

    def log_partition(self, eta: Tensor) -> Tensor:
        return -2.0 * torch.log(-eta[0])

    def mean(self, eta: Tensor) -> Tensor:
        return -2.0 / eta

    def start(self, values: Array, weights: Array) -> Array:
        return np.array([-2.0 / (weights @ values / weights.sum())])


FAMILIES = {
    "gaussian": Gaussian(),
    "bernoulli": BERNOULLI,
    "poisson": NaturalPoisson(),
    "categorical": Categorical(("a", "b", "c")),
}


def rows(name: str, n: int = 300) -> Arrays:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 3))
    f = np.sin(x[:, 0]) + 0.3 * x[:, 1]
    y = {
        "gaussian": rng.normal(f),
        "bernoulli": (rng.random(n) < 1.0 / (1.0 + np.exp(-f))).astype(float),
        "poisson": rng.poisson(np.exp(f)).astype(float),
        "categorical": np.floor(3.0 * rng.random(n) ** np.exp(f)),
    }[name]
    offset = 0.1 * x[:, 2] if name in ("gaussian", "poisson") else None
    return Arrays(x, y, rng.uniform(0.5, 2.0, n), offset, ("a", "b", "c"))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("hidden", [(), (8, 5)], ids=["linear", "network"])
@pytest.mark.parametrize("name", FAMILIES)
def test_both_gradients_give_the_same_trace(name: str, hidden: tuple[int, ...], optimizer: str) -> None:
    settings = NetworkSettings(hidden, optimizer, 0.05, 64, epochs=6, validation=0.0)
    found = [train(FAMILIES[name], rows(name), replace(settings, gradient=way)) for way in ("autograd", "canonical")]
    for path in ("steps", "train"):
        a, b = (getattr(each.history, path) for each in found)
        np.testing.assert_allclose(a, b, rtol=0.0, atol=1e-12)
    for key, value in found[0].weights.items():
        np.testing.assert_allclose(value, found[1].weights[key], rtol=0.0, atol=1e-12)
    assert len(found[0].history.steps) == 30


def test_a_new_family_needs_only_its_mean_and_log_partition() -> None:
    eta = torch.tensor([[-0.5, -2.0, -1.0]], dtype=torch.float64, requires_grad=True)
    y, weights = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64), torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    loss = canonical(Gamma2())(eta * 1.0, Batch(torch.zeros(3, 0), y, weights, None))
    # By hand: -(y eta + 2 log(-eta)) = 0.5 + 2 log 2, 6 - 2 log 2, 0.5; slopes -2/eta - y = 3, -2, 1.5.
    assert float(loss) == pytest.approx((0.5 + 2 * np.log(2) + 2 * (6 - 2 * np.log(2)) + 0.5) / 4, abs=1e-15)
    assert eta.grad is not None
    assert eta.grad.tolist() == [[pytest.approx(3 / 4), pytest.approx(-2 * 2 / 4), pytest.approx(1.5 / 4)]]


def test_a_linear_poisson_ends_at_the_coefficients_of_newton() -> None:
    """The maximum has X'(y - mean) = 0: the normal equations of a Poisson regression."""
    data = replace(rows("poisson"), offset=None)
    settings = NetworkSettings((), "sgd", 0.3, None, epochs=400, validation=0.0, gradient="canonical")
    fit = train(CountModel.of(parse("poisson")), data, settings)
    residual = data.weights * (data.y - np.exp(fit.predictors(data.x)["rate"]))
    assert np.abs(np.column_stack([np.ones(300), data.x]).T @ residual).max() < 1e-6


@pytest.mark.parametrize(("spec", "links"), [("nb", None), ("poisson", {"rate": "softplus"})])
def test_other_models_have_no_canonical_gradient(spec: str, links: dict[str, str] | None) -> None:
    with pytest.raises(DistfitError, match="natural exponential family"):
        train(CountModel.of(parse(spec), links), rows("poisson"), NetworkSettings(gradient="canonical"))


@pytest.mark.parametrize("hessian", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_newton_takes_the_derivatives_that_autograd_gives(name: str, hessian: bool) -> None:
    family, data = FAMILIES[name], rows(name)
    rng = np.random.default_rng(1)
    eta = [torch.from_numpy(rng.normal(size=(2, 300))) for _ in family.heads]
    y = torch.from_numpy(data.y).expand(2, 300)
    own, reference = natural_derivatives(family, eta, y, hessian), by_autograd(family, eta, y, hessian)
    torch.testing.assert_close(own.value, reference.value, rtol=0.0, atol=1e-13)
    torch.testing.assert_close(own.slope, reference.slope, rtol=0.0, atol=1e-13)
    torch.testing.assert_close(own.curve, reference.curve, rtol=0.0, atol=1e-13)
