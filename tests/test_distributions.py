"""The families as torch distributions, against torch's own and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily
from torch.distributions import NegativeBinomial as TorchNegativeBinomial
from torch.distributions import Poisson as TorchPoisson

from distfit_counts.distributions import (
    CountDistribution,
    Geometric,
    Hurdle,
    NegativeBinomial,
    Poisson,
    ZeroInflated,
    ZeroInflatedPoisson,
    ZeroTruncated,
)

K = torch.arange(40, dtype=torch.float64)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def every_kind() -> list[CountDistribution]:
    """One of each, with batch shape [2]."""
    return [
        Poisson(double(0.5, 4.0)),
        Geometric(double(0.5, 4.0)),
        NegativeBinomial(double(0.5, 4.0), 2.0),
        ZeroInflated(double(0.2, 0.6), NegativeBinomial(3.0, double(0.8, 5.0))),
        ZeroInflatedPoisson(double(0.2, 0.6), 3.0),
        Hurdle(0.3, Poisson(double(0.5, 4.0))),
        Hurdle(double(0.1, 0.9), NegativeBinomial(2.0, 1.5)),
        ZeroTruncated(Poisson(double(0.5, 4.0))),
        ZeroTruncated(NegativeBinomial(2.0, double(0.5, 4.0))),
    ]


each = pytest.mark.parametrize("index", range(9))


@pytest.mark.parametrize("pi", [0.001, 0.3, 0.999])
@pytest.mark.parametrize("rate", [1e-3, 1.0, 5.0, 30.0])
def test_zero_inflated_poisson_is_a_mixture_of_poissons(pi: float, rate: float) -> None:
    parts = TorchPoisson(double(0.0, rate), validate_args=False)
    mixture = MixtureSameFamily(Categorical(probs=double(pi, 1.0 - pi)), parts)
    found = ZeroInflatedPoisson(pi, rate).log_prob(K)
    assert found.numpy() == pytest.approx(mixture.log_prob(K).numpy(), rel=1e-12, abs=1e-12)
    assert ZeroInflatedPoisson(pi, rate).mean.item() == pytest.approx(mixture.mean.item(), rel=1e-13)
    assert ZeroInflatedPoisson(pi, rate).variance.item() == pytest.approx(mixture.variance.item(), rel=1e-12)


@pytest.mark.parametrize("mean", [0.1, 2.0, 50.0])
@pytest.mark.parametrize("size", [0.2, 1.0, 30.0])
def test_negative_binomial_is_torch_s(mean: float, size: float) -> None:
    other = TorchNegativeBinomial(double(size), logits=double(np.log(mean / size)))
    found = NegativeBinomial(mean, size)
    assert found.log_prob(K).numpy() == pytest.approx(other.log_prob(K).numpy(), rel=1e-11, abs=1e-11)
    assert found.mean.item() == pytest.approx(other.mean.item(), rel=1e-14)
    assert found.variance.item() == pytest.approx(other.variance.item(), rel=1e-14)


@pytest.mark.parametrize(("mean", "size"), [(1e-6, 1e-3), (1e-3, 1e3), (5.0, 1e-4), (1e5, 0.3), (1e4, 1e5)])
def test_negative_binomial_is_scipy_s_far_out(mean: float, size: float) -> None:
    k = np.unique(np.round(np.geomspace(1, 1e6, 60))).tolist()
    expected = stats.nbinom.logpmf([0, *k], size, size / (size + mean))
    found = NegativeBinomial(mean, size).log_prob(double(0, *k)).numpy()
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_a_huge_size_is_a_poisson() -> None:
    """torch's own has the wrong sign at size 1e7 in float32, and is 0.2 off at 1e14 in float64."""
    found = NegativeBinomial(4.0, 1e16).log_prob(K).numpy()
    assert found == pytest.approx(TorchPoisson(double(4.0)).log_prob(K).numpy(), rel=1e-12, abs=1e-12)


def test_hurdle_and_truncation_by_hand() -> None:
    poisson = stats.poisson(2.5)
    positive = np.log(poisson.pmf(K[1:].numpy()) / poisson.sf(0))
    truncated = ZeroTruncated(Poisson(2.5), validate_args=False).log_prob(K).numpy()
    assert truncated[0] == -np.inf
    assert truncated[1:] == pytest.approx(positive, rel=1e-12)
    hurdle = Hurdle(0.3, Poisson(2.5)).log_prob(K).numpy()
    assert hurdle[0] == pytest.approx(np.log(0.3), rel=1e-14)
    assert hurdle[1:] == pytest.approx(np.log(0.7) + positive, rel=1e-12)


