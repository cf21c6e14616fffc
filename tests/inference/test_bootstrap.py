"""Bootstrap intervals against a slow bootstrap by NumPy and SciPy, and at the boundary."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from scipy import optimize, stats

from distfit_counts.inference.intervals.bootstrap import Bootstrap

RNG = np.random.default_rng(7)
POISSON = RNG.poisson(2.5, 80)
OVERDISPERSED = RNG.poisson(RNG.gamma(1.5, 2.0, 400))
UNDERDISPERSED = RNG.binomial(10, 0.7, 50)
KINDS = ["nonparametric", "parametric"]


def test_percentiles_by_hand() -> None:
    """B = 999: the 25th from either side at 95 %, the 5th at 99 %; the standard deviation has divisor B − 1."""
    values = np.random.default_rng(0).permutation(np.arange(1.0, 1000.0))[:, None]
    found = Bootstrap(values)
    assert [float(end[0]) for end in found.interval(0.95)] == [25.0, 975.0]
    assert [float(end[0]) for end in found.interval(0.99)] == [5.0, 995.0]
    assert [float(end[0]) for end in Bootstrap(values[:19]).interval(0.9)] == [values[:19].min(), values[:19].max()]
    assert found.std_error[0] == pytest.approx(math.sqrt(1000 * 999 / 12), rel=1e-12)


def test_infinite_replicates_are_ends_and_undefined_ones_are_left_out() -> None:
    """Of 99: the 5th from either side. Without 1 to 60 the others are 61 to 99, of which the 2nd; 18 are too few."""
    values = np.arange(1.0, 100.0)
    infinite, undefined, few = values.copy(), values.copy(), values.copy()
    infinite[-10:], undefined[:60], few[18:] = np.inf, np.nan, np.nan
    found = Bootstrap(np.stack([values, infinite, undefined, few], axis=1))
    lower, upper = found.interval(0.9)
    assert lower.tolist()[:3] == [5.0, 5.0, 62.0]
    assert upper.tolist()[:3] == [95.0, np.inf, 98.0]
    assert np.isnan([lower[3], upper[3], found.std_error[1]]).all()
    assert found.defined.tolist() == [99, 99, 39, 18]
    assert found.std_error[2] == pytest.approx(math.sqrt(39 * 40 / 12))


def test_replicates_without_a_parameter_are_counted_and_said(fit) -> None:
    """Hardly two components: in some replicates there is one, and no rate[2]. 39 are needed for 95 %."""
    y = np.repeat([0, 1, 2, 3, 4], [60, 25, 6, 2, 1])
    found = fit(y, "2*poisson", ci="bootstrap", replicates=199, restarts=2)
    (message,) = [v.message for v in found.verdicts if v.code == "bootstrap.undefined"]
    assert 0 < int(re.search(r"rate\[2\] in (\d+)\)", message)[1]) < 160
    rate = found.parameters["rate[2]"]
    assert rate.lower < rate.estimate < rate.upper < math.inf
    short = fit(y, "2*poisson", ci="bootstrap", replicates=39, restarts=2)
    (message,) = [v.message for v in short.verdicts if v.code == "bootstrap.undefined"]
    assert "Too few are left for an interval of rate[2] (39 are needed)." in message
    rate = short.parameters["rate[2]"]
    assert np.isnan([rate.lower, rate.upper, rate.std_error]).all()
    assert math.isfinite(short.parameters["rate[1]"].lower)


@pytest.mark.parametrize("kind", KINDS)
def test_poisson_against_numpy(kind: str, fit) -> None:
    """The estimate is the mean: resampled, or that of Poisson counts (then a Poisson quantile divided by n)."""
    e = fit(POISSON, "poisson", ci="bootstrap", bootstrap=kind, replicates=4999).parameters["rate"]
    rng, n = np.random.default_rng(100), len(POISSON)
    if kind == "nonparametric":
        means = rng.choice(POISSON, (20_000, n)).mean(axis=1)
        ends, deviation = np.quantile(means, [0.025, 0.975]), POISSON.std() / math.sqrt(n)
    else:
        total = stats.poisson(POISSON.sum())
        ends, deviation = total.ppf([0.025, 0.975]) / n, math.sqrt(POISSON.mean() / n)
    assert e.std_error == pytest.approx(deviation, rel=4 / math.sqrt(2 * 4999))
    # A quantile of B draws at density f errs by sqrt(p q / B) / f, and the means lie 1/n apart.
    noise = 4 * math.sqrt(0.025 * 0.975 / 4999) / (stats.norm.pdf(1.96) / deviation) + 1 / n
    assert (e.lower, e.upper) == pytest.approx(tuple(ends), abs=noise)
    assert e.estimate == pytest.approx(POISSON.mean(), rel=1e-9)


def nb_by_scipy(values: np.ndarray, weights: np.ndarray) -> float:
    """The size; its likelihood with the mean at the sample mean."""
    mean = (values * weights).sum() / weights.sum()

    def nll(log_size: float) -> float:
        size = math.exp(log_size)
        return -float((weights * stats.nbinom.logpmf(values, size, size / (size + mean))).sum())

    return math.exp(optimize.minimize_scalar(nll, bounds=(-4.0, 8.0), method="bounded", options={"xatol": 1e-6}).x)


@pytest.mark.parametrize("kind", KINDS)
def test_negative_binomial_against_scipy(kind: str, fit) -> None:
    found = fit(OVERDISPERSED, "nb", ci="bootstrap", bootstrap=kind, replicates=999).parameters
    rng, n, sizes = np.random.default_rng(1), len(OVERDISPERSED), []
    size, mean = found["size"].estimate, found["mean"].estimate
    for _ in range(200):
        draws = rng.choice(OVERDISPERSED, n)
        if kind == "parametric":
            draws = rng.negative_binomial(size, size / (size + mean), n)
        sizes.append(nb_by_scipy(*np.unique(draws, return_counts=True)))
    sizes = np.array(sizes)
    assert found["size"].std_error == pytest.approx(sizes.std(), rel=0.25)
    inside = ((sizes > found["size"].lower) & (sizes < found["size"].upper)).mean()
    assert inside == pytest.approx(0.95, abs=5 * math.sqrt(0.05 * 0.95 * (1 / 200 + 1 / 999)))
    assert (sizes < found["size"].lower).mean() == pytest.approx(0.025, abs=0.055)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spec", "truth"),
    [
        ("nb", {"mean": 4.0, "size": 2.0}),
        ("zip", {"pi": 0.4, "rate": 3.0}),
        pytest.param(
            "2*poisson",
            {"weight[1]": 0.4, "weight[2]": 0.6, "rate[1]": 2.0, "rate[2]": 12.0},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_many_counts_make_it_walds(spec: str, truth: dict[str, float], kind: str, fit) -> None:
    from distfit_counts import sample

    y = sample(spec, truth, 20_000, seed=3)
    wald = fit(y, spec).parameters
    found = fit(y, spec, ci="bootstrap", bootstrap=kind, replicates=399).parameters
    for name, e in found.items():
        assert e.estimate == wald[name].estimate
        assert e.std_error == pytest.approx(wald[name].std_error, rel=5 / math.sqrt(2 * 399))
        assert e.lower == pytest.approx(wald[name].lower, abs=0.7 * e.std_error)
        assert e.upper == pytest.approx(wald[name].upper, abs=0.7 * e.std_error)


def test_the_components_of_a_replicate_are_sorted(fit) -> None:
    """Otherwise the labels would mix, and both rates have the interval of both."""
    y = np.concatenate([RNG.poisson(2.0, 150), RNG.poisson(9.0, 100)])
    found = fit(y, "2*poisson", ci="bootstrap", replicates=199).parameters
    assert found["rate[1]"].upper < found["rate[2]"].lower
    assert found["weight[1]"].lower == pytest.approx(1.0 - found["weight[2]"].upper, rel=1e-9)


def test_components_with_a_bounded_parameter_are_sorted_too(fit) -> None:
    y = np.concatenate([RNG.logseries(0.3, 300), RNG.logseries(0.99, 300)])
    found = fit(y, "2*logseries", ci="bootstrap", replicates=99).parameters
    assert found["q[1]"].upper < found["q[2]"].lower


@pytest.mark.parametrize("kind", KINDS)
def test_a_boundary_in_the_replicates_is_an_infinite_end(kind: str, fit) -> None:
    """Hardly overdispersed: some replicates have no finite size, and the upper end is not invented."""
    y = np.repeat([0, 1, 2, 3, 4, 5], [30, 35, 18, 10, 5, 2])
    found = fit(y, "nb", ci="bootstrap", bootstrap=kind, replicates=199).parameters["size"]
    assert found.boundary is None
    assert 0.0 < found.lower < found.estimate < found.upper == math.inf
    assert math.isnan(found.std_error)


@pytest.mark.parametrize("kind", KINDS)
def test_an_estimate_at_the_boundary(kind: str, fit) -> None:
    found = fit(UNDERDISPERSED, "nb", ci="bootstrap", bootstrap=kind, replicates=199).parameters
    size = found["size"]
    assert (size.estimate, size.boundary) == (math.inf, "upper")
    assert found["mean"].lower < UNDERDISPERSED.mean() < found["mean"].upper
    if kind == "nonparametric":
        # As underdispersed as the data, all of them: no end, rather than one of infinity to infinity.
        assert math.isnan(size.lower)
        assert math.isnan(size.upper)
    else:
        assert size.lower < size.upper == math.inf
    pi = fit(UNDERDISPERSED, "zip", ci="bootstrap", bootstrap=kind, replicates=199).parameters["pi"]
    assert (pi.estimate, pi.boundary) == (0.0, "lower")


@pytest.mark.parametrize(
    ("data", "spec", "still", "why"),
    [
        ([3], "poisson", ["rate"], "there is one observation"),
        ([3] * 9, "nb", ["mean", "size"], "all counts are the same"),
        ([3] * 9, "2*poisson", ["rate[1]", "weight[1]", "weight[2]"], "all counts are the same"),
        (UNDERDISPERSED, "nb", ["size"], "the replicates lie at the same boundary"),
        (UNDERDISPERSED, "zip", ["pi"], "the replicates lie at the same boundary"),
        # Positive counts that are all 5 determine the mean, however many of them there are.
        (
            [0, 5, 5] * 30,
            "zinb",
            ["mean", "size"],
            "no replicate moves mean (every count above 0 is 5), and",
        ),
        (POISSON, "poisson", [], ""),
        (OVERDISPERSED, "nb", [], ""),
    ],
)
def test_no_interval_where_no_replicate_moves(data, spec: str, still: list[str], why: str, fit) -> None:
    """An interval of zero width would claim to know the parameter exactly; the verdict names it and says why."""
    found = fit(data, spec, ci="bootstrap", replicates=199, restarts=2)
    none = [name for name, e in found.parameters.items() if not math.isnan(e.estimate) and math.isnan(e.lower)]
    assert sorted(none) == still
    for name in still:
        e = found.parameters[name]
        assert math.isnan(e.std_error)
        assert math.isnan(e.upper)
    messages = [verdict.message for verdict in found.verdicts if verdict.code == "bootstrap.no_spread"]
    assert len(messages) == bool(still)
    for message in messages:
        assert why in message
        assert all(name in message for name in still)


def test_no_width_is_a_matter_of_digits() -> None:
    """Refits of the same counts differ in the last digit; a narrow interval is one all the same."""
    values = np.full((99, 4), 3.0)
    values[:, 0] += np.arange(99) * 4e-16
    values[:, 1] = np.inf
    values[:, 2] += np.arange(99) * 1e-8
    values[0, 3] = np.nan
    assert Bootstrap(values).still(0.95).tolist() == [True, True, False, True]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", ["zip", *(pytest.param(s, marks=pytest.mark.slow) for s in ("nb", "2*poisson"))])
@pytest.mark.parametrize(
    "data", [[3], [7] * 30, [0] * 30, [0, 5], [10**9, 0, 3]], ids=["3", "7s", "zeros", "0 5", "large"]
)
def test_small_data_does_no_harm(data: list[int], spec: str, kind: str, fit) -> None:
    found = fit(data, spec, ci="bootstrap", bootstrap=kind, replicates=19, level=0.9, restarts=2)
    assert found.ci == "bootstrap"
    for e in found.parameters.values():
        assert math.isnan(e.lower) == math.isnan(e.upper)
        if not math.isnan(e.lower):
            assert e.lower <= e.upper
            assert kind == "parametric" or len(set(data)) > 1, "the same data every time"


def test_the_seed_decides(fit) -> None:
    def ends(**options) -> list[float]:
        found = fit(OVERDISPERSED, "nb", ci="bootstrap", replicates=99, **options).parameters
        return [end for e in found.values() for end in (e.lower, e.upper, e.std_error)]

    first, second, other = ends(seed=1), ends(seed=1), ends(seed=2)
    assert first == second
    assert first != other
    assert ends(seed=1, bootstrap="parametric") != first
    narrow = fit(OVERDISPERSED, "nb", ci="bootstrap", replicates=99, seed=1, level=0.5).parameters["size"]
    assert first[3] < narrow.lower < narrow.upper < first[4]


@pytest.mark.slow
def test_a_column_alone_is_the_column_in_a_batch() -> None:
    from distfit_counts.data.column import Column
    from distfit_counts.data.histogram import Histogram
    from distfit_counts.families.spec import parse
    from distfit_counts.fitting import fit_columns
    from distfit_counts.settings import FitSettings

    settings = FitSettings(ci="bootstrap", replicates=49)
    columns = [Column("t", str(i), {}, Histogram.of(y)) for i, y in enumerate((POISSON, OVERDISPERSED, [0, 0, 4]))]
    together = fit_columns(columns, parse("zip"), settings)
    for i, column in enumerate(columns):
        alone = fit_columns([column], parse("zip"), settings)[0]
        for name, e in alone.parameters.items():
            got = together[i].parameters[name]
            wanted = (e.lower, e.upper, e.std_error)
            assert (got.lower, got.upper, got.std_error) == pytest.approx(wanted, rel=1e-5, abs=1e-7, nan_ok=True)
    assert together[0] is together[0], "replicates are not drawn twice"
