"""Profile intervals against closed forms."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.likelihood.profile import profile_deviance
from distfit_counts.settings import FitSettings

Z = stats.norm.isf(0.025)
HORSEKICKS = (np.arange(5), np.array([109, 65, 22, 3, 1]))
RNG = np.random.default_rng(12)
MIXED = RNG.poisson(RNG.gamma(2.0, 1.5, 300)) * RNG.binomial(1, 0.7, 300)
TWO = np.concatenate([RNG.poisson(2.0, 150), RNG.poisson(9.0, 100)])


def columns(*data) -> list[Column]:
    return [Column("test", str(i), {}, Histogram.of(values)) for i, values in enumerate(data)]


def settings(**options) -> FitSettings:
    return FitSettings(ci="profile", **options)


@pytest.mark.parametrize(("n", "total"), [(1, 3), (10, 4), (500, 1700), (10**9, 2)])
def test_poisson(n: int, total: int, fit) -> None:
    """2n (r − m + m log(m/r)) = z², m the mean: one root on each side."""
    values, weights = ([total], None) if n == 1 else ([0, total], [n - 1, 1])
    found = fit(values, "poisson", weights, ci="profile").parameters["rate"]
    m = total / n

    def gap(rate: float) -> float:
        return 2 * n * (rate - m + m * math.log(m / rate)) - Z * Z

    assert found.lower == pytest.approx(optimize.brentq(gap, 1e-9 * m, m, xtol=1e-16), rel=1e-6)
    assert found.upper == pytest.approx(optimize.brentq(gap, m, 100 * m + 100 / n, xtol=1e-16), rel=1e-6)


def test_counts_near_a_billion(fit) -> None:
    """The whole interval is 7e-6 of the rate: as Wald's to first order in z / sqrt(n m)."""
    y = np.random.default_rng(9).poisson(1e9, 300)
    found = fit(y, "poisson", ci="profile").parameters["rate"]
    step = Z * math.sqrt(y.mean() / 300)
    assert found.lower == pytest.approx(y.mean() - step, abs=1e-3 * step)
    assert found.upper == pytest.approx(y.mean() + step, abs=1e-3 * step)


def test_geometric_in_another_parameter(fit) -> None:
    """Solved for the probability q = 1/(1 + mean), and carried over: a profile interval has no scale of its own."""
    y = np.array([0, 0, 1, 3, 3, 7, 12])
    found = fit(y, "geometric", ci="profile").parameters["mean"]

    def gap(q: float) -> float:
        best = stats.geom.logpmf(y + 1, 1 / (1 + y.mean())).sum()
        return float(2 * (best - stats.geom.logpmf(y + 1, q).sum()) - Z * Z)

    centre = 1 / (1 + y.mean())
    low, high = optimize.brentq(gap, 1e-6, centre), optimize.brentq(gap, centre, 1 - 1e-6)
    assert found.lower == pytest.approx(1 / high - 1, rel=1e-6)
    assert found.upper == pytest.approx(1 / low - 1, rel=1e-6)


@pytest.mark.parametrize("base", ["poisson", "nb"])
def test_the_share_of_a_hurdle_is_a_binomial_one(base: str, fit) -> None:
    """2 [x log(x/np) + (n − x) log((n − x)/(n − np))] = z²: whatever the positive part is."""
    found = fit(MIXED, f"hurdle({base})", ci="profile").parameters["p0"]
    n, x = len(MIXED), int((MIXED == 0).sum())

    def gap(p: float) -> float:
        return 2 * (x * math.log(x / (n * p)) + (n - x) * math.log((n - x) / (n * (1 - p)))) - Z * Z

    assert found.lower == pytest.approx(optimize.brentq(gap, 1e-9, x / n), rel=1e-6)
    assert found.upper == pytest.approx(optimize.brentq(gap, x / n, 1 - 1e-9), rel=1e-6)


@pytest.mark.parametrize(
    "n",
    [
        1,
        30,
        10**6,
    ],
)
def test_all_zeros(n: int, fit) -> None:
    """2n rate = z²: 1.92/n, the likelihood's version of the rule of three. Others solve theirs."""
    rate = fit([0], "poisson", [n], ci="profile").parameters["rate"]
    assert (rate.estimate, rate.lower, rate.boundary) == (0.0, 0.0, "lower")
    assert rate.upper == pytest.approx(Z * Z / (2 * n), rel=1e-6)
    mean = fit([0], "geometric", [n], ci="profile").parameters["mean"]
    assert (mean.lower, mean.upper) == (0.0, pytest.approx(math.expm1(Z * Z / (2 * n)), rel=1e-6))
    share = fit([0], "hurdle(poisson)", [n], ci="profile").parameters["p0"]
    assert (share.lower, share.upper) == (pytest.approx(math.exp(-Z * Z / (2 * n)), rel=1e-6), 1.0)