def test_probabilities_of_zero_and_one_are_allowed() -> None:
    assert ZeroInflatedPoisson(0.0, 2.0).log_prob(K).numpy() == pytest.approx(stats.poisson.logpmf(K, 2.0), rel=1e-12)
    assert ZeroInflatedPoisson(1.0, 2.0).log_prob(double(0.0, 1.0)).tolist() == [0.0, -np.inf]
    assert Hurdle(1.0, Poisson(2.0)).log_prob(double(0.0, 1.0)).tolist() == [0.0, -np.inf]


@each
def test_shapes(index: int) -> None:
    found = every_kind()[index]
    assert found.batch_shape == (2,)
    assert found.event_shape == ()
    assert found.mean.shape == found.variance.shape == (2,)
    assert found.log_prob(torch.tensor(1.0)).shape == (2,)
    assert found.log_prob(torch.ones(7, 1)).shape == (7, 2)
    assert found.sample().shape == (2,)
    assert found.sample((3, 4)).shape == (3, 4, 2)
    assert found.sample(torch.Size([0])).shape == (0, 2)
    assert found.log_prob(torch.ones(2)).dtype == torch.float64


@each
def test_expand(index: int) -> None:
    found = every_kind()[index]
    wide = found.expand((5, 2))
    assert type(wide) is type(found)
    assert wide.batch_shape == (5, 2)
    assert wide.sample((3,)).shape == (3, 5, 2)
    assert torch.equal(wide.log_prob(torch.ones(5, 2)), found.log_prob(torch.ones(2)).expand(5, 2))
    assert torch.equal(wide.mean, found.mean.expand(5, 2))
    independent = torch.distributions.Independent(found, 1)
    assert independent.log_prob(torch.ones(2)).shape == ()


@each
def test_batch_rows_are_the_single_distributions(index: int) -> None:
    """log_prob, mean and variance of a batch are those of its members."""
    found = every_kind()[index]
    for i in range(2):
        one = CountDistribution(found.family, {name: value[i] for name, value in found.values.items()})
        k = torch.arange(1.0, 9.0)
        assert one.batch_shape == ()
        assert found.log_prob(k[:, None])[:, i].numpy() == pytest.approx(one.log_prob(k).numpy(), rel=1e-13)
        assert found.mean[i].item() == pytest.approx(one.mean.item(), rel=1e-14)


@each
def test_sample_moments(index: int) -> None:
    found = every_kind()[index]
    torch.manual_seed(0)
    draws = found.sample((40_000,))
    assert torch.equal(draws, draws.round())
    assert bool(found.support.check(draws).all())
    error = (found.variance / 40_000).sqrt()
    assert bool(((draws.mean(dim=0) - found.mean).abs() < 5.0 * error).all())
    assert (draws.var(dim=0) / found.variance).tolist() == pytest.approx([1.0, 1.0], abs=0.12)


@each
def test_samples_follow_torch_s_seed(index: int) -> None:
    found = every_kind()[index]
    torch.manual_seed(3)
    first, second = found.sample((50,)), found.sample((50,))
    torch.manual_seed(3)
    assert torch.equal(found.sample((50,)), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (Poisson, (2.0,)),
        (Geometric, (2.0,)),
        (NegativeBinomial, (2.0, 1.5)),
        (ZeroInflatedPoisson, (0.3, 2.0)),
        (lambda pi, mean, size: ZeroInflated(pi, NegativeBinomial(mean, size)), (0.3, 2.0, 1.5)),
        (lambda p0, mean, size: Hurdle(p0, NegativeBinomial(mean, size)), (0.3, 2.0, 1.5)),
        (lambda rate: ZeroTruncated(Poisson(rate)), (2.0,)),
        (lambda mean: ZeroTruncated(Geometric(mean)), (2.0,)),
    ],
)
def test_gradients_reach_the_parameters(make, parameters: tuple[float, ...]) -> None:
    leaves = [torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in parameters]
    k = double(1.0, 2.0, 7.0)
    assert torch.autograd.gradcheck(lambda *values: make(*values).log_prob(k), leaves)
    assert torch.autograd.gradcheck(lambda *values: make(*values).mean, leaves)
    assert torch.autograd.gradcheck(lambda *values: make(*values).variance, leaves)
    if make(*parameters).family.lowest == 0:
        assert torch.autograd.gradcheck(lambda *values: make(*values).log_prob(double(0.0)), leaves)


def test_gradients_of_a_mixture_reach_its_moments() -> None:
    from distfit_counts.families.spec import parse

    family = parse("zt(2*poisson)")
    leaves = [torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (0.4, 0.6, 1.0, 6.0)]
    names = family.names
    assert torch.autograd.gradcheck(lambda *v: CountDistribution(family, dict(zip(names, v, strict=True))).mean, leaves)


