"""Probabilities of bins and tails at large counts, against mpmath and SciPy."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import special, stats

from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import split

RIGHT = 1e-10


def pmf(spec: str, **values: float) -> Pmf:
    return Pmf.of(parse(spec), {name.replace("_", "[") + "]" * ("_" in name): value for name, value in values.items()})


def tails(model: Pmf, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    table = split(model, k + 1)
    return table.cdf(k), table.above(k)


def nb(mean: float, size: float):
    return stats.nbinom(size, size / (size + mean))


@pytest.mark.parametrize("rate", [1e6, 1e7, 1e9])
@pytest.mark.parametrize("far", [0.0, 4.0, 10.0, 35.0])
def test_upper_tails_of_a_poisson(rate: float, far: float) -> None:
    """P(Y > k) by mpmath, term by term: SciPy is off by 3 % at five deviations of a rate of 1e7."""
    if rate == 1e9 and 0.0 < far < 30.0:
        pytest.skip("too many terms")
    k = int(rate + far * rate**0.5)
    with mpmath.workdps(40):
        term = total = mpmath.exp((k + 1) * mpmath.log(rate) - rate - mpmath.loggamma(k + 2))
        if far:
            j = k + 2
            while term > total * mpmath.mpf(10) ** -20:
                term *= mpmath.mpf(rate) / j
                total, j = total + term, j + 1
        else:
            # Temme's expansion of the incomplete gamma function, which SciPy has.
            total = special.gammainc(k + 1.0, rate)
    _, above = tails(pmf("poisson", rate=rate), np.array([k]))
    assert above[0] == pytest.approx(float(total), rel=RIGHT)


@pytest.mark.parametrize(("mean", "size"), [(1e6, 0.3), (1e6, 1e4), (1e9, 0.01), (3e5, 1.0)])
def test_both_tails_of_a_negative_binomial(mean: float, size: float) -> None:
    """Both by the incomplete beta function."""
    distribution = nb(mean, size)
    k = np.unique(distribution.ppf([1e-4, 0.02, 0.3, 0.5, 0.9, 0.999]).astype(np.int64))
    k = np.append(k, k[-1] + np.int64(6 * distribution.std()))
    below, above = tails(pmf("nb", mean=mean, size=size), k)
    np.testing.assert_allclose(below, distribution.cdf(k), rtol=RIGHT)
    np.testing.assert_allclose(above, distribution.sf(k), rtol=RIGHT)


def test_a_geometric() -> None:
    """P(Y > k) = q^(k+1), down to 1e-300."""
    k = np.array([0, 10**3, 10**6, 10**8, 6 * 10**8])
    below, above = tails(pmf("geometric", mean=1e6), k)
    log_q = -np.log1p(1e-6)
    np.testing.assert_allclose(above, np.exp((k + 1) * log_q), rtol=RIGHT)
    np.testing.assert_allclose(below, -np.expm1((k + 1) * log_q), rtol=RIGHT)


@pytest.mark.parametrize("rest", [1e-2, 1e-6])
def test_a_log_series(rest: float) -> None:
    """P(Y > k) log(1-q) = -sum of q^j/j over j > k: the integral of t^k/(1-t) up to q by mpmath, in s = log t."""
    log_q = mpmath.log1p(-rest)
    k = np.array([1, 50, 5000, 10**6])
    k = k[k * rest < 200]
    _, above = tails(pmf("logseries", q=1.0 - rest), k)
    # Cut where the integrand turns.
    ends = [-(mpmath.mpf(10) ** n) for n in range(3, round(float(mpmath.log10(rest))), -1)] + [log_q]
    with mpmath.workdps(30):
        exact = [mpmath.quad(lambda s, j=j: mpmath.exp((j + 1) * s) / mpmath.expm1(s), ends) for j in k.tolist()]
    np.testing.assert_allclose(above, [float(value / mpmath.log(rest)) for value in exact], rtol=RIGHT)


def test_far_components_with_zeros() -> None:
    """zi and hurdle over two Poissons, 1.2 and 1e6: each bin by SciPy."""
    parts = {"weight_1": 0.8, "weight_2": 0.2, "rate_1": 1.2, "rate_2": 1e6}
    edges = np.array([0, 1, 5, 100_001, 998_000, 1_000_001, 1_003_000, 1_100_001])

    def held(cdf):
        return np.diff([*(cdf(k - 1.0) for k in edges), 1.0])

    def base(k):
        return 0.8 * stats.poisson.cdf(k, 1.2) + 0.2 * stats.poisson.cdf(k, 1e6)

    zi, hurdle = pmf("zi(2*poisson)", pi=0.3, **parts), pmf("hurdle(2*poisson)", p0=0.3, **parts)
    inflated, zero = held(lambda k: 0.3 * (k >= 0) + 0.7 * base(k)), base(0.0)
    jumped = held(lambda k: np.where(k < 0, 0.0, 0.3 + 0.7 * (base(np.maximum(k, 0.0)) - zero) / (1.0 - zero)))
    np.testing.assert_allclose(split(zi, edges).held(edges), inflated, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(split(hurdle, edges).held(edges), jumped, rtol=1e-9, atol=1e-14)


def test_a_point_mass_between_wide_pieces() -> None:
    model = pmf("point(700000)+poisson", weight_1=0.25, weight_2=0.75, rate_2=10.0)
    edges = np.array([0, 500_000, 10**6])
    np.testing.assert_allclose(split(model, edges).held(edges), [0.75, 0.25, 0.0], rtol=1e-12)


@pytest.mark.parametrize("spec", ["nb", "poisson", "geometric"])
def test_everything_sums_to_one(spec: str) -> None:
    values = {"nb": {"mean": 1e15, "size": 0.2}, "poisson": {"rate": 1e15}, "geometric": {"mean": 1e12}}[spec]
    table = split(pmf(spec, **values), np.array([0]))
    assert table.masses.sum() == pytest.approx(1.0, abs=1e-10)
    assert len(table.starts) < 6000, "few evaluations"
