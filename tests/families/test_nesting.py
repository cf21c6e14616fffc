"""What families are made of, and which contain which."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from distfit_counts.families.constraint import SIMPLEX, UNIT
from distfit_counts.families.family import Family
from distfit_counts.families.nesting import contained, strictly_non_nested
from distfit_counts.families.spec import EXAMPLES, parse
from distfit_counts.inference.fitted.reached import log_pmf

NESTED = ["zi(2*poisson)", "hurdle(2*nb)", "zt(zip)", "zip+nb", "zi(zt(poisson))", "hurdle(logseries)", "point(0)+nb"]
NESTED += ["3*poisson", "zi(hurdle(geometric))", "2*zip+geometric", "2*logseries"]
SPECS = [*EXAMPLES.values(), *NESTED]
every = pytest.mark.parametrize("spec", SPECS)
K = np.arange(400.0)


def some_values(family: Family, seed: int = 0) -> dict[str, float]:
    rng, values = np.random.default_rng(seed), {}
    for parameter in family.parameters:
        if parameter.constraint is SIMPLEX:
            numbers = rng.dirichlet(np.full(len(parameter.names), 3.0))
        elif parameter.constraint is UNIT:
            numbers = rng.uniform(0.05, 0.8, len(parameter.names))
        else:
            numbers = rng.uniform(0.5, 8.0, len(parameter.names))
        values |= {name: float(x) for name, x in zip(parameter.names, numbers, strict=True)}
    return values


def pmf(family: Family, values: dict[str, float], k: np.ndarray = K) -> np.ndarray:
    return np.exp(log_pmf(family, values, k).astype(np.float64))


@every
def test_log_pmf_is_float64(spec: str) -> None:
    family = parse(spec)
    assert log_pmf(family, some_values(family), K).dtype == np.float64


def test_log_pmf_of_a_point_mass_is_float64() -> None:
    """A float times float32 stays float32: a weight of 0.3 would lose nine digits."""
    assert log_pmf(parse("point(0)"), {}, K).dtype == np.float64


@every
def test_the_pmf_is_the_weighted_sum_of_its_parts(spec: str) -> None:
    family = parse(spec)
    for seed in range(3):
        values = some_values(family, seed)
        parts = family.parts(values)
        assert sum(weight for weight, _, _ in parts) == pytest.approx(1.0, abs=1e-14)
        for _, part, own in parts:
            assert set(own) == set(part.names), "under the part's own names"
        mixed = sum(weight * pmf(part, own) for weight, part, own in parts)
        np.testing.assert_allclose(mixed, pmf(family, values), rtol=1e-11, atol=1e-300)


def test_what_the_parts_are() -> None:
    listed = {spec: [part.spec for _, part, _ in parse(spec).parts(some_values(parse(spec)))] for spec in SPECS}
    assert listed["poisson"] == ["poisson"]
    assert listed["zip"] == ["point(0)", "poisson"]
    assert listed["zi(2*poisson)"] == ["point(0)", "poisson", "poisson"]
    assert listed["hurdle(nb)"] == ["point(0)", "zt(nb)"]
    assert listed["3*poisson"] == ["poisson"] * 3


@every
def test_only_mixtures_mix(spec: str) -> None:
    family = parse(spec)
    assert [part.spec for part in family.mixes] == {
        "2*poisson": ["poisson", "poisson"],
        "3*poisson": ["poisson"] * 3,
        "zip+nb": ["zip", "nb"],
        "point(0)+nb": ["point(0)", "nb"],
        "2*zip+geometric": ["zip", "zip", "geometric"],
        "2*logseries": ["logseries", "logseries"],
    }.get(spec, [spec])


def log_convex(family: Family, values: dict[str, float]) -> bool:
    """k! P(k) = ∫ e^-λ λ^k dG is a moment sequence, hence log-convex (Cauchy–Schwarz)."""
    k = np.arange(30.0)
    with np.errstate(divide="ignore"):
        a = log_pmf(family, values, k) + special.gammaln(k + 1.0)
    bends = a[2:] + a[:-2] - 2.0 * a[1:-1]
    return bool((bends > -1e-9).all())


@pytest.mark.parametrize(
    "spec", ["poisson", "geometric", "nb", "zip", "zinb", "2*poisson", "zi(2*nb)", "zip+nb", "point(0)+poisson"]
)
def test_a_poisson_mixture_has_the_moments_of_one(spec: str) -> None:
    family = parse(spec)
    assert family.poisson_mixture
    assert all(log_convex(family, some_values(family, seed)) for seed in range(20))


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("logseries", {"q": 0.5}),
        ("zt(poisson)", {"rate": 2.0}),
        ("hurdle(poisson)", {"p0": 0.01, "rate": 2.0}),
        ("hurdle(nb)", {"p0": 0.01, "mean": 2.0, "size": 3.0}),
        ("zi(zt(poisson))", {"pi": 0.01, "rate": 2.0}),
        ("hurdle(2*poisson)", {"p0": 0.01, "weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 2.0, "rate[2]": 3.0}),
        ("point(3)", {}),
        ("poisson+zt(poisson)", {"weight[1]": 0.01, "weight[2]": 0.99, "rate[1]": 2.0, "rate[2]": 2.0}),
    ],
)
def test_a_family_with_a_member_that_is_none_is_no_poisson_mixture(spec: str, values: dict[str, float]) -> None:
    family = parse(spec)
    assert not family.poisson_mixture
    if values:
        with np.errstate(invalid="ignore"):
            assert not log_convex(family, values)


CONTAINS = [
    ("nb", "poisson"),
    ("nb", "geometric"),
    ("zip", "poisson"),
    ("zinb", "nb"),
    ("zinb", "zip"),
    ("zinb", "geometric"),
    ("zinb", "zi(geometric)"),
    ("hurdle(poisson)", "zip"),
    ("hurdle(nb)", "zinb"),
    ("hurdle(nb)", "zi(geometric)"),
    ("hurdle(nb)", "hurdle(logseries)"),
    ("2*poisson", "zip"),
    ("3*poisson", "2*poisson"),
    ("3*poisson", "zi(2*poisson)"),
    ("2*nb", "2*geometric"),
    ("2*nb", "nb"),
    ("2*nb", "2*poisson"),
    ("zt(nb)", "logseries"),
    ("zt(nb)", "zt(geometric)"),
]


@pytest.mark.parametrize(("larger", "smaller"), CONTAINS)
def test_a_family_contains_what_it_becomes(larger: str, smaller: str) -> None:
    assert parse(smaller).plain() in contained(parse(larger))
    assert parse(larger) not in contained(parse(smaller))
    assert not strictly_non_nested(parse(larger), parse(smaller))


def test_the_special_cases_are_cases() -> None:
    """nb at size 1; a hurdle at p0 = P(0) and above: the same probabilities, counted by SciPy."""
    nb = pmf(parse("nb"), {"mean": 3.0, "size": 1.0})
    np.testing.assert_allclose(nb, stats.geom.pmf(K + 1, 0.25), rtol=1e-12)
    base = {"mean": 3.0, "size": 2.0}
    share = float(stats.nbinom.pmf(0, 2.0, 0.4))
    np.testing.assert_allclose(pmf(parse("hurdle(nb)"), {"p0": share} | base), pmf(parse("nb"), base), rtol=1e-12)
    inflated = pmf(parse("zinb"), {"pi": 0.3} | base)
    hurdle = pmf(parse("hurdle(nb)"), {"p0": 0.3 + 0.7 * share} | base)
    np.testing.assert_allclose(hurdle, inflated, rtol=1e-12)
    for spec in ("nb", "zinb", "hurdle(nb)", "2*nb", "zt(nb)", "hurdle(2*nb)"):
        for simpler in [case.family for case in parse(spec).special_cases()]:
            assert simpler.n_parameters <= parse(spec).n_parameters
            assert parse(spec) not in contained(simpler)


@pytest.mark.parametrize("spec", [*SPECS, "hurdle(2*nb)", "zi(zt(nb))", "zt(2*nb)", "2*zip", "zip+nb", "nb+poisson"])
def test_a_special_case_is_the_simpler_family(spec: str) -> None:
    family = parse(spec)
    for case in family.special_cases():
        values = some_values(case.family, 1)
        same = {
            name: float(value) for name, value in case.values({n: np.float64(v) for n, v in values.items()}).items()
        }
        family.check(same)
        np.testing.assert_allclose(pmf(family, same), pmf(case.family, values), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("poisson", "geometric"),
        ("zip", "geometric"),
        ("2*poisson", "geometric"),
        ("hurdle(poisson)", "geometric"),
        ("zip", "zi(geometric)"),
        ("zt(poisson)", "zt(geometric)"),
        ("zt(poisson)", "logseries"),
        ("zt(geometric)", "logseries"),
    ],
)
def test_strictly_non_nested(first: str, second: str) -> None:
    """They share at most a distribution without parameters: all mass at one count."""
    assert strictly_non_nested(parse(first), parse(second))
    assert strictly_non_nested(parse(second), parse(first))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("zip", "nb"),
        ("2*poisson", "nb"),
        ("hurdle(poisson)", "hurdle(nb)"),
        ("2*nb", "zinb"),
        ("zi(zt(poisson))", "hurdle(poisson)"),
        ("hurdle(logseries)", "zt(nb)"),
        ("point(0)+poisson", "zip"),
        # Bernoulli counts are in both.
        ("hurdle(poisson)", "hurdle(geometric)"),
    ],
)
def test_overlapping(first: str, second: str) -> None:
    assert not strictly_non_nested(parse(first), parse(second))
    assert not strictly_non_nested(parse(second), parse(first))


@pytest.mark.parametrize(
    ("larger", "smaller"),
    [("zi(zt(geometric))", "geometric"), ("zi(zt(poisson))", "zip"), ("hurdle(zt(poisson))", "poisson")],
)
def test_a_hurdle_under_another_name_contains_its_base(larger: str, smaller: str) -> None:
    """zi(zt(F)) with pi = F(0) is F itself: a Vuong test of the two would be wrong."""
    values = {"mean": 2.0} if smaller == "geometric" else {"rate": 2.0}
    zeros = 1 / 3 if smaller == "geometric" else np.exp(-2.0)
    gate = "p0" if larger.startswith("hurdle") else "pi"
    own = values | ({"pi": 0.0} if smaller == "zip" else {})
    np.testing.assert_allclose(pmf(parse(larger), values | {gate: zeros}), pmf(parse(smaller), own), rtol=1e-9)
    assert not strictly_non_nested(parse(larger), parse(smaller))


def test_no_vuong_for_zero_inflation() -> None:
    """Wilson (2015): the test does not hold between a family and its zero-inflated one."""
    for base in ("poisson", "nb", "geometric", "2*poisson"):
        assert not strictly_non_nested(parse(base), parse(f"zi({base})"))


@pytest.mark.parametrize(
    "spec", ["zt(2*poisson)", "zt(3*poisson)", "zt(2*geometric)", "zt(2*nb)", "hurdle(poisson+nb)"]
)
def test_a_component_with_a_share_of_the_positive_counts_becomes_a_point_mass(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distfit_counts.families.mixture._LITTLE", (1e-9,))
    family, k = parse(spec), np.arange(1.0, 60.0)
    limits = [limit for limit in family.limits() if limit.code.startswith("mixture.") and "all_one" in limit.code]
    assert limits
    for limit in limits:
        assert "point(1)" in limit.family.spec
        simple = some_values(limit.family, 2)
        start = {name: np.array([value]) for name, value in some_values(family, 3).items()}
        nested = {name: np.array([value]) for name, value in simple.items()}
        (near,) = family.inside(limit, start, nested, k[None], np.ones((1, len(k))))
        found = log_pmf(family, {name: float(value[0]) for name, value in near.items()}, k)
        assert np.exp(found) == pytest.approx(np.exp(log_pmf(limit.family, simple, k)), abs=1e-7)
