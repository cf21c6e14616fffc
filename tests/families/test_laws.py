"""Laws that every family obeys, the nested ones included. A new family adds one line to SPECS."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from mpmath import mp
from scipy import stats

from distfit_counts.errors import FamilyError
from distfit_counts.families.constraint import SIMPLEX
from distfit_counts.families.family import Family, Limit
from distfit_counts.families.spec import parse
from distfit_counts.optimise.problem import Batch, Objective, natural, unconstrained, working

# Family and natural values; components are listed by rising mean, and far enough apart to be told apart.
SPECS: list[tuple[str, dict[str, float]]] = [
    ("poisson", {"rate": 3.7}),
    ("geometric", {"mean": 2.3}),
    ("nb", {"mean": 4.2, "size": 1.7}),
    ("logseries", {"q": 0.7}),
    ("zip", {"pi": 0.3, "rate": 2.5}),
    ("zinb", {"pi": 0.35, "mean": 6.0, "size": 2.5}),
    ("zi(geometric)", {"pi": 0.25, "mean": 3.0}),
    ("hurdle(poisson)", {"p0": 0.1, "rate": 1.6}),
    ("hurdle(nb)", {"p0": 0.2, "mean": 5.0, "size": 2.0}),
    ("hurdle(geometric)", {"p0": 0.6, "mean": 1.5}),
    ("hurdle(logseries)", {"p0": 0.4, "q": 0.6}),
    ("hurdle(2*poisson)", {"p0": 0.3, "weight[1]": 0.6, "weight[2]": 0.4, "rate[1]": 1.5, "rate[2]": 12.0}),
    ("zt(poisson)", {"rate": 1.2}),
    ("zt(nb)", {"mean": 4.0, "size": 1.5}),
    ("zt(geometric)", {"mean": 2.0}),
    ("zt(zip)", {"pi": 0.3, "rate": 2.0}),
    ("2*poisson", {"weight[1]": 0.3, "weight[2]": 0.7, "rate[1]": 1.5, "rate[2]": 9.0}),
    (
        "3*poisson",
        {"weight[1]": 0.5, "weight[2]": 0.3, "weight[3]": 0.2, "rate[1]": 1.0, "rate[2]": 10.0, "rate[3]": 40.0},
    ),
    (
        "2*nb",
        {"weight[1]": 0.6, "weight[2]": 0.4, "mean[1]": 2.0, "size[1]": 3.0, "mean[2]": 40.0, "size[2]": 10.0},
    ),
    ("poisson+nb", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 1.0, "mean[2]": 30.0, "size[2]": 5.0}),
    ("zi(2*poisson)", {"pi": 0.2, "weight[1]": 0.4, "weight[2]": 0.6, "rate[1]": 3.0, "rate[2]": 15.0}),
    (
        "zip+nb",
        {"weight[1]": 0.7, "weight[2]": 0.3, "pi[1]": 0.4, "rate[1]": 4.0, "mean[2]": 60.0, "size[2]": 8.0},
    ),
    ("point(0)+poisson", {"weight[1]": 0.35, "weight[2]": 0.65, "rate[2]": 3.0}),
    ("zi(zt(poisson))", {"pi": 0.3, "rate": 2.0}),
]
# pi of a zero-truncated zero-inflated family cannot be seen: its zeros are gone.
NOT_IDENTIFIED = {"zt(zip)"}

every_family = pytest.mark.parametrize(("spec", "values"), SPECS, ids=[spec for spec, _ in SPECS])


def log_pmf(family: Family, values: Mapping[str, float], k: np.ndarray) -> np.ndarray:
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    return family.log_prob_natural(tensors, torch.from_numpy(np.asarray(k, dtype=float))).numpy()


def pmf_table(family: Family, values: Mapping[str, float]) -> np.ndarray:
    return np.exp(log_pmf(family, values, np.arange(3000)))


@every_family
def test_pmf_sums_to_one(spec: str, values: dict[str, float]) -> None:
    assert pmf_table(parse(spec), values).sum() == pytest.approx(1.0, abs=1e-12)


@every_family
def test_mean_and_variance_are_those_of_the_pmf(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    pmf, k = pmf_table(family, values), np.arange(3000)
    mean = (k * pmf).sum()
    assert family.mean(values) == pytest.approx(mean, rel=1e-8)
    assert family.variance(values) == pytest.approx(((k - mean) ** 2 * pmf).sum(), rel=1e-8)


@every_family
def test_moments_of_tensors_are_those_of_floats(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    assert float(family.mean(tensors)) == pytest.approx(family.mean(values), rel=1e-14)
    assert float(family.variance(tensors)) == pytest.approx(family.variance(values), rel=1e-13)


@every_family
def test_zero_probability_from_natural_values(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    expected = log_pmf(family, values, np.zeros(1))[0]
    assert float(family.log_prob_zero(values)) == pytest.approx(expected, rel=1e-12)
    assert np.isfinite(expected) == (family.lowest == 0)


@every_family
def test_spec_reads_back(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    assert parse(family.spec) == family
    assert set(values) == set(family.names)
    family.check(values)


@every_family
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_gradient_and_hessian_are_finite_at_the_extremes(spec: str, values: dict[str, float], scale: float) -> None:
    family = parse(spec)
    counts = np.array([0.0, 1.0, 2.0, 7.0, 1000.0, 1e6])
    counts = counts[counts >= family.lowest]
    for k in counts:  # each on its own: a finite sum must not hide an infinity beside it
        batch = Batch(np.array([[k]]), np.ones((1, 1)), np.ones(1))
        objective = Objective(family, batch, np.full((1, len(family.names)), scale))
        corners = itertools.product([-30.0, 0.5, 30.0], repeat=family.n_parameters)
        theta = torch.tensor(list(corners), dtype=torch.float64)
        found = objective(theta, torch.zeros(len(theta), dtype=torch.int64), hessian=True)
        assert found.hessian is not None
        finite = found.value.isfinite() & found.gradient.isfinite().all(dim=1) & found.hessian.isfinite().all((1, 2))
        assert theta[~finite].tolist() == [], f"not finite at k = {k}"


@every_family
def test_constraints_round_trip(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    rng = np.random.default_rng(1)
    theta = rng.uniform(-12.0, 12.0, (50, family.n_parameters))
    scale = 10.0 ** rng.uniform(-6.0, 6.0, (50, len(family.names)))
    assert unconstrained(family, natural(family, theta, scale), scale) == pytest.approx(theta, rel=1e-8, abs=1e-8)
    listed = np.array([[values[name] for name in family.names]])
    ones = np.ones_like(listed)
    assert natural(family, unconstrained(family, listed, ones), ones) == pytest.approx(listed, rel=1e-12)


@every_family
def test_working_values_are_the_natural_ones(spec: str, values: dict[str, float]) -> None:
    """The optimiser's road to the likelihood (theta -> working) and the user's (natural -> working) meet."""
    family = parse(spec)
    listed, scale = np.array([[values[name] for name in family.names]]), np.full((1, len(family.names)), 2.0)
    theta = torch.from_numpy(unconstrained(family, listed, scale))
    k = np.arange(family.lowest, 60.0)
    by_theta = family.log_prob(working(family, theta, torch.from_numpy(scale)), torch.from_numpy(k)[None])[0]
    assert by_theta.numpy() == pytest.approx(log_pmf(family, values, k), rel=1e-11, abs=1e-11)


def chi_square_p(draws: np.ndarray, pmf: np.ndarray) -> float:
    """Pearson's test, neighbouring counts pooled until each bin expects ten draws."""
    n, seen = len(draws), np.bincount(draws, minlength=len(pmf))
    observed, expected, o, e = [], [], 0.0, 0.0
    for count, chance in zip(seen, n * pmf, strict=False):
        o, e = o + count, e + chance
        if e >= 10.0:
            observed.append(o)
            expected.append(e)
            o = e = 0.0
    observed[-1] += n - sum(observed)
    expected[-1] += n - sum(expected)
    if len(observed) == 1:
        return float(observed[0] == n)
    return float(stats.chisquare(observed, expected).pvalue)


