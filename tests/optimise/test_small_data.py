"""Small and degenerate data: always an answer, never below a plain grid search, boundaries where theory puts them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from distfit_counts.families.spec import parse

FAMILIES = ["poisson", "geometric", "nb", "zip", "zinb", "hurdle(poisson)", "hurdle(nb)", "2*poisson"]

counts = st.integers(0, 40)
samples = st.one_of(
    st.lists(counts, min_size=1, max_size=30),
    st.lists(st.integers(0, 3), min_size=1, max_size=30),
    st.lists(st.sampled_from([0, 0, 0, 1, 2, 30]), min_size=1, max_size=30),
    st.tuples(counts, st.integers(1, 30)).map(lambda pair: [pair[0]] * pair[1]),
    st.tuples(counts, counts, st.integers(1, 10), st.integers(1, 10)).map(lambda t: [t[0]] * t[2] + [t[1]] * t[3]),
)

SHARES = np.concatenate([[0.0], np.linspace(0.02, 0.98, 9)])
RATES = np.concatenate([[1e-3], np.geomspace(0.05, 45.0, 14)])
SIZES = np.geomspace(0.02, 200.0, 8)


def grid_search(spec: str, y: np.ndarray) -> float:
    """The best log-likelihood over a coarse grid, from SciPy's distributions and nothing of this project."""
    rates = np.append(RATES, max(y.mean(), 1e-3))
    if spec == "geometric":
        return float(stats.nbinom.logpmf(y, 1.0, 1.0 / (1.0 + rates[:, None])).sum(axis=1).max())
    if "nb" in spec:
        mean, size = (axis.ravel()[:, None] for axis in np.meshgrid(rates, SIZES))
        log, at_zero = (stats.nbinom.logpmf(k, size, size / (size + mean)) for k in (y, np.zeros(1)))
    else:
        log, at_zero = (stats.poisson.logpmf(k, rates[:, None]) for k in (y, np.zeros(1)))
    share = np.append(SHARES, 1.0)[:, None, None]  # [share, grid point, observation]
    with np.errstate(divide="ignore", invalid="ignore"):
        if spec == "2*poisson":
            first, second = np.log(share[..., None]) + log[:, None], np.log1p(-share[..., None]) + log
            found = np.logaddexp(first, second)
        elif spec.startswith("hurdle"):
            found = np.where(y == 0, np.log(share), np.log1p(-share) + log - np.log(-np.expm1(at_zero)))
        elif spec.startswith("zi"):
            found = np.where(y == 0, np.logaddexp(np.log(share), np.log1p(-share) + at_zero), np.log1p(-share) + log)
        else:
            found = log
        return float(np.nanmax(found.sum(axis=-1)))


def judge(found: Any, y: np.ndarray) -> None:
    codes = [verdict.code for verdict in found.verdicts]
    assert math.isfinite(found.log_likelihood)
    assert found.log_likelihood <= 0.0, "a probability"
    assert found.log_likelihood >= grid_search(found.family, y) - 1e-8
    assert found.converged or any(code.startswith("fit.") for code in codes)
    assert (found.status == "boundary") <= bool(codes), "a boundary is said in words"
    assert math.isfinite(found.aic)
    assert math.isfinite(found.bic)
    assert math.isfinite(found.mean)
    assert found.log_likelihood == pytest.approx(np.log(found.pmf(y)).sum(), rel=1e-8, abs=1e-8)
    for name, e in found.parameters.items():
        upper = 1.0 if name.startswith(("pi", "p0", "weight")) else math.inf
        assert math.isnan(e.estimate) or 0.0 <= e.estimate <= upper, name
        if math.isnan(e.std_error):
            unknown = "parameter.not_identified" in codes
            assert e.boundary or math.isnan(e.estimate) or unknown or not found.converged, (name, e)
            assert math.isnan(e.lower)
            assert math.isnan(e.upper)
        else:
            assert e.boundary is None
            assert 0.0 < e.std_error < math.inf, (name, e)
            assert 0.0 <= e.lower <= e.estimate <= e.upper <= upper, (name, e)
    theory(found, y)


def theory(found: Any, y: np.ndarray) -> None:
    """Closed forms and theorems about where the maximum lies."""
    mean, variance, share = y.mean(), y.var(), (y == 0).mean()
    parameters = found.parameters
    if found.family in ("poisson", "geometric", "nb"):
        assert found.mean == pytest.approx(mean, rel=1e-5, abs=1e-9)
    if found.family.startswith("hurdle"):
        assert parameters["p0"].estimate == pytest.approx(share, abs=1e-6)
        assert found.mean == pytest.approx(mean, rel=1e-4, abs=1e-9)
    # Levin and Reeds (1977): the size is finite exactly where the variance (divisor n) exceeds the mean.
    if found.family == "nb" and mean > 0 and abs(variance / mean - 1.0) > 0.02:
        assert (parameters["size"].boundary == "upper") == (variance < mean)
    # The score at pi = 0: positive exactly where there are more zeros than exp(-mean).
    if found.family == "zip" and mean > 0 and abs(share - math.exp(-mean)) > 0.02:
        assert (parameters["pi"].boundary == "lower") == (share < math.exp(-mean))


@pytest.mark.parametrize("spec", FAMILIES)
@given(sample=samples)
@settings(max_examples=10)
def test_any_small_data_set(spec: str, sample: list[int], fit) -> None:
    judge(fit(sample, spec), np.array(sample))