def test_constraints_and_support() -> None:
    found = ZeroInflatedPoisson(0.3, 2.0)
    assert set(found.arg_constraints) == {"pi", "rate"}
    assert bool(found.arg_constraints["pi"].check(torch.tensor(0.5)))
    assert not bool(found.arg_constraints["pi"].check(torch.tensor(1.5)))
    assert not bool(found.arg_constraints["rate"].check(torch.tensor(-1.0)))
    assert found.support.check(double(-1.0, 0.0, 1.0, 1.5)).tolist() == [False, True, True, False]
    assert ZeroTruncated(Poisson(1.0)).support.check(double(0.0, 1.0)).tolist() == [False, True]
    assert found.rate.item() == 2.0
    assert found.pi.item() == 0.3
    with pytest.raises(AttributeError):
        _ = found.mean_of_nothing
    assert "ZeroInflatedPoisson" in repr(found)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Poisson(-1.0),
        lambda: Poisson(float("nan")),
        lambda: NegativeBinomial(1.0, -0.5),
        lambda: ZeroInflatedPoisson(1.2, 1.0),
        lambda: ZeroInflatedPoisson(double(0.2, -0.2), 1.0),
        lambda: Hurdle(-0.1, Poisson(1.0)),
    ],
)
def test_bad_parameters_are_refused(make) -> None:
    with pytest.raises(ValueError, match="constraint"):
        make()


def test_validation_can_be_switched() -> None:
    with pytest.raises(ValueError, match="support"):
        Poisson(2.0, validate_args=True).log_prob(double(1.5))
    Poisson(2.0, validate_args=False).log_prob(double(1.5))
    Poisson(-2.0, validate_args=False)


@pytest.mark.parametrize("base", [TorchPoisson(2.0), 3.0, None])
def test_a_base_of_another_kind_is_refused(base: object) -> None:
    for make in (lambda b: ZeroInflated(0.5, b), lambda b: Hurdle(0.5, b), ZeroTruncated):
        with pytest.raises(TypeError, match="base"):
            make(base)


def test_integers_and_float32_are_computed_in_float64() -> None:
    found = NegativeBinomial(torch.tensor(2.0), torch.tensor(1e7))  # float32
    assert found.log_prob(torch.tensor([3])).dtype == torch.float64
    assert found.log_prob(torch.tensor([3])).item() == pytest.approx(stats.poisson.logpmf(3, 2.0), abs=1e-5)


@pytest.mark.parametrize("spec", ["zip", "nb", "hurdle(nb)", "2*poisson", "zinb"])
def test_a_fit_is_a_distribution(spec: str, fit) -> None:
    rng = np.random.default_rng(1)
    y = rng.poisson(rng.gamma(1.5, 3.0, 800)) * rng.binomial(1, 0.8, 800)
    found = fit(y, spec)
    distribution = found.distribution()
    assert isinstance(distribution, torch.distributions.Distribution)
    assert distribution.log_prob(torch.from_numpy(y)).sum().detach().item() == pytest.approx(
        found.log_likelihood, rel=1e-11
    )
    assert distribution.mean.item() == pytest.approx(found.mean, rel=1e-12)
    assert distribution.variance.item() == pytest.approx(found.variance, rel=1e-12)
    assert distribution.log_prob(torch.tensor(0.0)).exp().item() == pytest.approx(found.prob_zero, rel=1e-12)
    assert distribution.log_prob(K).exp().numpy() == pytest.approx(found.pmf(K), rel=1e-12)
    # At the maximum the log-likelihood has no slope.
    leaves = {n: v.detach().clone().requires_grad_(True) for n, v in distribution.values.items() if "weight" not in n}
    again = CountDistribution(distribution.family, dict(distribution.values) | leaves)
    again.log_prob(torch.from_numpy(y)).sum().backward()
    for name, leaf in leaves.items():
        assert abs(leaf.grad.item()) * found.parameters[name].std_error < 1e-3, name


def test_a_fit_at_the_boundary_is_the_simpler_distribution(fit) -> None:
    found = fit([3, 4, 4, 5, 5, 6], "nb")
    assert found.distribution().log_prob(double(4.0)).item() == pytest.approx(stats.poisson.logpmf(4, 4.5), rel=1e-10)
    assert fit([0, 0, 0], "poisson").distribution().log_prob(double(0.0, 1.0)).tolist() == [0.0, -np.inf]
    assert fit([0, 0, 0], "poisson").distribution().sample((4,)).tolist() == [0.0] * 4


def test_svi_style_training_reaches_the_fit(fit) -> None:
    """A user's own loop with torch.optim arrives where ``fit`` does."""
    rng = np.random.default_rng(5)
    y = rng.poisson(4.0, 500) * rng.binomial(1, 0.7, 500)
    data, theta = torch.from_numpy(y), torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([theta], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -ZeroInflatedPoisson(torch.sigmoid(theta[0]), theta[1].exp()).log_prob(data).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    found = fit(y, "zip").parameters
    assert torch.sigmoid(theta[0]).item() == pytest.approx(found["pi"].estimate, abs=1e-4)
    assert theta[1].exp().item() == pytest.approx(found["rate"].estimate, abs=1e-3)
