"""Standard errors and intervals against closed forms and against the likelihood itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats


def close(found, error: float, rel: float = 1e-7) -> None:
    assert found.std_error == pytest.approx(error, rel=rel)


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    rng = np.random.default_rng(12)
    return rng.poisson(3.0, 500) * rng.binomial(1, 0.6, 500)


def test_poisson(counts: np.ndarray, fit) -> None:
    found = fit(counts, "poisson").parameters["rate"]
    assert found.estimate == pytest.approx(counts.mean(), rel=1e-10)
    close(found, math.sqrt(counts.mean() / 500))


def test_geometric(counts: np.ndarray, fit) -> None:
    mean = counts.mean()
    close(fit(counts, "geometric").parameters["mean"], math.sqrt(mean * (1.0 + mean) / 500))


def test_negative_binomial_mean(counts: np.ndarray, fit) -> None:
    """Mean and size are orthogonal, so the mean's variance is (mean + mean^2/size)/n whatever the size's."""
    found = fit(counts, "nb").parameters
    mean, size = found["mean"].estimate, found["size"].estimate
    close(found["mean"], math.sqrt((mean + mean**2 / size) / 500), rel=1e-6)


def test_zero_inflated_poisson(counts: np.ndarray, fit) -> None:
    """The observed information of pi and rate, differentiated by hand."""
    found = fit(counts, "zip").parameters
    pi, rate = found["pi"].estimate, found["rate"].estimate
    n0, total, positive = (counts == 0).sum(), counts.sum(), (counts > 0).sum()
    p0 = math.exp(-rate)
    zero = pi + (1.0 - pi) * p0
    information = np.array(
        [
            [n0 * ((1.0 - p0) / zero) ** 2 + positive / (1.0 - pi) ** 2, -n0 * p0 / zero**2],
            [-n0 * p0 / zero**2, -n0 * pi * (1.0 - pi) * p0 / zero**2 + total / rate**2],
        ]
    )
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    close(found["pi"], errors[0], rel=1e-6)
    close(found["rate"], errors[1], rel=1e-6)


def test_hurdle_share(counts: np.ndarray, fit) -> None:
    found = fit(counts, "hurdle(poisson)").parameters["p0"]
    share = (counts == 0).mean()
    assert found.estimate == pytest.approx(share, rel=1e-9)
    close(found, math.sqrt(share * (1.0 - share) / 500), rel=1e-6)
    # Its interval is the logit one.
    logit, half = math.log(share / (1.0 - share)), 1.959963984540054 / math.sqrt(share * (1.0 - share) * 500)
    assert found.lower == pytest.approx(1.0 / (1.0 + math.exp(half - logit)), rel=1e-6)
    assert found.upper == pytest.approx(1.0 / (1.0 + math.exp(-half - logit)), rel=1e-6)


def test_weights_of_components_far_apart(fit) -> None:
    """Then every count shows its component: weights are shares, rates are means."""
    rng = np.random.default_rng(4)
    parts = [rng.poisson(5.0, 300), rng.poisson(500.0, 100), rng.poisson(5000.0, 200)]
    found = fit(np.concatenate(parts), "3*poisson").parameters
    for i, part in enumerate(parts, start=1):
        share = len(part) / 600
        assert found[f"weight[{i}]"].estimate == pytest.approx(share, rel=1e-6)
        close(found[f"weight[{i}]"], math.sqrt(share * (1.0 - share) / 600), rel=1e-5)
        assert found[f"rate[{i}]"].estimate == pytest.approx(part.mean(), rel=1e-6)
        close(found[f"rate[{i}]"], math.sqrt(part.mean() / len(part)), rel=1e-5)


def test_two_weights_have_one_error(fit) -> None:
    rng = np.random.default_rng(4)
    found = fit(np.concatenate([rng.poisson(2.0, 300), rng.poisson(9.0, 200)]), "2*poisson").parameters
    first, second = found["weight[1]"], found["weight[2]"]
    assert first.estimate + second.estimate == pytest.approx(1.0, abs=1e-14)
    assert first.std_error == pytest.approx(second.std_error, rel=1e-10)
    assert first.lower == pytest.approx(1.0 - second.upper, rel=1e-9)


def test_negative_binomial_against_scipy(fit) -> None:
    """Errors from a numerical Hessian of SciPy's own likelihood at a maximum that SciPy finds."""
    y = np.random.default_rng(9).negative_binomial(1.5, 0.2, 400)

    def nll(v: np.ndarray) -> float:
        mean, size = np.exp(v)
        return -float(stats.nbinom.logpmf(y, size, size / (size + mean)).sum())

    best = optimize.minimize(nll, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})
    found = fit(y, "nb")
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-7)
    h, curvature = 1e-3, np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = h * np.eye(2)[i], h * np.eye(2)[j]
            corners = nll(best.x + a + b) - nll(best.x + a - b) - nll(best.x - a + b) + nll(best.x - a - b)
            curvature[i, j] = corners / (4.0 * h * h)
    errors = np.sqrt(np.diag(np.linalg.inv(curvature))) * np.exp(best.x)
    close(found.parameters["mean"], errors[0], rel=1e-4)
    close(found.parameters["size"], errors[1], rel=1e-4)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.99])