def test_no_zeros(fit) -> None:
    found = fit([1, 2, 2, 5, 3, 1] * 20, "hurdle(poisson)", ci="profile").parameters["p0"]
    assert (found.estimate, found.lower, found.boundary) == (0.0, 0.0, "lower")
    assert found.upper == pytest.approx(-math.expm1(-Z * Z / 240), rel=1e-6)
    assert math.isnan(found.std_error)


def test_weights_of_components_far_apart_are_binomial(fit) -> None:
    """Then every count shows its component: each weight, the last one too, has the interval of a share."""
    rng = np.random.default_rng(4)
    sizes = (300, 100, 200)
    y = np.concatenate([rng.poisson(rate, n) for rate, n in zip((5.0, 500.0, 5000.0), sizes, strict=True)])
    found = fit(y, "3*poisson", ci="profile").parameters
    for i, x in enumerate(sizes, start=1):

        def gap(p: float, x: int = x) -> float:
            return 2 * (x * math.log(x / (600 * p)) + (600 - x) * math.log((600 - x) / (600 * (1 - p)))) - Z * Z

        e = found[f"weight[{i}]"]
        assert e.lower == pytest.approx(optimize.brentq(gap, 1e-6, x / 600), rel=1e-5)
        assert e.upper == pytest.approx(optimize.brentq(gap, x / 600, 1 - 1e-6), rel=1e-5)


def test_two_weights_have_one_interval(fit) -> None:
    found = fit(TWO, "2*poisson", ci="profile").parameters
    assert found["weight[1]"].lower == pytest.approx(1.0 - found["weight[2]"].upper, rel=1e-6)
    assert found["weight[1]"].upper == pytest.approx(1.0 - found["weight[2]"].lower, rel=1e-6)


def test_a_size_at_infinity_has_a_lower_end(fit) -> None:
    """Horse kicks: l(size) = max over the mean, which is the sample mean at every size (score of nb)."""
    found = fit(*HORSEKICKS[:1], "nb", HORSEKICKS[1], ci="profile").parameters
    size, mean = found["size"], found["mean"]
    values, weights = HORSEKICKS
    poisson = (weights * stats.poisson.logpmf(values, 0.61)).sum()

    def gap(r: float) -> float:
        return float(2 * (poisson - (weights * stats.nbinom.logpmf(values, r, r / (r + 0.61))).sum()) - Z * Z)

    assert size.lower == pytest.approx(optimize.brentq(gap, 0.5, 50.0), rel=1e-6)
    assert size.lower == pytest.approx(2.495, abs=5e-4)
    assert (size.estimate, size.upper, size.boundary) == (math.inf, math.inf, "upper")
    assert 0.0 < mean.lower < 0.61 < mean.upper < math.inf


def test_pi_near_zero_starts_at_zero(fit) -> None:
    found = fit(HORSEKICKS[0], "zip", HORSEKICKS[1], ci="profile").parameters["pi"]
    assert found.boundary is None
    assert found.lower == 0.0
    assert 0.013 < found.upper < 1.0


def test_pi_at_zero_has_an_upper_end(fit) -> None:
    y = np.random.default_rng(3).binomial(10, 0.7, 500)
    found = fit(y, "zip", ci="profile").parameters["pi"]
    assert (found.estimate, found.lower, found.boundary) == (0.0, 0.0, "lower")
    rates = y.mean() * np.linspace(1.0, 1.05, 20_001)

    def gap(pi: float) -> float:
        zeros, positive = (y == 0).sum(), (y > 0).sum()
        total = zeros * np.log(pi + (1 - pi) * np.exp(-rates)) + positive * np.log1p(-pi)
        total = total + y.sum() * np.log(rates) - positive * rates
        poisson = y.sum() * math.log(y.mean()) - len(y) * y.mean()
        return float(2 * (poisson - total.max()) - Z * Z)

    assert found.upper == pytest.approx(optimize.brentq(gap, 1e-6, 0.2), rel=1e-4)


def test_what_is_not_identified_reaches_everywhere(fit) -> None:
    """Poisson counts in two components: any weight will do, if the other component is the same."""
    y = np.random.default_rng(3).binomial(10, 0.7, 500)
    found = fit(y, "2*poisson", ci="profile").parameters
    assert (found["weight[1]"].lower, found["weight[1]"].upper) == (0.0, 1.0)
    assert math.isnan(found["rate[2]"].estimate)
    assert math.isnan(found["rate[2]"].lower)
    truncated = fit([1, 1, 1, 2, 2, 3, 5] * 10, "zt(zip)", ci="profile").parameters["pi"]
    assert (truncated.lower, truncated.upper) == (0.0, 1.0)
    alone = fit([1, 1, 1, 2, 2, 3, 5] * 10, "zt(poisson)", ci="profile").parameters["rate"]
    beside = fit([1, 1, 1, 2, 2, 3, 5] * 10, "zt(zip)", ci="profile").parameters["rate"]
    assert (beside.lower, beside.upper) == pytest.approx((alone.lower, alone.upper), rel=1e-5)


