"""Goodness of fit: by hand, against vcd, and Monte-Carlo p-values that are uniform where the model is true."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from distfit_counts import sample

HORSEKICKS = ([0, 1, 2, 3, 4], [109, 65, 22, 3, 1])


def by_code(found) -> dict:
    return {test.code: test for test in found.goodness.tests}


def test_pooled_by_hand(fit) -> None:
    """n exp(−0.61) 0.61^k / k!: 108.7, 66.3, 20.2, 4.11 and 0.70 above; the last two pooled expect 4.8, so join 2."""
    found = fit(*HORSEKICKS[:1], "poisson", HORSEKICKS[1])
    expected = 200 * stats.poisson.pmf([0, 1], 0.61)
    expected = np.append(expected, 200 - expected.sum())
    bins = found.goodness.bins
    assert [(row.low, row.high, row.observed) for row in bins] == [(0, 0, 109), (1, 1, 65), (2, None, 26)]
    assert [row.expected for row in bins] == pytest.approx(list(expected), rel=1e-9)
    observed = np.array([109, 65, 26])
    chi_square, g_squared = by_code(found)["chi_square"], by_code(found)["g_squared"]
    statistic, p = stats.chisquare(observed, expected, ddof=1)
    assert (chi_square.statistic, chi_square.df, chi_square.p_value) == (
        pytest.approx(statistic, rel=1e-8),
        1,
        pytest.approx(p, rel=1e-8),
    )
    assert g_squared.statistic == pytest.approx(2 * (observed * np.log(observed / expected)).sum(), rel=1e-7)
    assert g_squared.p_value == pytest.approx(stats.chi2.sf(g_squared.statistic, 1), rel=1e-8)
    assert found.goodness.expected_largest == pytest.approx(200 * stats.poisson.sf(3, 0.61), rel=1e-9)


def test_cumulative_statistics_by_hand(fit) -> None:
    found = by_code(fit(*HORSEKICKS[:1], "poisson", HORSEKICKS[1]))
    shares, below = np.cumsum(HORSEKICKS[1]) / 200, stats.poisson.cdf(np.arange(5), 0.61)
    assert found["kolmogorov_smirnov"].statistic == pytest.approx(np.abs(shares - below).max(), rel=1e-7)
    k = np.arange(60)
    z = np.append(shares, np.ones(55)) - stats.poisson.cdf(k, 0.61)
    w2 = 200 * (z**2 * stats.poisson.pmf(k, 0.61)).sum()
    assert found["cramer_von_mises"].statistic == pytest.approx(w2, rel=1e-6)
    weight = stats.poisson.cdf(k, 0.61) * stats.poisson.sf(k, 0.61)
    terms = np.where(weight > 0, z**2 * stats.poisson.pmf(k, 0.61) / np.where(weight > 0, weight, 1), 0.0)
    assert found["anderson_darling"].statistic == pytest.approx(200 * terms[:30].sum(), rel=1e-6)


def test_no_asymptotic_p_value_where_none_holds(fit) -> None:
    found = by_code(fit(*HORSEKICKS[:1], "poisson", HORSEKICKS[1]))
    for code in ("kolmogorov_smirnov", "cramer_von_mises", "anderson_darling"):
        assert math.isnan(found[code].p_value)
        assert "--gof-replicates" in found[code].null
    small = by_code(fit([0, 0, 1, 2, 4], "nb"))["chi_square"]
    assert math.isnan(small.p_value)
    assert "too few bins" in small.null


def test_a_boundary_costs_no_degree_of_freedom(fit) -> None:
    """nb at size -> infinity is the Poisson: one parameter was fitted, not two."""
    nb, poisson = (by_code(fit(*HORSEKICKS[:1], spec, HORSEKICKS[1]))["chi_square"] for spec in ("nb", "poisson"))
    assert (nb.df, nb.statistic, nb.p_value) == pytest.approx((poisson.df, poisson.statistic, poisson.p_value))


@pytest.mark.parametrize("spec", ["poisson", "nb"])
def test_against_vcd_where_no_bin_needs_pooling(spec: str, fit, shared_reference: Path) -> None:
    """vcd::goodfit has a cell for each of 0..max and no tail; with its cells G² and X² are R's.

    The binning differs (ours pools), so its statistics are computed here from this fit's own probabilities.
    """
    collection = json.loads((shared_reference / "reference.json").read_text())
    compared = 0
    for entry in collection.values():
        theirs = entry.get("vcd_goodfit", {}).get("nbinomial" if spec == "nb" else spec, {})
        values = np.loadtxt(shared_reference / entry["file"], skiprows=1, dtype=np.int64, ndmin=1)
        ours = entry["fits"].get(spec, {}).get("parameters", {})
        if "par" not in theirs or values.max() > 30 or any(value is None for value in ours.values()):
            continue
        if spec == "nb" and abs(theirs["par"]["size"] / ours["size"] - 1) > 1e-5:
            continue  # R stopped short there
        found = fit(values, spec)
        k = np.arange(values.max() + 1)
        observed, expected = np.bincount(values), len(values) * found.pmf(k)
        g2 = 2 * (observed[observed > 0] * np.log(observed[observed > 0] / expected[observed > 0])).sum()
        assert g2 == pytest.approx(theirs["G2"], rel=1e-4)
        compared += 1
        # Pooling never loses a count.
        assert sum(row.observed for row in found.goodness.bins) == len(values)
        assert sum(row.expected for row in found.goodness.bins) == pytest.approx(len(values), rel=1e-9)
    assert compared >= 2


@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "hurdle(nb)", "2*poisson"])
def test_every_bin_expects_five(spec: str, fit) -> None:
    y = sample("nb", {"mean": 6.0, "size": 1.2}, 300, seed=2)
    bins = fit(y, spec).goodness.bins
    assert min(row.expected for row in bins) >= 5.0
    assert bins[0].low == 0
    assert bins[-1].high is None
    assert all(a.high + 1 == b.low for a, b in itertools.pairwise(bins))
    assert sum(row.observed for row in bins) == 300


def test_a_wrong_model_is_rejected(fit) -> None:
    y = sample("nb", {"mean": 4.0, "size": 1.0}, 400, seed=1)
    for test in fit(y, "poisson", gof_replicates=199).goodness.tests:
        assert test.p_value == 1 / 200, test.code
    for test in fit(y, "nb", gof_replicates=199).goodness.tests:
        assert test.p_value > 0.01, test.code
    zeros = sample("zip", {"pi": 0.5, "rate": 5.0}, 400, seed=1)
    assert all(test.p_value == 0.02 for test in fit(zeros, "poisson", gof_replicates=49).goodness.tests)
    assert "misfit.chi_square" in [verdict.code for verdict in fit(zeros, "poisson").verdicts]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "truth", "n"),
    [
        ("poisson", {"rate": 2.0}, 60),
        ("nb", {"mean": 3.0, "size": 1.0}, 100),
        ("zip", {"pi": 0.4, "rate": 2.5}, 100),
        ("geometric", {"mean": 0.7}, 40),
    ],
)
def test_p_values_are_uniform_under_the_model(spec: str, truth: dict[str, float], n: int, fit) -> None:
    """300 samples, 19 replicates each: P(p <= 0.05 j) = 0.05 j, at most, ties making it smaller (five sigma)."""
    found: dict[str, list[float]] = {}
    for seed in range(300):
        y = sample(spec, truth, n, seed=seed)
        for test in fit(y, spec, gof_replicates=19, restarts=1, seed=seed).goodness.tests:
            found.setdefault(test.code, []).append(test.p_value)
    for code, values in found.items():
        p = np.array(values)
        for cut in (0.05, 0.1, 0.25, 0.5, 0.75):
            noise = 4.5 * math.sqrt(cut * (1 - cut) / 300)
            assert (p <= cut + 1e-9).mean() < cut + noise, (code, cut)
            # Fifteen or so distinct counts: few samples tie exactly, but X² on few bins does.
            if code in ("cramer_von_mises", "anderson_darling"):
                assert (p <= cut + 1e-9).mean() > cut - noise, (code, cut)


@pytest.mark.slow
def test_chi_square_is_asymptotically_right(fit) -> None:
    """Of 400 Poisson samples, X² rejects about 5 % at 5 % and 10 % at 10 %: with bins that expect five."""
    p = []
    for seed in range(400):
        y = sample("poisson", {"rate": 4.0}, 400, seed=seed)
        p.append(by_code(fit(y, "poisson", restarts=1))["chi_square"].p_value)
    for cut in (0.05, 0.1, 0.5):
        assert (np.array(p) < cut).mean() == pytest.approx(cut, abs=4.5 * math.sqrt(cut * (1 - cut) / 400))


@pytest.mark.parametrize("replicates", [0, 19])
@pytest.mark.parametrize("spec", ["poisson", "zip", pytest.param("nb", marks=pytest.mark.slow)])
@pytest.mark.parametrize("data", [[3], [10**9], [7] * 30, [0] * 30, [0, 5], [0, 1, 10**6]], ids=lambda d: str(d[-1:]))
def test_any_data_has_an_answer(data: list[int], spec: str, replicates: int, fit) -> None:
    found = fit(data, spec, gof_replicates=replicates, restarts=2)
    assert sum(row.observed for row in found.goodness.bins) == len(data)
    for test in found.goodness.tests:
        assert test.null
        if len(found.goodness.bins) == 1 and test.code in ("chi_square", "g_squared"):
            assert np.isnan([test.statistic, test.df, test.p_value]).all(), "of a single bin there is nothing to say"
            assert "too few bins" in test.null
            continue
        assert test.statistic >= 0.0
        assert math.isnan(test.df) or test.df >= 1
        assert math.isnan(test.p_value) or 0.0 <= test.p_value <= 1.0
        if replicates:
            assert test.p_value >= 1 / 20
    assert 0.0 <= found.goodness.expected_largest <= len(data) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("spec", "truth"),
    [("nb", {"mean": 1e6, "size": 3.0}), ("geometric", {"mean": 1e5}), ("zip", {"pi": 0.3, "rate": 1e6})],
)
def test_large_counts_fit_too(spec: str, truth: dict[str, float], fit) -> None:
    y = sample(spec, truth, 2000, seed=4)
    found = fit(y, spec)
    assert by_code(found)["chi_square"].p_value > 1e-3
    assert by_code(found)["kolmogorov_smirnov"].statistic < 0.05
    assert not [v.code for v in found.verdicts if v.code.startswith("misfit.")]


@pytest.mark.parametrize(
    ("spec", "truth"),
    [
        ("nb", {"mean": 1e6, "size": 0.1}),
        ("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 300.0, "rate[2]": 1e6}),
        ("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 1000.0, "rate[2]": 1e6}),
        ("zip", {"pi": 0.3, "rate": 1e10}),
    ],
)
def test_the_true_model_of_wide_counts_is_no_misfit(spec: str, truth: dict[str, float], fit) -> None:
    found = fit(sample(spec, truth, 2000, seed=4), spec)
    assert not [v.message for v in found.verdicts if v.code.startswith("misfit.")]
    assert by_code(found)["kolmogorov_smirnov"].statistic < 0.03


def test_what_lies_below_the_smallest_count_is_not_above_the_largest(fit) -> None:
    y = np.array([998_700, 999_500, 1_000_100, 1_000_300, 1_001_900])
    found = fit(y, "poisson")
    assert found.goodness.expected_largest == pytest.approx(5 * stats.poisson.sf(y[-1] - 1, y.mean()), rel=1e-3)
    below = stats.poisson.cdf(y, y.mean())
    ks = max((np.arange(1, 6) / 5 - below).max(), (stats.poisson.cdf(y - 1, y.mean()) - np.arange(5) / 5).max())
    assert by_code(found)["kolmogorov_smirnov"].statistic == pytest.approx(ks, rel=1e-3)


def test_the_seed_decides(fit) -> None:
    y = sample("nb", {"mean": 4.0, "size": 1.0}, 100, seed=1)
    first, second, other = (
        [test.p_value for test in fit(y, "nb", gof_replicates=99, seed=seed).goodness.tests] for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other
