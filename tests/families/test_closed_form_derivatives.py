"""Closed forms give what autograd gives, and what 50 digits give."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch

from distfit_counts.families.closed_form.find import derivatives
from distfit_counts.families.constraint import POSITIVE, POSITIVE_BOTH_ENDS, SIMPLEX, UNIT, Constraint
from distfit_counts.families.family import Family
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.spec import parse
from distfit_counts.regression.row_model import CountModel
from tests.families import exact

BASE = ["poisson", "geometric", "nb"]
ZEROS = ["zip", "zinb", "zi(geometric)", "hurdle(nb)", "hurdle(poisson)", "zt(nb)", "zi(zt(nb))"]
MIXED = ["3*poisson", "2*nb", "nb+poisson", "nb+point(0)", "point(0)+2*poisson", "zi(2*poisson)", "zt(poisson)+2*nb"]
COUNTS = torch.tensor([[0.0, 1.0, 2.0, 5.0, 9.0, 30.0], [0.0, 1.0, 3.0, 4.0, 40.0, 200.0]], dtype=torch.float64)
SHARE = torch.tensor([[0.4, 0.3, 0.1, 0.1, 0.06, 0.04], [0.7, 0.1, 0.1, 0.05, 0.03, 0.02]], dtype=torch.float64)


def working_values(family: Family, theta: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of unconstrained ``theta`` [B, P], on a scale of 3."""
    found: dict[str, torch.Tensor] = {}
    at = 0
    for parameter in family.parameters:
        own = parameter.constraint.to(theta[:, at : at + parameter.free], torch.full((1, 1), 3.0, dtype=theta.dtype))
        found |= {name: own[:, i : i + 1] for i, name in enumerate(parameter.names)}
        at += parameter.free
    return found


def by_autograd(family: Family, p: dict[str, torch.Tensor], k: torch.Tensor, share: torch.Tensor) -> list[torch.Tensor]:
    """The weighted sum over counts [B] with gradient [B, Q] and Hessian [B, Q, Q] by the working values."""
    leaf = torch.cat([p[name] for name in family.names], dim=1).requires_grad_(True)
    again = {name: leaf[:, i : i + 1] for i, name in enumerate(family.names)}
    value = (share * family.log_prob(again, k)).sum(dim=-1)
    (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=True)
    curve = [torch.autograd.grad(slope[:, i].sum(), leaf, retain_graph=True)[0] for i in range(leaf.shape[1])]
    return [value.detach(), slope.detach(), torch.stack(curve, dim=1)]


@pytest.mark.parametrize("spec", [*BASE, *ZEROS, *MIXED])
def test_closed_forms_agree_with_autograd(spec: str) -> None:
    family = parse(spec)
    theta = torch.from_numpy(np.random.default_rng(3).normal(0.0, 2.0, (40, family.n_parameters)))
    p = working_values(family, theta)
    k, share = (each.repeat(20, 1) for each in (COUNTS + family.lowest, SHARE))
    found = derivatives(family, p, k)
    assert found is not None
    value, slope, curve = by_autograd(family, p, k, share)
    torch.testing.assert_close((share * found.log_prob).sum(dim=-1), value, rtol=1e-14, atol=0.0)
    own = [(share * found.first).sum(dim=-1).T, found.second(share)]
    for mine, theirs in zip(own, (slope, curve), strict=True):
        largest = theirs.abs().flatten(1).amax(dim=1)
        assert ((mine - theirs).abs().flatten(1).amax(dim=1) <= 1e-10 * largest).all()


@pytest.mark.parametrize("spec", ["logseries", "hurdle(logseries)", "hurdle(2*nb)", "logseries+nb"])
def test_what_has_none_is_left_to_autograd(spec: str) -> None:
    family = parse(spec)
    p = working_values(family, torch.zeros((1, family.n_parameters), dtype=torch.float64))
    assert derivatives(family, p, COUNTS[:1]) is None


def test_another_log_pmf_under_a_known_name_is_left_to_autograd() -> None:
    class Other(Poisson):
        pass

    p = {"rate": torch.ones((1, 1), dtype=torch.float64)}
    assert derivatives(Poisson(), p, COUNTS[:1]) is not None
    assert derivatives(Other(), p, COUNTS[:1]) is None
    both = {f"rate[{i}]": p["rate"] for i in (1, 2)} | {f"weight[{i}]": p["rate"] for i in (1, 2)}
    assert derivatives(Mixture((Other(), Poisson())), both, COUNTS[:1]) is None