@every_family
def test_draws_follow_the_pmf(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    draws = family.sample(values, 20_000, np.random.default_rng(20_240_501))
    assert draws.dtype == np.int64
    assert draws.shape == (20_000,)
    assert chi_square_p(draws, pmf_table(family, values)) > 1e-4


@every_family
def test_positive_draws_follow_the_truncated_pmf(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    draws = family.sample_positive(values, 20_000, np.random.default_rng(7))
    assert draws.dtype == np.int64
    assert len(draws) == 20_000
    assert draws.min() >= 1
    pmf = pmf_table(family, values)
    pmf[0] = 0.0
    assert chi_square_p(draws, pmf / pmf.sum()) > 1e-4


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("poisson", {"rate": 1e-7}),
        ("nb", {"mean": 1e-6, "size": 1e-7}),
        ("nb", {"mean": 0.3, "size": 0.02}),
        ("zip", {"pi": 0.999999, "rate": 1e-3}),
        ("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 1e-9, "rate[2]": 2e-9}),
    ],
)
def test_positive_draws_where_positive_counts_are_rare(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    draws = family.sample_positive(values, 5_000, np.random.default_rng(3))
    log = log_pmf(family, values, np.arange(1, 3000))
    shape = np.exp(log - log.max())
    assert chi_square_p(draws, np.concatenate([[0.0], shape / shape.sum()])) > 1e-4


@every_family
def test_nothing_is_drawn_from_nothing(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    for draw in (family.sample, family.sample_positive):
        drawn = draw(values, 0, np.random.default_rng(0))
        assert len(drawn) == 0
        assert drawn.dtype == np.int64


def beside(limit: Limit, values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Values of the family next to ``limit``, and the values of the simpler family that it should then be."""
    simple = {other: values[name] for name, other in limit.carried.items()}
    for parameter in limit.family.parameters:
        if parameter.constraint is SIMPLEX:
            total = sum(simple[name] for name in parameter.names)
            simple |= {name: simple[name] / total for name in parameter.names}
    near = {name: simple[limit.carried[name]] for name in values if name in limit.carried}
    for name, end in limit.fixed.items():
        near[name] = {0.0: 1e-10, 1.0: 1.0 - 1e-10, np.inf: 1e10}.get(end, values[name])
    for name in set(limit.family.names) - set(simple):
        # The log-series' ratio of terms appears where size and mean run to 0 together: mean/(mean + size) -> q.
        assert name.startswith("q")
        simple[name] = 0.6
        suffix = name[1:]
        near[f"mean{suffix}"] = near[f"size{suffix}"] * 0.6 / 0.4
    return near, simple


def new(limit: Limit) -> bool:
    """Whether the simpler family has weights that are none of the family's."""
    return any(name.startswith("weight") and name not in limit.carried.values() for name in limit.family.names)


LIMITS = [
    pytest.param(family, values, limit, id=f"{spec}->{limit.family.spec}:{limit.code}")
    for spec, values in SPECS
    for family in [parse(spec)]
    for limit in family.limits()
    # Where no parameter has a value there, the limit is a set of points; those are tested one by one below.
    if not (limit.fixed and all(np.isnan(end) for end in limit.fixed.values()))
    # Where weights run to their ends together and new ones appear, too.
    and not (1.0 in limit.fixed.values() and 0.0 in [limit.fixed.get(f"weight[{i}]") for i in (1, 2)] and new(limit))
]


@pytest.mark.parametrize(("family", "values", "limit"), LIMITS)
def test_a_limit_is_reached(family: Family, values: dict[str, float], limit: Limit) -> None:
    near, simple = beside(limit, values)
    assert set(near) == set(family.names)
    assert set(simple) == set(limit.family.names)
    k = np.arange(100)
    found, expected = log_pmf(family, near, k), log_pmf(limit.family, simple, k)
    assert np.exp(found) == pytest.approx(np.exp(expected), abs=1e-7)
    likely = expected > np.log(1e-4)
    assert found[likely] == pytest.approx(expected[likely], abs=1e-5)


def test_the_listed_limits_cover_what_the_theory_knows() -> None:
    known = {(family.spec, limit.family.spec) for family, _, limit in (p.values for p in LIMITS)}
    expected = {
        ("nb", "poisson"),
        ("zip", "poisson"),
        ("zinb", "nb"),
        ("zinb", "zip"),
        ("hurdle(nb)", "hurdle(poisson)"),
        ("hurdle(nb)", "hurdle(logseries)"),
        ("zt(nb)", "zt(poisson)"),
        ("zt(nb)", "logseries"),
        ("2*poisson", "poisson"),
        ("3*poisson", "2*poisson"),
        ("2*poisson", "point(0)+poisson"),
        ("2*nb", "nb"),
        ("2*nb", "nb+poisson"),
        ("poisson+nb", "poisson"),
        ("poisson+nb", "nb"),
        ("hurdle(poisson)", "zt(poisson)"),
    }
    assert expected <= known


CLOSED = [
    ("poisson", {"rate": 0.0}, "point(0)", {}),
    ("geometric", {"mean": 0.0}, "point(0)", {}),
    ("nb", {"mean": 3.0, "size": np.inf}, "poisson", {"rate": 3.0}),
    ("nb", {"mean": 0.0, "size": 2.0}, "point(0)", {}),
    ("zip", {"pi": 0.0, "rate": 2.0}, "poisson", {"rate": 2.0}),
    ("zip", {"pi": 1.0, "rate": 2.0}, "point(0)", {}),
    ("zip", {"pi": 0.4, "rate": 0.0}, "point(0)", {}),
    ("zinb", {"pi": 0.3, "mean": 3.0, "size": np.inf}, "zip", {"pi": 0.3, "rate": 3.0}),
    ("hurdle(poisson)", {"p0": 0.0, "rate": 2.0}, "zt(poisson)", {"rate": 2.0}),
    ("hurdle(poisson)", {"p0": 1.0, "rate": 2.0}, "point(0)", {}),
    ("hurdle(nb)", {"p0": 0.3, "mean": 3.0, "size": np.inf}, "hurdle(poisson)", {"p0": 0.3, "rate": 3.0}),
    ("zt(poisson)", {"rate": 0.0}, "point(1)", {}),
    ("zt(geometric)", {"mean": 0.0}, "point(1)", {}),
    ("zt(nb)", {"mean": 3.0, "size": np.inf}, "zt(poisson)", {"rate": 3.0}),
    ("zt(nb)", {"mean": 0.0, "size": 0.0}, None, {}),
    ("nb", {"mean": 3.0, "size": 0.0}, None, {}),
    ("logseries", {"q": 0.0}, "point(1)", {}),
    ("logseries", {"q": 1.0}, None, {}),
    ("2*poisson", {"weight[1]": 0.0, "weight[2]": 1.0, "rate[1]": 1.0, "rate[2]": 5.0}, "poisson", {"rate": 5.0}),
    (
        "2*poisson",
        {"weight[1]": 0.4, "weight[2]": 0.6, "rate[1]": 0.0, "rate[2]": 5.0},
        "zip",
        {"pi": 0.4, "rate": 5.0},
    ),
]


@pytest.mark.parametrize(("spec", "values", "simpler", "simple"), CLOSED)
def test_values_at_the_boundary_are_refused_or_are_the_limit(
    spec: str, values: dict[str, float], simpler: str | None, simple: dict[str, float]
) -> None:
    """What ``check`` lets pass can be drawn from and has moments: those of the limit. (None: there is no limit.)"""
    family = parse(spec)
    try:
        family.check(values)
    except FamilyError:
        return
    assert simpler is not None, "no distribution there: to be refused"
    limit = parse(simpler)
    assert family.mean(values) == pytest.approx(limit.mean(simple), abs=1e-12)
    assert family.variance(values) == pytest.approx(limit.variance(simple), abs=1e-12)
    with np.errstate(divide="ignore"):
        assert family.log_prob_zero(values) == pytest.approx(limit.log_prob_zero(simple), abs=1e-12)
    draws = family.sample(values, 20_000, np.random.default_rng(5))
    assert draws.dtype == np.int64
    assert chi_square_p(draws, pmf_table(limit, simple)) > 1e-4


@pytest.mark.parametrize("base", ["poisson", "nb", "geometric", "2*poisson", "logseries"])
def test_zero_inflation_at_its_ends(base: str) -> None:
    family, values, k = parse(f"zi({base})"), dict(SPECS)[base], np.arange(100)
    none = log_pmf(family, {"pi": 1e-300} | values, k)
    plain = log_pmf(parse(base), values, k)
    assert none[k >= parse(base).lowest] == pytest.approx(plain[k >= parse(base).lowest], rel=1e-14, abs=1e-300)
    assert log_pmf(family, {"pi": 1.0 - 1e-15} | values, np.zeros(1))[0] == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("mean", [1e-3, 1.0, 50.0, 1e4])
def test_negative_binomial_of_large_size_is_poisson(mean: float) -> None:
    k = np.unique(np.round(np.linspace(0.0, 3.0 * mean + 10.0, 200)))
    expected = stats.poisson.logpmf(k, mean)
    errors = []
    for size in (1e10, 1e13, 1e16):
        found = log_pmf(parse("nb"), {"mean": mean, "size": size}, k)
        # The next term of the expansion in 1/size: [(k - mean)^2 - k] / (2 size).
        errors.append(np.abs(found - expected - ((k - mean) ** 2 - k) / (2.0 * size)).max())
    assert np.all(np.array(errors) <= 1e-11 * np.maximum(1.0, np.abs(expected).max()))


def test_negative_binomial_of_size_one_is_geometric() -> None:
    k = np.arange(500)
    nb = log_pmf(parse("nb"), {"mean": 2.3, "size": 1.0}, k)
    assert nb == pytest.approx(log_pmf(parse("geometric"), {"mean": 2.3}, k), rel=1e-12)


def test_a_zero_inflated_and_a_hurdle_poisson_can_be_the_same() -> None:
    """With excess zeros they are one model in two languages."""
    pi, rate, k = 0.3, 2.0, np.arange(60)
    p0 = pi + (1.0 - pi) * np.exp(-rate)
    zip_ = log_pmf(parse("zip"), {"pi": pi, "rate": rate}, k)
    assert zip_ == pytest.approx(log_pmf(parse("hurdle(poisson)"), {"p0": p0, "rate": rate}, k), rel=1e-12)


@every_family
def test_components_are_sorted_by_mean(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    labels = family.canonical(values)
    assert labels == {name: name for name in family.names}, "already sorted"
    # Reverse the numbers of equal components, and sort again: the same model under the old names.
    count = sum(name.startswith("weight") for name in values)
    mirrored = {
        name.replace(f"[{i}]", f"[{count + 1 - i}]"): value
        for name, value in values.items()
        for i in range(1, count + 1)
        if f"[{i}]" in name
    } | {name: value for name, value in values.items() if "[" not in name}
    if not count or set(mirrored) != set(family.names):
        return  # components of different families keep their places
    labels = family.canonical(mirrored)
    assert {name: mirrored[labels[name]] for name in family.names} == values
    assert log_pmf(family, mirrored, np.arange(50)) == pytest.approx(log_pmf(family, values, np.arange(50)), rel=1e-13)


@pytest.mark.parametrize(
    ("spec", "values"),
    [item for item in SPECS if item[0] not in NOT_IDENTIFIED],
    ids=[spec for spec, _ in SPECS if spec not in NOT_IDENTIFIED],
)
def test_parameters_are_recovered(spec: str, values: dict[str, float], fit) -> None:
    family = parse(spec)
    draws = family.sample(values, 20_000, np.random.default_rng(11))
    found = fit(draws, spec, restarts=3)
    assert found.converged
    truth = log_pmf(family, values, draws).sum()
    # Twice the gain over the truth is chi-square with p degrees of freedom.
    assert 0.0 <= 2.0 * (found.log_likelihood - truth) < stats.chi2.isf(1e-5, family.n_parameters)
    for name, estimate in found.parameters.items():
        assert estimate.std_error > 0.0, name
        assert abs(estimate.estimate - values[name]) < 5.0 * estimate.std_error, name
        assert estimate.lower < estimate.estimate < estimate.upper, name


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        (
            "2*nb",
            {"weight[1]": 0.857, "weight[2]": 0.143, "mean[1]": 3e8, "size[1]": 3.2, "mean[2]": 4e8, "size[2]": 7e8},
        ),
        ("2*poisson", {"weight[1]": 0.3, "weight[2]": 0.7, "rate[1]": 400.0, "rate[2]": 2000.0}),
        ("2*poisson", {"weight[1]": 0.3, "weight[2]": 0.7, "rate[1]": 1e-18, "rate[2]": 1e-12}),
        ("zip", {"pi": 0.0, "rate": 700.0}),
        ("zip", {"pi": 1e-25, "rate": 700.0}),
        ("zip", {"pi": 1.0 - 1e-12, "rate": 3.0}),
        ("zinb", {"pi": 0.2, "mean": 1e9, "size": 4.0}),
        ("zi(2*poisson)", {"pi": 0.0, "weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 60.0, "rate[2]": 90.0}),
    ],
)
def test_the_probability_of_zero_has_its_digits_at_either_end(spec: str, values: dict[str, float]) -> None:
    """Against 60-digit arithmetic; it was NaN, or -inf, where the complement rounds to 1."""
    with mp.workdps(60):
        exact = {name: mp.mpf(value) for name, value in values.items()}

        def base(name: str, i: str = "") -> mp.mpf:
            if name == "nb":
                return (exact[f"size{i}"] / (exact[f"size{i}"] + exact[f"mean{i}"])) ** exact[f"size{i}"]
            return mp.exp(-exact[f"rate{i}"])

        kind = "nb" if "nb" in spec else "poisson"
        zero = sum(exact[f"weight[{i}]"] * base(kind, f"[{i}]") for i in (1, 2)) if "2*" in spec else base(kind)
        pi = exact.get("pi", mp.mpf(0))
        truth = float(mp.log(pi + (1 - pi) * zero))
    assert float(parse(spec).log_prob_zero(values)) == pytest.approx(truth, rel=1e-9)
    tensors = {name: torch.tensor([value], dtype=torch.float64, requires_grad=True) for name, value in values.items()}
    found = parse(spec).log_prob_zero(tensors)
    assert float(found.detach()[0]) == pytest.approx(truth, rel=1e-9)
    found.sum().backward()
    assert all(np.isfinite(float(own.grad[0])) for own in tensors.values() if own.grad is not None)