def test_the_mean_of_nothing_but_zeros_is_not_known_under_nb(fit) -> None:
    """With size -> 0, P(Y = 0) = (1 + mean/size)^-size -> 1 at every mean."""
    mean = fit([0] * 30, "nb", ci="profile").parameters["mean"]
    assert (mean.lower, mean.upper) == (0.0, math.inf)


def test_the_level_widens_the_interval(fit) -> None:
    previous = None
    for level in (0.5, 0.8, 0.95, 0.999):
        found = fit(MIXED, "zip", ci="profile", level=level).parameters
        for name, e in found.items():
            assert e.lower < e.estimate < e.upper
            if previous:
                assert e.lower < previous[name].lower
                assert e.upper > previous[name].upper
        previous = found


def test_many_counts_make_it_walds(fit) -> None:
    profile, wald = (
        fit([0, 1, 2, 5], "nb", [40000, 30000, 20000, 9000], ci=ci).parameters for ci in ("profile", "wald")
    )
    for name, e in profile.items():
        assert e.std_error == wald[name].std_error
        assert e.lower == pytest.approx(wald[name].lower, abs=0.02 * e.std_error)
        assert e.upper == pytest.approx(wald[name].upper, abs=0.02 * e.std_error)


@pytest.mark.parametrize("spec", ["zip", *(pytest.param(spec, marks=pytest.mark.slow) for spec in ("nb", "2*poisson"))])
def test_a_column_alone_is_the_column_in_a_batch(spec: str) -> None:
    """Interior columns, one at a boundary, one of large counts, one constant: each row searches for itself."""
    rng = np.random.default_rng(5)
    data = [MIXED[:60], TWO[::4], rng.binomial(10, 0.7, 40), rng.poisson(4e4, 30) * rng.binomial(1, 0.7, 30), [7] * 20]
    together = fit_columns(columns(*data), parse(spec), settings())
    for i, values in enumerate(data):
        alone = fit_columns(columns(values), parse(spec), settings())[0]
        for name, e in alone.parameters.items():
            for end in ("lower", "upper"):
                got, wanted = getattr(together[i].parameters[name], end), getattr(e, end)
                assert got == pytest.approx(wanted, rel=2e-5, abs=1e-9, nan_ok=True), (i, name, end)


def test_the_curve_passes_the_cut_at_the_ends_and_zero_at_the_estimate() -> None:
    fits = fit_columns(columns(MIXED), parse("zip"), settings())
    solution, parameters = fits.places[0].solution, fits[0].parameters
    for name, e in parameters.items():
        values = np.array([e.lower, e.estimate, e.upper])
        found = profile_deviance(solution, name, values)
        assert found == pytest.approx([Z * Z, 0.0, Z * Z], abs=1e-5)
        grid = np.linspace(e.lower, e.upper, 21)
        curve = profile_deviance(solution, name, grid)
        assert (np.diff(curve[grid <= e.estimate]) < 0).all()
        assert (np.diff(curve[grid >= e.estimate]) > 0).all()


def test_a_curve_up_to_the_boundary() -> None:
    """At pi = 0 the deviance is the likelihood ratio against the Poisson."""
    fits = fit_columns(columns(MIXED), parse("zip"), settings())
    poisson = stats.poisson.logpmf(MIXED, MIXED.mean()).sum()
    found = profile_deviance(fits.places[0].solution, "pi", np.array([0.0, 0.1]))
    assert found[0] == pytest.approx(2 * (fits[0].log_likelihood - poisson), rel=1e-6)
    assert found[1] < found[0]


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["nb", "zip", "2*poisson"])
def test_every_reference_fit_has_ends_that_the_likelihood_confirms(spec: str, shared_reference: Path) -> None:
    """On published data: along each interval the curve stays below the cut, and at its ends it meets it."""
    misses = []
    for name, entry in json.loads((shared_reference / "reference.json").read_text()).items():
        if spec not in entry["fits"] or not 20 <= entry["n"] <= 7000:
            continue
        values = np.loadtxt(shared_reference / entry["file"], skiprows=1, dtype=np.int64, ndmin=1)
        fits = fit_columns(columns(values), parse(spec), settings())
        if fits[0].reduced.family == spec:
            misses += [(name, *miss) for miss in confirm(fits)]
    assert not misses


