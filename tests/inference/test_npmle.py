"""The nonparametric maximum over all Poisson mixtures: its laws, closed forms, and best known fits from elsewhere."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from distfit_counts.inference.poisson_mixtures.gap import gap
from distfit_counts.inference.poisson_mixtures.npmle import MixingDistribution, npmle, npmles
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_poisson

HERE = json.loads((Path(__file__).parents[1] / "reference" / "univariate.json").read_text())
MIXTURES = ["poisson", "nb", "zip", "zinb", "2*poisson", "3*poisson"]


def counted(values: Any) -> tuple[np.ndarray, np.ndarray]:
    distinct, weights = np.unique(np.asarray(values), return_counts=True)
    return distinct.astype(float), weights.astype(float)


def check(values: np.ndarray, weights: np.ndarray, tolerance: float = 1e-9) -> MixingDistribution:
    """What holds of every NPMLE; the optimality is judged by SciPy's Poisson on a scan, not by the code's own bound."""
    found = npmle(values, weights, tolerance)
    assert found.gap <= tolerance
    assert (found.weights > 0.0).all()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-14)
    assert (np.diff(found.rates) > 0.0).all()
    assert values[0] <= found.rates[0]
    assert found.rates[-1] <= values[-1]
    log_pmf = stats.poisson.logpmf(values[:, None], found.rates) + np.log(found.weights)
    pmf = np.exp(log_pmf - log_pmf.max(axis=1, keepdims=True)).sum(axis=1)
    log_fitted = np.log(pmf) + log_pmf.max(axis=1)
    # SciPy adds k log(rate), rate and log k!, which cancel: at a count of 5,000 it is off by 5e-12.
    noise = 1e-15 * float((values * np.log1p(values)).max())
    assert found.log_likelihood == pytest.approx(float(weights @ log_fitted), rel=1e-12, abs=noise * weights.sum())
    scan = np.union1d(np.linspace(math.sqrt(values[0]), math.sqrt(values[-1]), 2000), np.sqrt(values)) ** 2
    ratio = np.exp(stats.poisson.logpmf(values[:, None], scan) - log_fitted[:, None])
    assert ((weights / weights.sum()) @ ratio).max() <= 1.0 + found.gap + 1e-10 + noise
    # At the maximum all rates may be scaled together, and nothing is gained: the means agree. Where they differ by d, a
    # scaling gains at least d**2/(2 mean), which is no more than the gap.
    mean = weights @ values / weights.sum()
    assert found.weights @ found.rates == pytest.approx(mean, abs=4.0 * math.sqrt(2.0 * tolerance * mean), rel=1e-9)
    return found


@pytest.mark.parametrize(("value", "n"), [(0, 100), (7, 50), (3, 1), (10**6, 3)])
def test_equal_counts_have_one_rate(value: int, n: int) -> None:
    found = npmle(np.array([float(value)]), np.array([float(n)]))
    assert found.rates == pytest.approx([value], rel=1e-14)
    assert found.weights == pytest.approx([1.0])
    assert found.gap == pytest.approx(0.0, abs=1e-12)
    assert found.log_likelihood == pytest.approx(n * stats.poisson.logpmf(value, value), rel=1e-9)


def test_all_zeros_leave_no_other_count() -> None:
    found = npmle(np.zeros(1), np.array([10.0]))
    np.testing.assert_array_equal(found.log_prob(np.array([0.0, 1.0, 5.0])), [0.0, -np.inf, -np.inf])


@pytest.mark.parametrize(("m", "zeros", "others"), [(2, 1, 1), (5, 70, 30), (20, 999, 1)])
def test_zeros_and_one_other_count(m: int, zeros: int, others: int) -> None:
    """A zero-inflated Poisson: its maximum has r/(1 - exp(-r)) = m, and shares that are met exactly."""
    found = check(np.array([0.0, m]), np.array([zeros, others], dtype=float))
    rate = optimize.brentq(lambda r: r / -math.expm1(-r) - m, 0.1, 2.0 * m, xtol=1e-14)
    assert found.rates == pytest.approx([0.0, rate], rel=1e-6)
    assert found.weights[1] == pytest.approx(others / (zeros + others) / -math.expm1(-rate), rel=1e-6)


def test_counts_far_apart_are_their_own_components() -> None:
    """Each count's component has its share and its rate, to the last digit: the Poissons do not overlap."""
    values, weights = np.array([10.0, 4000.0, 10.0**7, 10.0**11]), np.array([1.0, 2.0, 3.0, 4.0])
    found = npmle(values, weights)
    assert found.gap <= 1e-9
    assert found.rates == pytest.approx(values, rel=1e-12)
    assert found.weights == pytest.approx(weights / 10.0, rel=1e-12)