def test_a_mixture_of_negative_binomials_in_fifty_digits() -> None:
    """Log-weights, means and sizes; derivatives by mpmath's differences of the textbook form."""
    at = [-0.4, -1.3, 2.5, 14.0, 0.7, 400.0]
    family, k, share = parse("2*nb"), COUNTS[:1], SHARE[:1]
    p = {name: torch.full((1, 1), value, dtype=torch.float64) for name, value in zip(family.names, at, strict=True)}
    found = derivatives(family, p, k)
    assert found is not None

    def log_likelihood(*x: mpmath.mpf) -> mpmath.mpf:
        # The names are weight[1], weight[2], mean[1], size[1], mean[2], size[2].
        total = mpmath.mpf(0)
        for count, own in zip(k[0].tolist(), share[0].tolist(), strict=True):
            parts = [
                mpmath.exp(weight)
                * mpmath.gammaprod([count + size], [size, count + 1])
                * (size / (size + mean)) ** size
                * (mean / (size + mean)) ** count
                for weight, mean, size in ((x[0], x[2], x[3]), (x[1], x[4], x[5]))
            ]
            total += mpmath.mpf(own) * mpmath.log(sum(parts))
        return total

    with mpmath.workdps(50):
        curve = np.empty((6, 6))
        for i in range(6):
            for j in range(6):
                order = [0] * 6
                order[i] += 1
                order[j] += 1
                curve[i, j] = mpmath.diff(log_likelihood, tuple(map(mpmath.mpf, at)), tuple(order))
    np.testing.assert_allclose(found.second(share)[0].numpy(), curve, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("spec", ["zinb", "zip", "nb+point(0)", "2*nb", "3*poisson", "hurdle(nb)"])
def test_where_autograd_is_finite_so_is_the_closed_form(spec: str) -> None:
    """Gates at 1e-300 and 1 - 1e-17, components that no count belongs to, tiny and huge means and sizes."""
    family, rng = parse(spec), np.random.default_rng(5)
    theta = rng.choice([-690.0, -40.0, -3.0, 0.0, 3.0, 40.0, 300.0], (300, family.n_parameters))
    p = working_values(family, torch.from_numpy(theta))
    k, share = (each[:1].expand(len(theta), -1) for each in (COUNTS, SHARE))
    found = derivatives(family, p, k)
    assert found is not None
    value, slope, curve = by_autograd(family, p, k, share)
    finite = value.isfinite() & slope.isfinite().all(dim=1) & curve.isfinite().flatten(1).all(dim=1)
    assert finite.sum() > 30
    torch.testing.assert_close((share * found.log_prob).sum(dim=-1)[finite], value[finite], rtol=1e-14, atol=0.0)
    assert found.first[:, finite].isfinite().all()
    assert found.second(share)[finite].isfinite().all()


@pytest.mark.parametrize("spec", [*BASE, *ZEROS, *MIXED, "logseries", "zi(logseries)", "hurdle(logseries)", "zt(zip)"])
def test_the_definition_in_fifty_digits_at_the_extremes(spec: str) -> None:
    """Means and sizes from 1e-300 to 1e15 beside probabilities of 1e-300; closed forms have the definition's value."""
    family, rng = parse(spec), np.random.default_rng(1)
    model = CountModel.of(family)
    for _ in range(15):
        eta = rng.choice([-690.0, -400.0, -40.0, -1.3, 0.7, 12.0, 34.5], len(model.heads))
        p = model.working([torch.tensor([[value]], dtype=torch.float64) for value in eta])
        for count in (family.lowest, 1, 2, 7):
            k = torch.tensor([[float(count)]], dtype=torch.float64)
            found = derivatives(family, p, k)
            with mpmath.workdps(exact.DIGITS):
                value = mpmath.log(exact.pmf(family, exact.natural(family, [mpmath.mpf(float(x)) for x in eta]), count))
                bound = 1e-12 * ((1 + count) * np.abs(eta).max() + abs(value))
                assert abs(float(family.log_prob(p, k)) - value) <= bound, (eta, count)
                assert found is None or abs(float(found.log_prob) - value) <= bound, (eta, count)


@pytest.mark.parametrize("constraint", [POSITIVE, POSITIVE_BOTH_ENDS, UNIT, SIMPLEX])
def test_the_derivatives_of_constraints(constraint: Constraint) -> None:
    theta = torch.tensor([-3.0, 0.3, 2.0], dtype=torch.float64)
    scale = torch.tensor([2.0, 0.5, 7.0], dtype=torch.float64)
    weight = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)[: 4 if constraint is SIMPLEX else 3]

    def to(x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = constraint.to(x, scale)
        return found

    jacobian = torch.autograd.functional.jacobian(to, theta)
    bend = torch.autograd.functional.hessian(lambda x: weight @ to(x), theta)
    torch.testing.assert_close(constraint.jacobian(theta, scale), jacobian, rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(constraint.bend(theta, scale, weight), bend, rtol=1e-13, atol=1e-15)