def confirm(fits) -> list[tuple]:
    solution, misses = fits.places[0].solution, []
    # Equal components are sorted where they are shown.
    labels = solution.family.canonical({name: float(value[0]) for name, value in solution.best_values.items()})
    for name, e in fits[0].parameters.items():
        if not e.lower < e.estimate < e.upper:
            misses.append((name, "not inside", e))
            continue
        inner = [0.5 * (end + e.estimate) for end in (e.lower, e.upper) if math.isfinite(end)]
        ends = [end for end in (e.lower, e.upper) if end not in (0.0, 1.0, math.inf)]
        curve = profile_deviance(solution, labels[name], np.array(inner))
        cut = profile_deviance(solution, labels[name], np.array(ends))
        if (curve > Z * Z).any() or not np.allclose(cut, Z * Z, atol=1e-3):
            misses.append((name, "not the cut", e, curve, cut))
    return misses


def test_components_keep_their_ends_at_a_boundary(fit, repository: Path) -> None:
    """A component of zeros: 2*poisson is the zip, and so are its intervals, each at its own component."""
    zeros = np.loadtxt(repository / "sample_data" / "zip_10000.csv", skiprows=1, dtype=np.int64)
    found, alone = (fit(zeros, spec, ci="profile", restarts=2).parameters for spec in ("2*poisson", "zip"))
    assert found["rate[1]"].boundary == "lower"
    assert found["rate[1]"].lower == 0.0
    for name, of in {"weight[1]": "pi", "rate[2]": "rate"}.items():
        e = found[name]
        assert e.estimate == pytest.approx(alone[of].estimate, rel=1e-6)
        assert e.lower < e.estimate < e.upper
        # The zeros may also come from a rate a little above 0: never narrower.
        assert e.lower <= alone[of].lower * (1.0 + 1e-6)
        assert e.upper >= alone[of].upper * (1.0 - 1e-6)


# A sample of two components that overlap: the ends were shared.
OVERLAPPING = ([0, 1, 2, 3, 4, 5], [211, 235, 139, 59, 22, 12])


def deviance_below(v: float, values: np.ndarray, weights: np.ndarray, lower: bool) -> float:
    """Twice the fall of the log-likelihood from its maximum to where one rate of two is ``v`` and the other is larger,
    or smaller, by the EM algorithm from several places.
    """

    def climbed(rates: np.ndarray, share: float, held: bool) -> float:
        for _ in range(4000):
            parts = stats.poisson.pmf(values[:, None], rates) * [share, 1.0 - share]
            own = weights[:, None] * parts / parts.sum(axis=1, keepdims=True)
            share = own[:, 0].sum() / weights.sum()
            found = values @ own / own.sum(axis=0)
            rates = np.array([rates[0], max(found[1], v) if lower else min(found[1], v)]) if held else found
        return float(weights @ np.log((stats.poisson.pmf(values[:, None], rates) * [share, 1.0 - share]).sum(axis=1)))

    far = np.array([1.2, 2.0]) if lower else np.array([0.8, 0.3])
    best = max(climbed(np.array([v, v * f]), share, True) for f in far for share in (0.3, 0.9))
    mean = values @ weights / weights.sum()
    return 2.0 * (climbed(np.array([0.6, 1.5]) * mean, 0.5, False) - best)


def test_an_interval_follows_its_component(fit) -> None:
    values, weights = (np.array(x) for x in OVERLAPPING)
    found = fit(values, "2*poisson", weights, ci="profile").parameters
    low, high = found["rate[1]"], found["rate[2]"]
    assert low.lower == 0.0
    assert low.lower < low.estimate < low.upper < high.estimate
    assert low.estimate < high.lower < high.estimate < high.upper
    assert deviance_below(low.upper, values, weights, lower=True) == pytest.approx(Z * Z, abs=0.02)
    assert deviance_below(high.lower, values, weights, lower=False) == pytest.approx(Z * Z, abs=0.02)


@pytest.mark.slow
def test_components_that_are_told_apart_share_no_end(fit) -> None:
    rng, told = np.random.default_rng(12), 0
    for _ in range(40):
        n, rates = int(rng.integers(100, 600)), rng.uniform(0.5, 6.0, 2)
        counts = rng.poisson(rng.choice(rates, n, p=[0.5, 0.5]))
        whole, one = fit(counts, "2*poisson", ci="profile"), fit(counts, "poisson")
        found = whole.parameters
        for e in found.values():
            assert np.isnan(e.lower) or e.lower <= e.estimate <= e.upper
        if 2.0 * (whole.log_likelihood - one.log_likelihood) > Z * Z and whole.reduced.family == "2*poisson":
            told += 1
            assert found["rate[1]"].upper < found["rate[2]"].estimate
            assert found["rate[2]"].lower > found["rate[1]"].estimate
    assert told > 10
