"""How many components: the families that belong together, ICL by hand, and each criterion's choice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from distfit_counts.comparison import Components
from distfit_counts.inference.selection.component_number import choose, doubt, series
from distfit_counts.result import HypothesisTest

RNG = np.random.default_rng(0)
APART = np.concatenate([RNG.poisson(2.0, 150), RNG.poisson(20.0, 100), RNG.poisson(60.0, 100)])
NEAR = np.concatenate([RNG.poisson(2.0, 200), RNG.poisson(5.0, 200)])


def classification(found) -> float:
    """ICL of one fit."""
    family, values = found.model
    k, w = (np.asarray(x, dtype=np.float64)[None, :] for x in (found.histogram.values, found.histogram.weights))
    return found.bic + 2.0 * float(doubt(family, {name: np.array([x]) for name, x in values.items()}, k, w)[0])


def chosen(component: str, ks: dict[int, str], fits: dict, test) -> Components:
    bics, icls = ({spec: of(fit) for spec, fit in fits.items()} for of in (lambda fit: fit.bic, classification))
    return choose(component, ks, bics, icls, test)


def test_families_that_differ_only_in_k() -> None:
    specs = ["poisson", "geometric", "nb", "zip", "3*poisson", "2*poisson", "2*nb", "poisson+nb", "zi(2*poisson)"]
    assert series(specs) == {"poisson": {1: "poisson", 2: "2*poisson", 3: "3*poisson"}, "nb": {1: "nb", 2: "2*nb"}}
    assert list(series(specs)["poisson"]) == [1, 2, 3]
    assert series(["zip", "2*zip"]) == {"zip": {1: "zip", 2: "2*zip"}}
    assert series(["poisson", "nb", "2*geometric"]) == {}


def icl_by_hand(y: np.ndarray, found) -> float:
    values, weights = np.unique(y, return_counts=True)
    k = len(found.parameters) // 2
    parts = np.array(
        [
            found.parameters[f"weight[{i}]"].estimate
            * stats.poisson.pmf(values, found.parameters[f"rate[{i}]"].estimate)
            for i in range(1, k + 1)
        ]
    )
    share = parts / parts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(weights * share * np.log(share))
    return float(found.bic + 2.0 * entropy)


@pytest.mark.parametrize(("y", "spec"), [(APART, "2*poisson"), (APART, "3*poisson"), (NEAR, "2*poisson")])
def test_icl_is_bic_and_twice_the_entropy(y: np.ndarray, spec: str, fit) -> None:
    found = fit(y, spec)
    assert classification(found) == pytest.approx(icl_by_hand(y, found), rel=1e-9)


def test_one_component_is_never_in_doubt(fit) -> None:
    for spec in ("poisson", "nb"):
        found = fit(NEAR, spec)
        assert classification(found) == found.bic


def test_components_that_died_leave_no_doubt_either(fit) -> None:
    y = np.random.default_rng(3).binomial(10, 0.7, 500)
    found = fit(y, "2*poisson")
    assert found.reduced.family == "poisson"
    assert classification(found) == pytest.approx(found.bic, abs=1e-6)


def test_a_component_of_zeros_counts_as_one(fit) -> None:
    """Half zeros, the rest near 5: only the zeros of a Poisson(5) are in doubt."""
    y = np.repeat([0, 3, 4, 5, 6, 7], [100, 20, 25, 25, 20, 10])
    found = fit(y, "2*poisson")
    assert found.reduced.family == "point(0)+poisson"
    weight, rate = found.parameters["weight[1]"].estimate, found.parameters["rate[2]"].estimate
    share = weight / (weight + (1 - weight) * math.exp(-rate))
    entropy = -100 * (share * math.log(share) + (1 - share) * math.log(1 - share))
    assert classification(found) == pytest.approx(found.bic + 2 * entropy, rel=1e-9)


def test_bic_and_icl_choose(fit) -> None:
    """Three components far apart: both see them. Two that overlap: ICL may take them for one, BIC not."""
    ks = {1: "poisson", 2: "2*poisson", 3: "3*poisson"}
    apart = chosen("poisson", ks, {spec: fit(APART, spec) for spec in ks.values()}, None)
    assert (apart.by_bic, apart.by_icl, apart.by_test, apart.tests) == (3, 3, None, ())
    fits = {spec: fit(NEAR, spec) for spec in ks.values()}
    near = chosen("poisson", ks, fits, None)
    assert near.by_bic == min(ks, key=lambda k: fits[ks[k]].bic) == 2
    assert near.by_icl == 1


@pytest.mark.parametrize(
    ("p_values", "by_test", "made"),
    [([0.3], 1, 1), ([0.001, 0.4], 2, 2), ([0.001, 0.02], 3, 2), ([math.nan], 1, 1), ([0.051], 1, 1)],
)
def test_the_tests_are_climbed_until_one_does_not_reject(p_values, by_test: int, made: int, fit) -> None:
    """McLachlan's procedure: K against K + 1, upwards; a test without an answer does not reject."""
    ks = {1: "poisson", 2: "2*poisson", 3: "3*poisson"}
    fits = {spec: fit(NEAR, spec) for spec in ks.values()}
    asked: list[tuple[str, str]] = []

    def test(smaller: str, larger: str) -> HypothesisTest:
        asked.append((smaller, larger))
        return HypothesisTest("bootstrap_lr", "", 1.0, math.nan, p_values[len(asked) - 1], "")

    found = chosen("poisson", ks, fits, test)
    assert found.by_test == by_test
    assert len(found.tests) == made
    assert asked == [("poisson", "2*poisson"), ("2*poisson", "3*poisson")][:made]


def test_nineteen_replicates_can_reject_at_five_percent(fit) -> None:
    """A Monte-Carlo test rejects where p <= level: that is what makes 19 the fewest (Davison and Hinkley 1997)."""
    ks = {1: "poisson", 2: "2*poisson"}
    fits = {spec: fit(APART, spec) for spec in ks.values()}
    test = HypothesisTest("bootstrap_lr", "", 1.0, math.nan, 1 / 20, "")
    assert chosen("poisson", ks, fits, lambda smaller, larger: test).by_test == 2
