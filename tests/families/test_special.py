"""The special functions and log-pmfs against 80-digit arithmetic and the reference tables."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch
from mpmath import mpf
from torch import Tensor

from distfit_counts.families import log_pmf, special
from distfit_counts.families.recurrence import Recurrence
from distfit_counts.families.spec import parse


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with mpmath.workdps(80):
        yield


def tensor(values: object) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


def test_log1mexp() -> None:
    x = -np.concatenate([10.0 ** np.linspace(-300, 2.8, 200), [0.693, 0.6931471805599453, 0.694]])
    exact = np.array([float(mpmath.log(-mpmath.expm1(mpf(float(v))))) for v in x])
    assert special.log1mexp(tensor(x)).numpy() == pytest.approx(exact, rel=1e-14)


def test_log1p_minus() -> None:
    # one_plus_x is given apart: near -1 it carries the digits that x has lost.
    small = np.concatenate([10.0 ** np.linspace(-12, -0.9, 60), [0.0999999, 0.1, 0.1000001]])
    far = np.concatenate([10.0 ** np.linspace(-0.9, 15, 40), [-0.5, -0.9, -0.1000001]])
    x = np.concatenate([small, -small, far])
    exact = np.array([float(mpmath.log1p(mpf(float(v))) - mpf(float(v))) for v in x])
    one_plus = tensor([float(1 + mpf(float(v))) for v in x])
    assert special.log1p_minus(tensor(x), one_plus).numpy() == pytest.approx(exact, rel=2e-14)
    near = 10.0 ** np.linspace(-300, -1, 60)
    exact = np.array([float(mpmath.log(mpf(float(u))) - (mpf(float(u)) - 1)) for u in near])
    assert special.log1p_minus(tensor(near - 1.0), tensor(near)).numpy() == pytest.approx(exact, rel=2e-14)


def test_stirling_error() -> None:
    x = np.concatenate([10.0 ** np.linspace(-8, 15, 150), [15.999, 16.0, 16.001, 1.0, 2.0]])
    exact = np.array(
        [
            float(mpmath.loggamma(v + 1) - ((v + 0.5) * mpmath.log(v) - v + mpmath.log(2 * mpmath.pi) / 2))
            for v in map(mpf, x.tolist())
        ]
    )
    found = special.stirling_error(tensor(x)).numpy()
    # Small x: the log-gamma's own rounding, absolute. From 16 on every digit, or large counts lose theirs.
    assert found == pytest.approx(exact, rel=1e-15, abs=3e-14)
    assert found[x >= 16.0] == pytest.approx(exact[x >= 16.0], rel=1e-14)


def test_digamma_minus_log() -> None:
    x = np.concatenate([10.0 ** np.linspace(-6, 15, 150), [15.999, 16.0, 16.001]])
    exact = np.array([float(mpmath.digamma(v) - mpmath.log(v)) for v in map(mpf, x.tolist())])
    found = special.digamma_minus_log(tensor(x)).numpy()
    assert found == pytest.approx(exact, rel=2e-14, abs=2e-15)
    assert found[x >= 16.0] == pytest.approx(exact[x >= 16.0], rel=1e-14)


def poisson_exact(k: int, rate: float) -> list[mpf]:
    """log-pmf and its first and second derivative."""
    r = mpf(rate)
    return [k * mpmath.log(r) - r - mpmath.loggamma(k + 1), (k - r) / r, -k / r**2]


@pytest.mark.parametrize("rate", [1e-140, 1e-8, 0.3, 1.0, 17.5, 1e3, 1e6, 1e12])
def test_poisson_and_its_derivatives(rate: float) -> None:
    """Derivatives by relative changes of the rate: first k - rate, second -k, each a sum of terms of that size."""
    for k in (0, 1, 2, 5, 17, 100, 1000, 10**6, 10**12):
        value, by_rate, by_rate_twice = poisson_exact(k, rate)
        at = tensor(rate).requires_grad_(True)
        found = log_pmf.poisson_log_prob(tensor(float(k)), at)
        (first,) = torch.autograd.grad(found, at, create_graph=True)
        (second,) = torch.autograd.grad(first, at)
        assert found.item() == pytest.approx(float(value), rel=1e-13, abs=1e-13), k
        assert first.item() * rate == pytest.approx(float(by_rate * rate), abs=1e-15 * max(k, rate)), k
        assert second.item() * rate**2 == pytest.approx(float(by_rate_twice * mpf(rate) ** 2), abs=1e-15 * max(k, rate))


def nb_exact(k: int, mean: float, size: float) -> dict[str, mpf]:
    m, r = mpf(mean), mpf(size)
    both = r + m
    return {
        "value": mpmath.loggamma(k + r)
        - mpmath.loggamma(r)
        - mpmath.loggamma(k + 1)
        + r * mpmath.log(r / both)
        + k * mpmath.log(m / both),
        "mean": r * (k - m) / (m * both),
        "size": mpmath.digamma(k + r) - mpmath.digamma(r) + mpmath.log(r / both) + (m - k) / both,
        "mean_mean": -k / m**2 + (k + r) / both**2,
        "mean_size": (k - m) / both**2,
        "size_size": mpmath.psi(1, k + r) - mpmath.psi(1, r) + 1 / r - 1 / both - (m - k) / both**2,
    }


@pytest.mark.parametrize("size", [1e-6, 1e-3, 0.5, 3.0, 15.9, 16.1, 100.0, 1e6, 1e10, 1e14])
def test_negative_binomial_and_its_derivatives(size: float) -> None:
    for k, mean in itertools.product((0, 1, 2, 7, 40, 1000, 10**6), (1e-6, 0.1, 1.0, 12.0, 1e3, 1e6)):
        m, r = tensor(mean).requires_grad_(True), tensor(size).requires_grad_(True)
        check_derivatives(log_pmf.negative_binomial_log_prob(tensor(float(k)), m, r), k, m, r)


@pytest.mark.parametrize("size", [1e-6, 0.01, 0.7, 3.0, 200.0, 1e8, 1e14])
def test_negative_binomial_among_small_counts(size: float) -> None:
    """Where the sums over all smaller counts are the same for every count, and made once."""
    counts = tensor(np.arange(1000.0))[None]
    for mean in (1e-6, 0.1, 1.0, 12.0, 150.0):
        m, r = tensor([[mean]]).requires_grad_(True), tensor([[size]]).requires_grad_(True)
        assert Recurrence.of(counts, m, r) is not None
        values = log_pmf.negative_binomial_log_prob(counts, m, r)
        for k in (0, 1, 2, 7, 40, 999):
            check_derivatives(values[0, k], k, m, r)


def check_derivatives(value: Tensor, k: int, m: Tensor, r: Tensor) -> None:
    """Against 40 digits; derivatives on the scale on which the optimiser moves (relative changes of mean and size)."""
    mean, size = m.item(), r.item()
    exact = nb_exact(k, mean, size)
    by_mean, by_size = torch.autograd.grad(value, (m, r), create_graph=True)
    mean_mean, mean_size = torch.autograd.grad(by_mean, (m, r), retain_graph=True)
    size_mean, size_size = torch.autograd.grad(by_size, (m, r), retain_graph=True)
    found = {
        "value": (value, 1.0),
        "mean": (by_mean, mean),
        "size": (by_size, size),
        "mean_mean": (mean_mean, mean**2),
        "mean_size": (mean_size, mean * size),
        "size_size": (size_size, size**2),
    }
    for name, (tensor_, unit) in found.items():
        target = float(exact[name] * mpf(unit))
        # Each derivative is a sum of terms up to this large; a sum cannot be better than its terms' rounding.
        terms = max(1.0, min(abs(target), 1e300), k if name != "value" else 0.0, mean if name != "value" else 0.0)
        assert tensor_.item() * unit == pytest.approx(target, rel=1e-11, abs=1e-12 * terms), (name, k, mean)
        if name == "mean_size":  # the Hessian is symmetric whichever derivative comes first
            assert size_mean.item() * unit == pytest.approx(target, rel=1e-11, abs=1e-12 * terms), (k, mean)


def test_autograd_agrees_with_finite_differences() -> None:
    k = tensor([0.0, 1.0, 4.0, 20.0, 300.0])
    mean, size = tensor([0.5, 2.0, 4.0, 15.0, 250.0]), tensor([0.3, 3.0, 14.0, 40.0, 200.0])
    for name, x in {"mean": mean, "size": size}.items():
        x = x.clone().requires_grad_(True)
        other = {"mean": size, "size": mean}[name]

        def nb(v: Tensor, name: str = name, other: Tensor = other) -> Tensor:
            pair = (v, other) if name == "mean" else (other, v)
            return log_pmf.negative_binomial_log_prob(k, *pair)

        assert torch.autograd.gradcheck(nb, (x,))
        assert torch.autograd.gradgradcheck(nb, (x,))
    rate = mean.clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda v: log_pmf.poisson_log_prob(k, v), (rate,))
    assert torch.autograd.gradgradcheck(lambda v: log_pmf.poisson_log_prob(k, v), (rate,))
    below = tensor([-3.0, -0.7, -0.6, -0.1]).requires_grad_(True)
    assert torch.autograd.gradcheck(special.log1mexp, (below,))
    assert torch.autograd.gradgradcheck(special.log1mexp, (below,))


def test_gradients_are_summed_where_parameters_broadcast() -> None:
    """One parameter for many counts: its gradient has its own shape and adds up those of the counts."""
    k = tensor(np.arange(6.0)).expand(3, 6)
    mean, size = tensor([[1.0], [2.0], [3.0]]).requires_grad_(True), tensor([2.5]).requires_grad_(True)
    together = torch.autograd.grad(log_pmf.negative_binomial_log_prob(k, mean, size).sum(), (mean, size))
    assert [g.shape for g in together] == [(3, 1), (1,)]
    alone = [
        torch.autograd.grad(log_pmf.negative_binomial_log_prob(k[0], mean[i], size).sum(), (mean, size))
        for i in range(3)
    ]
    assert together[0].flatten().tolist() == pytest.approx(sum(a[0].flatten() for a in alone).tolist(), rel=1e-13)
    assert together[1].item() == pytest.approx(sum(a[1].item() for a in alone), rel=1e-13)


def reference_misses(path: Path) -> tuple[int, list[str]]:
    """Rows of a table of log-pmf values, and those that are missed by more than 1e-11 max(1, |log p|)."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    misses = []
    for row in rows:
        values = {"rate": row["mu"]} if row["family"] != "nb" else {"mean": row["mu"], "size": row["size"]}
        working = {name: tensor([float(text)]) for name, text in values.items()}
        if row["family"] == "zip":
            # The working value of a probability is its logit (of the float64 nearest to what is written).
            pi = mpf(float(row["pi"]))
            working["pi"] = tensor([float(mpmath.log(pi / (1 - pi)))])
        found = parse(row["family"]).log_prob(working, tensor([float(row["k"])])).item()
        exact = mpf(row["logpmf"])
        if not abs(found - exact) <= 1e-11 * max(1, abs(exact)):
            misses.append(f"{row}: {found!r}")
    return len(rows), misses


def test_reference_log_pmf_here(repository: Path) -> None:
    rows, misses = reference_misses(repository / "tests" / "reference" / "pmf.csv")
    assert rows >= 60
    assert not misses


def test_reference_log_pmf_whole(shared_reference: Path) -> None:
    rows, misses = reference_misses(shared_reference / "pmf_reference.csv")
    assert rows == 588
    assert not misses