@pytest.mark.slow
@pytest.mark.parametrize("spec", FAMILIES)
@given(sample=samples)
@settings(max_examples=300, derandomize=False)
def test_very_many_small_data_sets(spec: str, sample: list[int], fit) -> None:
    judge(fit(sample, spec, restarts=10), np.array(sample))


@pytest.mark.parametrize(
    "spec",
    [
        *FAMILIES,
        "zi(geometric)",
        "hurdle(geometric)",
        *(pytest.param(spec, marks=pytest.mark.slow) for spec in ("zi(2*poisson)", "2*nb", "poisson+nb")),
    ],
)
@pytest.mark.parametrize(
    "sample",
    [[0], [1], [7], [0, 0], [0] * 50, [1] * 50, [7] * 20, [0, 1], [0, 5], [0] * 9 + [1], [1, 2], [0] * 29 + [40]],
    ids=lambda sample: "+".join(f"{sample.count(k)}x{k}" for k in sorted(set(sample))),
)
def test_degenerate_data(spec: str, sample: list[int], fit) -> None:
    found = fit(sample, spec)
    codes = [verdict.code for verdict in found.verdicts]
    assert math.isfinite(found.log_likelihood)
    assert found.log_likelihood <= 0.0
    assert found.converged, (found.status, codes)
    assert found.mean == pytest.approx(np.mean(sample), rel=1e-4, abs=1e-8)
    if set(sample) == {0}:
        assert found.log_likelihood == 0.0
        assert any(code.endswith("all_zero") for code in codes), codes
    if len(sample) <= found.n_parameters + 1:
        assert "sample.too_small" in codes
        assert math.isnan(found.aicc)
    for estimate in found.parameters.values():
        if estimate.boundary:
            assert math.isnan(estimate.std_error)
    assert found.summary()
    assert sum(f.expected for f in found.frequencies()) == pytest.approx(len(sample), rel=1e-6)


@pytest.mark.parametrize("spec", ["zt(poisson)", "zt(nb)", "zt(geometric)", "logseries", "zt(2*poisson)"])
@pytest.mark.parametrize("sample", [[1], [1] * 40, [2], [1, 1, 1, 2], [5] * 10, [1] * 20 + [30]])
def test_degenerate_positive_data(spec: str, sample: list[int], fit) -> None:
    found = fit(sample, spec)
    assert found.log_likelihood <= 0.0
    assert found.converged, (found.status, found.verdicts)
    if set(sample) == {1}:
        assert found.log_likelihood == pytest.approx(0.0, abs=1e-9)
        assert any(verdict.code.endswith("all_one") for verdict in found.verdicts)
    # Every one of these contains, at its boundary, the zero-truncated Poisson or the log-series.
    y = np.array(sample)
    rates, ratios = np.geomspace(1e-4, 50.0, 60), 1.0 - np.geomspace(1e-3, 0.999, 60)
    if spec in ("zt(poisson)", "zt(nb)", "zt(2*poisson)"):
        best = max((stats.poisson.logpmf(y, r) - np.log(-np.expm1(-r))).sum() for r in rates)
        assert found.log_likelihood >= best - 1e-8
    if spec in ("zt(nb)", "logseries"):
        assert found.log_likelihood >= max(stats.logser.logpmf(y, q).sum() for q in ratios) - 1e-8


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        "zt(zip)",
        "zt(zinb)",
        "hurdle(zip)",
        "hurdle(zinb)",
        "zi(hurdle(poisson))",
        "zi(zt(nb))",
        "zi(logseries)",
        "hurdle(zt(nb))",
        pytest.param("hurdle(2*nb)", marks=pytest.mark.slow),
        pytest.param("zt(poisson+nb)", marks=pytest.mark.slow),
        pytest.param("2*zip", marks=pytest.mark.slow),
        pytest.param("zip+zinb", marks=pytest.mark.slow),
        "2*hurdle(poisson)",
        "2*zt(poisson)",
        "poisson+zt(poisson)",
        "point(0)+zt(nb)",
        "point(0)+point(3)+poisson",
        "2*logseries",
    ],
)
@pytest.mark.parametrize(
    "sample", [[1, 1, 1, 2, 2, 3, 5], [1, 3, 3, 3, 9, 20, 21], [3] * 8, [0, 0, 0, 1, 2, 2, 4, 7]], ids=str
)
def test_odd_families_get_an_answer_too(spec: str, sample: list[int], fit) -> None:
    if parse(spec).lowest > 0:
        sample = [count for count in sample if count > 0]
    found = fit(sample, spec, restarts=2)
    assert math.isfinite(found.log_likelihood)
    assert found.log_likelihood <= 0.0
    assert found.converged, (found.status, found.verdicts)
    shares = [sample.count(k) / len(sample) for k in set(sample)]
    best = len(sample) * sum(share * math.log(share) for share in shares)
    assert found.log_likelihood <= best + 1e-9, "no model beats the shares themselves"
    y = np.array(sample)
    plain = stats.poisson.logpmf(y, y.mean()).sum()
    if "nb" in spec or ("poisson" in spec and "zt" not in spec and "hurdle" not in spec):
        assert found.log_likelihood >= plain - 1e-8
    assert found.log_likelihood == pytest.approx(np.log(found.pmf(y)).sum(), rel=1e-8)
    assert found.summary()
