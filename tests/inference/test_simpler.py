"""Likelihood ratios against simpler families: the halved χ² where it holds, and only there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from distfit_counts import sample
from distfit_counts.families.spec import parse
from distfit_counts.inference.hypotheses.simpler import likelihood_ratio, regular

OVERDISPERSED = np.random.default_rng(3).negative_binomial(2, 0.3, 300)


@pytest.mark.parametrize(
    ("family", "simpler"),
    [
        ("nb", {"poisson"}),
        ("zip", {"poisson"}),
        ("zinb", {"nb", "zip"}),
        ("2*poisson", {"zip"}),
        ("2*nb", {"nb+poisson"}),
        ("poisson+nb", {"zinb"}),
        ("geometric", set()),
        ("logseries", set()),
    ],
)
def test_only_one_parameter_at_its_end(family: str, simpler: set[str]) -> None:
    """A dying component takes its rate with it, and all mass at zero takes everything: there the null is another. In
    poisson+nb either of the 2*poisson may be the nb.
    """
    larger = parse(family)
    found = {limit.family.plain().spec for limit in larger.limits() if regular(larger, limit)}
    assert found - {"point(0)", "point(1)"} == simpler


@pytest.mark.parametrize("statistic", [0.0, 1e-9, 0.5, 2.705543454095404, 3.841458820694124, 50.0])
def test_half_a_point_mass_and_half_chi_square(statistic: float) -> None:
    """Self and Liang (1987), case 5: p = ½ P(χ²₁ >= T) for T > 0; 5 % at 2.706, where the naive test says 10 %."""
    test = likelihood_ratio("nb", "poisson", np.array([statistic])).at(0)
    assert test.p_value == pytest.approx(1.0 if statistic == 0.0 else 0.5 * stats.chi2.sf(statistic, 1), rel=1e-9)
    assert test.code == "lr.poisson"
    assert "½" in test.null


@pytest.mark.parametrize(
    ("data", "larger", "smaller"),
    [(OVERDISPERSED, "nb", "poisson"), (OVERDISPERSED, "zinb", "zip"), (OVERDISPERSED, "zip", "poisson")],
)
def test_the_statistic_is_twice_the_difference(data, larger: str, smaller: str, fit) -> None:
    found = {test.code: test for test in fit(data, larger).tests}
    difference = fit(data, larger).log_likelihood - fit(data, smaller).log_likelihood
    test = found[f"lr.{smaller}"]
    assert test.statistic == pytest.approx(2.0 * difference, abs=1e-7)
    assert test.p_value == pytest.approx(0.5 * stats.chi2.sf(2.0 * difference, 1), rel=1e-5)
    assert larger in test.title
    assert smaller in test.title


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_what_is_a_simpler_family_is_not_tested_against(rate: float, fit) -> None:
    """Poisson counts: zip is no better than the Poisson, and 2*poisson against it is one component against two."""
    for seed in range(3):
        counts = sample("poisson", {"rate": rate}, 200, seed=seed)
        found = fit(counts, "2*poisson", restarts=3)
        assert found.tests == ()
        assert "simpler.suffices" not in [verdict.code for verdict in found.verdicts]
    assert [test.code for test in fit(counts, "zip").tests] == ["lr.poisson"]
    inflated = sample("zip", {"pi": 0.3, "rate": 3.0}, 200, seed=1)
    assert [test.code for test in fit(inflated, "2*poisson").tests] == ["lr.zip"]


def test_horse_kicks_are_poisson(fit) -> None:
    """Published (von Bortkiewicz 1898): at the boundary the ratio is 0 and p = 1."""
    found = fit([0, 1, 2, 3, 4], "nb", [109, 65, 22, 3, 1])
    (test,) = found.tests
    assert (test.code, test.statistic, test.p_value) == ("lr.poisson", 0.0, 1.0)
    zip_test = {test.code: test for test in fit([0, 1, 2, 3, 4], "zip", [109, 65, 22, 3, 1]).tests}["lr.poisson"]
    # Log-likelihoods -206.10672147 and -206.10272788, in 40-digit arithmetic.
    assert zip_test.statistic == pytest.approx(2 * (206.10672147175407 - 206.10272788078407), abs=1e-7)


def test_a_poisson_has_score_tests(fit) -> None:
    found = {test.code: test for test in fit(OVERDISPERSED, "poisson").tests}
    assert len(found) == 3
    assert all(test.p_value < 1e-6 for test in found.values())
    counts = sample("poisson", {"rate": 3.0}, 500, seed=1)
    assert all(test.p_value > 0.001 for test in fit(counts, "poisson").tests)


@pytest.mark.parametrize("data", [[0] * 20, [4], [0], [7] * 9, [1, 1, 1]], ids=str)
@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "zinb", "hurdle(nb)"])
def test_no_nonsense_on_small_data(data: list[int], spec: str, fit) -> None:
    for test in fit(data, spec).tests:
        assert math.isnan(test.p_value) or 0.0 <= test.p_value <= 1.0
        if test.code.startswith("lr."):
            assert test.statistic >= 0.0


def test_a_hurdle_is_not_tested_against_having_no_zeros(fit) -> None:
    """With zeros in the data that family cannot be: the ratio is infinite, and says nothing."""
    codes = [test.code for test in fit(OVERDISPERSED, "hurdle(nb)").tests]
    assert codes == ["lr.hurdle(poisson)"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("larger", "smaller", "truth"), [("nb", "poisson", {"rate": 3.0}), ("zip", "poisson", {"rate": 1.5})]
)
def test_size(larger: str, smaller: str, truth: dict[str, float], fit) -> None:
    """Under the smaller family the test rejects 5 % at 5 %; half of all samples lie at the boundary (five sigma)."""
    p = []
    for seed in range(600):
        found = fit(sample(smaller, truth, 400, seed=seed), larger, restarts=1)
        p.append(next(test.p_value for test in found.tests if test.code == f"lr.{smaller}"))
    p = np.array(p)
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=5 * math.sqrt(0.05 * 0.95 / 600))
    assert (p == 1.0).mean() == pytest.approx(0.5, abs=0.12)