def test_underdispersed_counts_are_one_poisson(repository: Path) -> None:
    """Boys in families of twelve (Geissler; sample_data/saxony.csv) vary less than a Poisson: it is the NPMLE."""
    values, weights = np.loadtxt(repository / "sample_data" / "saxony.csv", delimiter=",", skiprows=1).T
    mean = weights @ values / weights.sum()
    assert gap(values, weights, stats.poisson.logpmf(values, mean)).bound < 1e-10
    found = check(values, weights)
    assert found.rates == pytest.approx([mean], rel=1e-12)


def test_thyrion_s_accidents() -> None:
    """The data on which Simar (1976, Annals of Statistics 4) first computed an NPMLE of a Poisson mixture: accidents of
    9461 insured. Two of the four points are close together; without them the likelihood is 0.0004 lower."""
    values, weights = np.arange(8.0), np.array([7840, 1317, 239, 42, 14, 4, 4, 1], dtype=float)
    found = check(values, weights, 1e-11)
    three = log_poisson(values[:, None], np.array([0.0, 0.33554041, 2.5449785]))
    best_of_three = weights @ np.log(np.exp(three) @ [0.41829986, 0.57302384, 0.0086763])
    assert best_of_three == pytest.approx(-5340.703867, abs=1e-6)
    assert found.log_likelihood > best_of_three + 4e-4
    assert len(found.rates) == 4
    assert found.rates[0] == 0.0


def test_two_separated_poissons_are_found() -> None:
    values, weights = counted(np.random.default_rng(0).poisson(np.repeat([3.0, 60.0], [4000, 6000])))
    found = check(values, weights)
    low = found.rates < 20.0
    assert found.weights[low].sum() == pytest.approx(0.4, abs=1e-6)
    assert found.weights[low] @ found.rates[low] / 0.4 == pytest.approx(3.0, abs=0.1)


def test_rare_counts_get_their_component() -> None:
    """One count in a billion has a weight of 1e-9, and yet no D may be left at it."""
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 20.0])
    found = check(values, np.array([9e8, 9e7, 5e6, 2e5, 5e3, 100.0, 1.0]))
    assert found.rates[-1] == pytest.approx(20.0, rel=1e-3)
    assert found.weights[-1] == pytest.approx(1.0 / 995205101.0, rel=0.02)


@st.composite
def histograms(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    top = draw(st.sampled_from([3, 12, 60, 1000, 10**5]))
    values = sorted(draw(st.sets(st.integers(0, top), min_size=1, max_size=14)))
    weights = [draw(st.integers(1, 10 ** draw(st.integers(0, 5)))) for _ in values]
    return np.array(values, dtype=float), np.array(weights, dtype=float)


@given(histograms())
@settings(max_examples=80)
def test_laws(histogram: tuple[np.ndarray, np.ndarray]) -> None:
    values, weights = histogram
    found = check(values, weights)
    # Lindsay (1983): there is a solution with no more points than distinct counts.
    assert len(found.rates) <= len(values)


@given(histograms(), st.sampled_from([1e-3, 7.0, 1e6]))
@settings(max_examples=20)
def test_only_shares_matter(histogram: tuple[np.ndarray, np.ndarray], factor: float) -> None:
    values, weights = histogram
    once, often = npmle(values, weights), npmle(values, factor * weights)
    assert often.log_likelihood == pytest.approx(
        factor * once.log_likelihood, rel=1e-8, abs=factor * weights.sum() * 1e-9
    )


@pytest.mark.parametrize("seed", range(6))
def test_random_samples(seed: int) -> None:
    """Overdispersed samples, from a handful to hundreds of distinct counts."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(rng.uniform(0.3, 3.0), 10.0 ** rng.uniform(0.0, 2.0), 2000)
    values, weights = counted(rng.poisson(rate) * rng.binomial(1, rng.uniform(0.5, 1.0), 2000))
    found = check(values, weights)
    assert len(found.rates) <= len(values)
    k = np.array([values[-1], values[0], values[len(values) // 2]])
    pmf = stats.poisson.pmf(k[:, None], found.rates) @ found.weights
    np.testing.assert_allclose(found.log_prob(k), np.log(pmf), rtol=1e-12)


def mixed_columns() -> list[tuple[np.ndarray, np.ndarray]]:
    """From one distinct count to a hundred, from flat to overdispersed, with gaps and with rates of 1e12."""
    rng = np.random.default_rng(11)
    samples = [
        rng.negative_binomial(size, 1.0 / (1.0 + mean / size), 300) for size in (0.3, 2.0) for mean in (1, 9, 60)
    ]
    samples += [rng.poisson(mean, 200) for mean in (0.2, 4.0)] + [rng.binomial(12, 0.6, 200)]
    samples += [np.zeros(5, dtype=int), np.array([7]), np.array([0, 1, 5_000_000]), 10**12 + rng.integers(0, 10**7, 20)]
    return [counted(sample) for sample in samples]


def test_a_column_alone_is_the_column_in_a_batch() -> None:
    """Whatever its neighbours are: the same log-likelihood but for rounding, and a gap of its own."""
    columns = mixed_columns()
    together = npmles(columns)
    for (values, weights), found in zip(columns, together, strict=True):
        alone = npmle(values, weights)
        assert max(found.gap, alone.gap) <= 1e-9
        rounding = 1e-14 * (1.0 + math.sqrt(values[-1]))
        assert found.log_likelihood / weights.sum() == pytest.approx(
            alone.log_likelihood / weights.sum(), abs=1e-12 + rounding
        )
    check(*columns[4])
    for found, alone in zip(npmles(columns[::-1])[::-1], together, strict=True):
        assert found.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12, abs=1e-11)


def test_batches_may_be_worked_on_in_any_manner() -> None:
    """``run`` is given every batch; what it gives back is each column's own."""
    columns = mixed_columns()
    batches: list[int] = []

    def run(work: Any, items: list[Any]) -> list[Any]:
        batches.append(len(items))
        return [work(item) for item in items]

    found = npmles(columns, run=run)
    assert batches == [1]
    for (values, weights), one in zip(columns, found, strict=True):
        assert one.weights @ one.rates == pytest.approx(weights @ values / weights.sum(), rel=1e-4)
    assert npmles([]) == []


def test_a_hard_column_does_not_spoil_the_rest() -> None:
    """Uniform counts leave D nearly flat, and take many rounds: the others have left the batch by then."""
    hard, columns = (np.arange(120.0), np.ones(120)), mixed_columns()
    found = npmles([*columns[:4], hard, *columns[4:]])
    assert found[4].gap <= 1e-9
    check(*hard)
    for alone, beside in zip(npmles(columns), found[:4] + found[5:], strict=True):
        assert beside.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12, abs=1e-11)