def test_the_level_widens_the_interval(level: float, counts: np.ndarray, fit) -> None:
    """Near the estimate every scale is straight: with many counts the interval is estimate -+ z se."""
    found = fit([2, 3, 4], "poisson", [10**8, 2 * 10**8, 10**8], level=level).parameters["rate"]
    z = stats.norm.isf((1.0 - level) / 2.0)
    assert found.upper - found.estimate == pytest.approx(z * found.std_error, rel=1e-3)
    assert found.estimate - found.lower == pytest.approx(z * found.std_error, rel=1e-3)
    wide = fit(counts, "zip", level=level)
    for estimate in wide.parameters.values():
        assert 0.0 < estimate.lower < estimate.estimate < estimate.upper
    assert wide.parameters["pi"].upper < 1.0
    assert wide.level == level


def test_intervals_cover(fit) -> None:
    """Of 300 intervals at 90 %, about 270 hold the truth (at a fixed seed; 240 to 292 is five sigma)."""
    from distfit_counts.data.column import Column
    from distfit_counts.data.histogram import Histogram
    from distfit_counts.families.spec import parse
    from distfit_counts.fitting import fit_columns
    from distfit_counts.settings import FitSettings

    rng, truth = np.random.default_rng(0), {"pi": 0.3, "mean": 6.0, "size": 3.0}
    family = parse("zinb")
    columns = [Column("t", str(i), {}, Histogram.of(family.sample(truth, 2000, rng))) for i in range(300)]
    fits = fit_columns(columns, family, FitSettings(restarts=1, level=0.9))
    inside = {
        name: sum(f.parameters[name].lower < v < f.parameters[name].upper for f in fits) for name, v in truth.items()
    }
    assert all(244 <= covered <= 296 for covered in inside.values()), inside


def test_a_weakly_known_size_reaches_far(fit) -> None:
    """Hardly overdispersed: the size's interval is wide, yet inside its range and not symmetric."""
    y = np.random.default_rng(1).poisson(4.0, 200)
    y[:2] += 9
    found = fit(y, "nb").parameters["size"]
    assert 0.0 < found.lower < found.estimate < found.upper
    assert found.upper - found.estimate > 2.0 * (found.estimate - found.lower)


def numerical_correlation(nll, at: np.ndarray) -> np.ndarray:
    """From second differences of a likelihood in the natural parameters."""
    step, count = 1e-3 * at, len(at)
    curvature = np.empty((count, count))
    for i in range(count):
        for j in range(count):
            a, b = step * np.eye(count)[i], step * np.eye(count)[j]
            corners = nll(at + a + b) - nll(at + a - b) - nll(at - a + b) + nll(at - a - b)
            curvature[i, j] = corners / (4.0 * step[i] * step[j])
    covariance = np.linalg.inv(curvature)
    error = np.sqrt(np.diag(covariance))
    return covariance / np.outer(error, error)


