"""What is said about misfits, restarts, components and small samples: when, and in which numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from distfit_counts import sample
from distfit_counts.inference.poisson_mixtures.npmle import npmle

NB = sample("nb", {"mean": 4.0, "size": 1.0}, 500, seed=0)
ZIP = sample("zip", {"pi": 0.5, "rate": 5.0}, 500, seed=0)
POISSON = sample("poisson", {"rate": 3.0}, 1000, seed=1)
TWO = sample("2*poisson", {"weight[1]": 0.4, "weight[2]": 0.6, "rate[1]": 2.0, "rate[2]": 12.0}, 300, seed=3)
BINOMIAL = np.random.default_rng(3).binomial(10, 0.7, 500)
FEW_ZEROS = np.append(sample("zt(poisson)", {"rate": 1.0}, 500, seed=0), [0] * 5)


def said(found) -> dict[str, str]:
    for verdict in found.verdicts:
        assert verdict.message.endswith(".")
        assert not re.search(r"\b(nan|inf)\b", verdict.message), verdict.message
    return {verdict.code: verdict.message for verdict in found.verdicts}


def test_overall_misfit_says_how_much_and_where(fit) -> None:
    found = fit(NB, "poisson")
    message = said(found)["misfit.chi_square"]
    assert found.verdicts[0].code == "misfit.chi_square"
    (test, *_) = found.goodness.tests
    assert f"X² = {test.statistic:.4g} on {test.df:.0f} df" in message
    zeros, expected = int((NB == 0).sum()), 500 * stats.poisson.pmf(0, NB.mean())
    assert f"furthest off is 0, with more ({zeros}) than expected ({expected:.1f})" in message
    # Half the sum of |O − E| over n, over the pooled bins: what share would have to move.
    share = 50.0 * sum(abs(row.observed - row.expected) for row in found.goodness.bins) / 500
    assert f"{share:.2g} % of them" in message


@pytest.mark.parametrize("replicates", [19, 99])
def test_a_simulated_p_value_as_small_as_can_be_is_a_misfit(replicates: int, fit) -> None:
    """No sample of B fits as badly: p = 1/(B + 1), which is 0.05 for B = 19."""
    found = fit(NB, "poisson", gof_replicates=replicates)
    assert found.goodness.tests[0].p_value == pytest.approx(1 / (replicates + 1))
    assert "misfit.chi_square" in said(found)
    assert not [code for code in said(fit(NB, "nb", gof_replicates=replicates)) if code.startswith("misfit.")]


def test_the_cumulative_statistics_see_what_the_bins_do_not(fit) -> None:
    """Slight overdispersion over a hundred values: 30 bins of 5 and more are each within chance, their sums are not."""
    y = sample("nb", {"mean": 60.0, "size": 200.0}, 200, seed=1)
    found = fit(y, "poisson", gof_replicates=99)
    chi_square, _, *cumulative = found.goodness.tests
    assert chi_square.p_value > 0.05
    assert [test.p_value for test in cumulative] == pytest.approx([0.01] * 3)
    message = said(found)["misfit.cumulative"]
    assert all(test.title in message for test in cumulative)
    assert f"X² does not (p = {chi_square.p_value:.2g})" in message
    assert "misfit.chi_square" not in said(found)
    assert "misfit.cumulative" not in said(fit(y, "nb", gof_replicates=99))
    assert "misfit.cumulative" not in said(fit(y, "poisson"))


@pytest.mark.parametrize(("data", "spec"), [(NB, "nb"), (ZIP, "zip"), (POISSON, "poisson"), (POISSON, "nb")])
def test_no_misfit_of_the_right_family(data, spec, fit) -> None:
    assert not [code for code in said(fit(data, spec)) if code.startswith("misfit.")]


def test_zeros(fit) -> None:
    message = said(fit(ZIP, "poisson"))["misfit.zeros"]
    assert "more zeros" in message
    assert f"{100 * (ZIP == 0).mean():.3g} %" in message
    assert f"{100 * np.exp(-ZIP.mean()):.3g} %" in message
    assert "zi(...)" in message
    fewer = said(fit(FEW_ZEROS, "poisson"))["misfit.zeros"]
    assert "fewer zeros" in fewer
    assert "hurdle" in fewer
    for spec in ("zip", "hurdle(poisson)"):
        assert "misfit.zeros" not in said(fit(ZIP, spec))


def test_tail(fit) -> None:
    outlier = np.append(POISSON, 60)
    found = fit(outlier, "poisson")
    message = said(found)["misfit.tail"]
    assert "heavier" in message
    assert "60 or more" in message
    expected = 1001 * stats.poisson.sf(59, outlier.mean())
    assert found.goodness.expected_largest == pytest.approx(expected, rel=1e-3, abs=1e-9)
    assert "heavier" in said(fit(ZIP, "poisson"))["misfit.tail"]
    assert "misfit.tail" not in said(fit(NB, "nb"))


@pytest.mark.parametrize(("n", "spec", "code"), [(3, "nb", "too_small"), (50, "nb", "small"), (60, "nb", None)])
def test_sample_size(n: int, spec: str, code: str | None, fit) -> None:
    """Fewer than 30 observations a parameter; p + 1 or fewer have no AICc."""
    found = fit(NB[:n], spec)
    codes = [each for each in said(found) if each.startswith("sample.")]
    assert codes == ([f"sample.{code}"] if code else [])
    assert np.isnan(found.aicc) == (code == "too_small")


def test_small_samples_are_not_told_to_do_what_they_did(fit) -> None:
    def message(**options) -> str:
        return said(fit(NB[:30], "nb", **options))["sample.small"]

    assert message() == (
        "30 observations for 2 parameters: the p-values and Wald intervals are rough. "
        "--ci profile and --gof-replicates 999 do not rest on large samples alone."
    )
    profile = message(ci="profile")
    assert "Wald" not in profile
    assert "--ci" not in profile
    assert "--gof-replicates 999 does not" in profile
    both = message(ci="profile", gof_replicates=19)
    assert "--" not in both
    assert "the p-values that are not simulated are rough; more data" in both
    assert "Wald intervals are rough. --ci profile does not" in message(gof_replicates=19)


def test_a_simpler_family_suffices(fit) -> None:
    y = sample("nb", {"mean": 3.0, "size": 40.0}, 60, seed=3)
    found = fit(y, "nb")
    if found.reduced.family == "nb":
        message = said(found)["simpler.suffices"]
        assert "poisson" in message
    assert "simpler.suffices" not in said(fit(NB, "nb"))
    # At the boundary it is the simpler family: said once, by the boundary.
    underdispersed = np.random.default_rng(3).binomial(10, 0.7, 500)
    assert "simpler.suffices" not in said(fit(underdispersed, "nb"))


def test_interior_and_weak(fit) -> None:
    """One overdispersed by chance: p of a few tens of percent."""
    y = np.repeat([0, 1, 2, 3, 4, 5], [30, 35, 18, 10, 5, 2])
    found = fit(y, "nb")
    (test,) = found.tests
    assert test.p_value > 0.1
    assert f"p = {test.p_value:.2g}" in said(found)["simpler.suffices"]


def test_restarts_that_reached_it_once(fit) -> None:
    found = fit([3], "poisson", restarts=1)
    assert "restarts.reached_once" in said(found)
    assert not [code for code in said(fit(NB, "nb")) if code.startswith("restarts.")]


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "restarts"), [("2*nb", 10), ("4*poisson", 5)], ids=["open", "certified"])
def test_restarts_that_disagree_say_how_far(spec: str, restarts: int, fit, repository: Path) -> None:
    """Of two nb on the biochemists most restarts end elsewhere; of 4*poisson on TWO too, but its best is certified."""
    articles = np.loadtxt(repository / "sample_data" / "biochemists.csv", skiprows=1, delimiter=",", usecols=0)
    found = fit(articles if spec == "2*nb" else TWO, spec, restarts=restarts)
    own = [r for r in found.restarts if r.origin in ("moments", "random")]
    elsewhere = sum(r.basin > 1 for r in own)
    codes = said(found)
    assert 2 * elsewhere > restarts
    assert restarts - elsewhere >= 2
    assert ("restarts.disagree" in codes) == (spec == "2*nb")
    assert ("optimum.certified" in codes) == (spec == "4*poisson")
    best = min(r.nll for r in found.restarts)
    rivals = [r.nll - best for r in found.restarts if 1e-5 < r.nll - best < 2.0 and r.status == "converged"]
    assert ("optimum.nearly_equal" in codes) == (bool(rivals) and found.status != "boundary")
    if "optimum.nearly_equal" in codes:
        assert f"{min(rivals):.3g} log-likelihood units" in codes["optimum.nearly_equal"]


def test_duplicate_components(fit) -> None:
    y = sample("nb", {"mean": 10.0, "size": 60.0}, 150, seed=0)
    found = fit(y, "2*poisson")
    first, second = found.parameters["rate[1]"], found.parameters["rate[2]"]
    close = second.estimate - first.estimate <= np.hypot(first.std_error, second.std_error)
    assert ("mixture.duplicate_components" in said(found)) == bool(close)
    assert "mixture.duplicate_components" not in said(fit(TWO, "2*poisson"))


def test_an_empty_component(fit) -> None:
    found = fit(sample("poisson", {"rate": 5.0}, 200, seed=2), "2*poisson")
    small = [name for name, e in found.parameters.items() if name.startswith("weight") and 0 < e.estimate * 200 < 1]
    assert bool(small) == ("mixture.empty_component" in said(found))
    assert small, "the example has one"


def left_to_gain(y: np.ndarray, found) -> float:
    values, weights = np.unique(y, return_counts=True)
    return npmle(values.astype(float), weights.astype(float)).log_likelihood - found.log_likelihood


def gain(message: str) -> float:
    match = re.search(r"log-likelihood by (\S+),", message)
    assert match is not None
    return float(match.group(1))


def test_certified_means_that_no_mixture_is_better(fit) -> None:
    """By the nonparametric maximum, which another algorithm finds."""
    for data, spec in ((TWO, "2*poisson"), (TWO, "3*poisson"), (ZIP, "2*poisson"), (NB, "3*poisson")):
        found = fit(data, spec)
        left = left_to_gain(data, found)
        codes = said(found)
        assert left > -1e-6
        assert ("optimum.certified" in codes) == (left < 1e-4), (spec, left)
        if "mixture.more_components" in codes:
            assert gain(codes["mixture.more_components"]) == pytest.approx(left, rel=0.01)
        elif "optimum.certified" not in codes:
            assert left < 0.01


def test_a_certificate_reassures(fit) -> None:
    found = fit([0, 1, 2, 3, 4], "2*poisson", [109, 65, 22, 3, 1])
    (verdict,) = [verdict for verdict in found.verdicts if verdict.code == "optimum.certified"]
    assert verdict.reassuring
    assert not [v for v in found.verdicts if v.reassuring and v.code.startswith(("misfit", "sample", "restarts"))]


def test_no_certificate_for_what_is_no_finite_poisson_mixture(fit) -> None:
    for spec in ("nb", "2*nb", "hurdle(2*poisson)"):
        codes = said(fit(TWO, spec))
        assert "optimum.certified" not in codes
        assert "mixture.more_components" not in codes


CERTIFIED_ONE = "components.certificate leaves out what has become a single Poisson (_finite_mixture: len(parts) > 1)"
SINGLE = {"saxony_males", "womenqueue_women", "cyclingdeaths_deaths", "e_binomial_10_0.7"}


def certified(entry: dict, folder: Path, spec: str, fit) -> tuple[bool, bool]:
    values = np.loadtxt(folder / entry["file"], skiprows=1, dtype=np.int64, ndmin=1)
    theirs = entry["fits"][spec].get("certificate") == "NPMLE-certified global"
    return "optimum.certified" in said(fit(values, spec)), theirs


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["2*poisson", "3*poisson"])
def test_certified_exactly_where_the_reference_is(spec: str, fit, shared_reference: Path) -> None:
    misses = []
    for name, entry in json.loads((shared_reference / "reference.json").read_text()).items():
        if spec not in entry["fits"] or name in SINGLE or "certificate" not in entry["fits"][spec]:
            continue
        ours, theirs = certified(entry, shared_reference, spec, fit)
        if ours != theirs:
            misses.append((name, ours, theirs))
    assert not misses


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SINGLE))
def test_certified_where_a_single_poisson_is_the_best_of_all(name: str, fit, shared_reference: Path) -> None:
    entry = json.loads((shared_reference / "reference.json").read_text())[name]
    for spec in ("2*poisson", "3*poisson"):
        assert certified(entry, shared_reference, spec, fit) == (True, True)


def test_certified_where_the_second_component_died(fit) -> None:
    """Underdispersed: the Poisson itself is the best of all Poisson mixtures (Lindsay 1983)."""
    found = fit(BINOMIAL, "2*poisson")
    assert "optimum.certified" in said(found)


def test_a_certified_optimum_needs_no_more_restarts(fit) -> None:
    """Fewer than two of the restarts end there: the proof makes up for it, where there is one."""
    three = np.random.default_rng(0).poisson(np.repeat([1.0, 15.0, 60.0], 200))
    for restarts in (1, 4):
        found = fit(three, "4*poisson", restarts=restarts)
        own = [r for r in found.restarts if r.origin in ("moments", "random")]
        assert sum(r.basin == 1 for r in own) < 2
        codes = said(found)
        assert "optimum.certified" in codes
        assert not [code for code in codes if code.startswith("restarts.")]
    assert "restarts.reached_once" in said(fit([3], "poisson", restarts=1))


def test_a_certificate_says_nothing_in_words(fit) -> None:
    """The bound is rounding error there, of either sign: "at most -4.4e-14"."""
    message = said(fit([0, 1, 2, 3, 4], "2*poisson", [109, 65, 22, 3, 1]))["optimum.certified"]
    assert re.search(r"nothing at all to gain|at most \d\.\de-\d\d log-likelihood units", message), message


def test_much_to_gain_does_not_reassure(fit) -> None:
    """Lindsay's ceiling above one component more at BIC's price, log n, or below it."""
    pareto = np.floor(np.random.default_rng(0).pareto(1.0, 500)).clip(max=10**6)
    (verdict,) = [v for v in fit(pareto, "2*poisson").verdicts if v.code == "mixture.more_components"]
    assert gain(verdict.message) > np.log(500)
    assert not verdict.reassuring
    little = fit(sample("nb", {"mean": 9.0, "size": 8.0}, 200, seed=0), "2*poisson")
    (verdict,) = [v for v in little.verdicts if v.code == "mixture.more_components"]
    assert gain(verdict.message) < np.log(200)
    assert verdict.reassuring


def test_an_optimum_that_is_a_simpler_family_is_called_so(fit) -> None:
    """Poisson counts: beside two components stands the single one, with a second of weight 1e-16 wherever it began."""
    y = sample("poisson", {"rate": 20.0}, 200, seed=0)
    found = fit(y, "2*poisson")
    message = said(found)["optimum.nearly_equal"]
    assert "where 2*poisson is poisson:" in message
    assert f"only {found.log_likelihood - fit(y, 'poisson').log_likelihood:.3g} log-likelihood units" in message


def test_what_more_components_gain_is_not_exaggerated(fit) -> None:
    """3000 Poisson counts and one outlier: Lindsay's bound n log(1 + max D/n) is 200, the gain itself a few units."""
    y = np.append(sample("poisson", {"rate": 3.0}, 3000, seed=0), 40)
    found = fit(y, "2*poisson")
    assert gain(said(found)["mixture.more_components"]) == pytest.approx(left_to_gain(y, found), rel=0.01)