@pytest.mark.slow
def test_thousands_of_distinct_counts() -> None:
    values, weights = counted(np.random.default_rng(0).negative_binomial(0.5, 1e-4, 6000))
    assert len(values) > 3000
    assert npmle(values, weights, 1e-6).gap <= 1e-6


def test_heavy_tails_fall_apart() -> None:
    """Counts up to 10⁹ whose tail is single values: solved piece by piece, certified as a whole."""
    rng = np.random.default_rng(3)
    values, weights = counted(rng.poisson(np.minimum(rng.pareto(0.5, 300), 1e9)))
    found = npmle(values, weights)
    assert found.gap <= 1e-9
    assert len(found.rates) <= len(values)


@pytest.mark.parametrize("name", HERE)
def test_no_known_fit_exceeds_it(name: str) -> None:
    values, weights = (np.array(HERE[name][key], dtype=float) for key in ("values", "weights"))
    compare(npmle(values, weights), values, weights, HERE[name]["fits"])


def test_the_whole_collection(shared_reference: Path) -> None:
    """In under a second each, with a gap far below 1e-6."""
    reference = json.loads((shared_reference / "reference.json").read_text())
    for entry in reference.values():
        values, weights = counted(np.loadtxt(shared_reference / entry["file"], skiprows=1))
        start = time.process_time()
        found = check(values, weights)
        assert time.process_time() - start < 1.0
        compare(found, values, weights, entry["fits"])


def compare(found: MixingDistribution, values: np.ndarray, weights: np.ndarray, fits: dict[str, Any]) -> None:
    """Best known fits of Poisson mixtures against the ceiling, and their own distance to it."""
    n, rounding = weights.sum(), 1e-13 * max(1.0, abs(found.log_likelihood))
    for name in MIXTURES:
        best = fits.get(name)
        if best is None:
            continue
        assert best["log_likelihood"] <= found.log_likelihood + n * found.gap + rounding
        bound = best.get("upper_bound_any_poisson_mixture")
        assert bound is None or bound >= found.log_likelihood - rounding
        if best.get("certificate") == "NPMLE-certified global":
            assert best["log_likelihood"] == pytest.approx(found.log_likelihood, abs=n * found.gap + rounding)
        if "*" in name:
            left = gap(values, weights, finite(values, best["parameters"])).bound
            assert best["log_likelihood"] + n * left >= found.log_likelihood - 1e-9 - rounding
            certified = best.get("certificate") == "NPMLE-certified global"
            reached = found.log_likelihood - best["log_likelihood"] < 1e-6
            assert reached or not certified
            # A maximum over all Poisson mixtures is known as one from the fit alone, and anything else as none.
            assert (n * left < 1e-4) == reached


def finite(values: np.ndarray, parameters: dict[str, float]) -> np.ndarray:
    """The log-pmf of a fit in the collection's words: rate[1], ..., weight[1], ..."""
    rates = [value for name, value in parameters.items() if name.startswith("rate")]
    shares = [value for name, value in parameters.items() if name.startswith("weight")] or [1.0]
    with np.errstate(divide="ignore"):
        logs = log_poisson(values[:, None], np.array(rates)) + np.log(shares)
    return np.logaddexp.reduce(logs, axis=1)