def matrix(found) -> np.ndarray:
    names = list(found.correlation)
    assert all(list(line) == names for line in found.correlation.values())
    assert {found.correlation[name][name] for name in names} == {1.0}
    return np.array([[found.correlation[a][b] for b in names] for a in names])


def test_correlation_against_numerical_hessians(counts: np.ndarray, fit) -> None:
    """Of SciPy's pmfs, in the parameters as people read them; J (nH)^-1 J' must be the same."""

    def zip_nll(v: np.ndarray) -> float:
        return -float(np.log(v[0] * (counts == 0) + (1 - v[0]) * stats.poisson.pmf(counts, v[1])).sum())

    def zinb_nll(v: np.ndarray) -> float:
        pmf = stats.nbinom.pmf(counts, v[2], v[2] / (v[2] + v[1]))
        return -float(np.log(v[0] * (counts == 0) + (1 - v[0]) * pmf).sum())

    for spec, nll in (("zip", zip_nll), ("zinb", zinb_nll)):
        found = fit(counts, spec)
        if found.reduced.family != spec:
            continue
        at = np.array([e.estimate for e in found.parameters.values()])
        np.testing.assert_allclose(matrix(found), numerical_correlation(nll, at), atol=2e-3)
    assert fit(counts, "zip").correlation["pi"]["rate"] > 0.0, "a higher rate leaves more zeros to explain"


def test_correlation_of_a_mixture_in_its_free_parameters(fit) -> None:
    rng = np.random.default_rng(4)
    y = np.concatenate([rng.poisson(2.0, 300), rng.poisson(9.0, 200)])

    def nll(v: np.ndarray) -> float:
        return -float(np.log(v[0] * stats.poisson.pmf(y, v[1]) + (1 - v[0]) * stats.poisson.pmf(y, v[2])).sum())

    found = fit(y, "2*poisson")
    names = ["weight[1]", "rate[1]", "rate[2]"]
    expected = numerical_correlation(nll, np.array([found.parameters[name].estimate for name in names]))
    ours = np.array([[found.correlation[a][b] for b in names] for a in names])
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    assert found.correlation["weight[1]"]["weight[2]"] == pytest.approx(-1.0, abs=1e-9)
    for name in names[1:]:
        mirrored = -found.correlation["weight[1]"][name]
        assert found.correlation["weight[2]"][name] == pytest.approx(mirrored, abs=1e-9)


@pytest.mark.parametrize(("spec", "pairs"), [("nb", [("mean", "size")]), ("hurdle(poisson)", [("p0", "rate")])])
def test_orthogonal_parameters_are_uncorrelated(spec, pairs, counts: np.ndarray, fit) -> None:
    """Mean and size of an nb (Lawless 1987); a hurdle's share and its positive part."""
    found = fit(counts, spec)
    for a, b in pairs:
        assert found.correlation[a][b] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "hurdle(nb)", "2*poisson", "3*poisson"])
def test_a_correlation_matrix(spec: str, counts: np.ndarray, fit) -> None:
    found = matrix(fit(counts, spec))
    np.testing.assert_allclose(found, found.T, rtol=1e-9, atol=1e-12, equal_nan=True)
    diagonal = np.diag(found)
    np.testing.assert_allclose(diagonal[~np.isnan(diagonal)], 1.0, rtol=1e-12)
    assert (np.abs(found[~np.isnan(found)]) <= 1.0).all()
    if not np.isnan(found).any():
        assert np.linalg.eigvalsh(found).min() > -1e-9


def test_at_a_boundary_the_correlation_is_the_simpler_familys(fit) -> None:
    y = np.random.default_rng(3).binomial(10, 0.7, 500)
    assert fit(y, "zinb").correlation == {"rate": {"rate": pytest.approx(1.0)}}
    assert fit([0] * 20, "poisson").correlation == {}
    flat = fit([1, 1, 1, 2, 2, 3, 5] * 10, "zt(zip)").correlation
    assert all(math.isnan(flat[a][b]) for a in flat for b in flat if "pi" in (a, b))
