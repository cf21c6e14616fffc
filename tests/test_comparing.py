"""Comparisons of families: the ranking, the ceilings, and what is said about them."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distfit_counts import sample
from distfit_counts.comparing import compare_columns
from distfit_counts.comparison import Comparison, Components
from distfit_counts.data.column import Column
from distfit_counts.data.files import read_source
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DataError, FamilyError
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.poisson_mixtures.npmle import npmles
from distfit_counts.inference.selection import ceilings
from distfit_counts.inference.verdicts.ranking import ranking_verdicts
from distfit_counts.report.comparison_table import comparison_rows
from distfit_counts.settings import COMPARED, COMPARED_WITHOUT_ZEROS, FitSettings

HORSEKICKS = Histogram.of([0, 1, 2, 3, 4], [109, 65, 22, 3, 1])
NB = Histogram.of(sample("nb", {"mean": 4.0, "size": 2.5}, 400, seed=0))
NB_40 = Histogram.of(sample("nb", {"mean": 4.0, "size": 2.5}, 40, seed=0))
UNDERDISPERSED = Histogram.of(np.random.default_rng(3).binomial(10, 0.7, 300))
# Four groups of 200, far apart.
WIDE = Histogram.of(np.random.default_rng(0).poisson(np.repeat([1.0, 15.0, 60.0, 200.0], 200)))
FAST = FitSettings(restarts=3)
SAMPLE_DATA = Path(__file__).resolve().parents[1] / "sample_data"


def column(histogram: Histogram, name: str = "y") -> Column:
    return Column("test", name, {}, histogram)


def compare(histogram: Histogram, *specs: str, lrt: bool = False, settings: FitSettings = FAST) -> Comparison:
    return compare_columns([column(histogram)], [parse(s) for s in specs] if specs else None, settings, lrt)[0]


@pytest.fixture(scope="module")
def nb() -> Comparison:
    return compare(NB)


def codes(found: Comparison) -> list[str]:
    return [verdict.code for verdict in found.verdicts]


def test_sorted_by_bic_with_akaike_weights(nb: Comparison) -> None:
    bic = [candidate.fit.bic for candidate in nb.candidates]
    assert bic == sorted(bic)
    assert [c.delta for c in nb.candidates] == pytest.approx([value - bic[0] for value in bic], abs=1e-9)
    weights = np.array([c.weight for c in nb.candidates])
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    aic = np.array([c.fit.aic for c in nb.candidates])
    relative = np.exp(-0.5 * (aic - aic.min()))
    np.testing.assert_allclose(weights, relative / relative.sum(), rtol=1e-9)
    assert nb.best is nb.candidates[0].fit
    assert {c.fit.family for c in nb.candidates} == set(COMPARED)
    assert nb.best.family == "nb"


@pytest.mark.slow
def test_a_comparison_fits_what_a_fit_fits(nb: Comparison, fit) -> None:
    for candidate in nb.candidates:
        alone = fit(NB.values, candidate.fit.family, NB.weights, restarts=3)
        assert candidate.fit.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-7)
        assert candidate.fit.n_parameters == alone.n_parameters


def test_of_equal_models_the_smaller_comes_first() -> None:
    """zinb and hurdle(nb) are often one model; nb at the Poisson limit costs one parameter more."""
    found = compare(UNDERDISPERSED, "nb", "zip", "poisson")
    assert found.best.family == "poisson"
    assert [round(c.delta, 6) for c in found.candidates] == [0.0] + 2 * [round(math.log(300), 6)]
    same = compare(Histogram.of([0] * 40), "geometric", "2*poisson", "poisson")
    assert same.candidates[-1].fit.family == "2*poisson"


def test_the_order_of_equal_models_is_no_noise() -> None:
    """zip and hurdle(poisson) are one model where there are excess zeros: equal BICs but for the last digits."""
    y = Histogram.of(sample("zip", {"pi": 0.3, "rate": 3.0}, 300, seed=1))
    for asked in itertools.permutations(["zip", "hurdle(poisson)", "poisson"]):
        found = compare(y, *asked)
        ranked = [c.fit.family for c in found.candidates]
        assert ranked == [spec for spec in asked if spec != "poisson"] + ["poisson"]
        assert [c.delta for c in found.candidates][:2] == [0.0, 0.0]


def test_few_counts_are_said() -> None:
    """As in the report of a fit, but once: below 30 counts for each parameter."""
    (message,) = (v.message for v in compare(NB_40, "poisson", "nb", "zinb").verdicts if v.code == "sample.small")
    assert message.startswith("40 observations are few for nb and zinb:")
    (message,) = (v.message for v in compare(Histogram.of([0, 2, 5])).verdicts if v.code == "sample.small")
    assert message.startswith("3 observations are few for geometric and poisson:")
    assert "--gof-replicates 999" in message
    simulated = compare(NB_40, "poisson", "nb", "zinb", settings=FitSettings(restarts=2, gof_replicates=19))
    (message,) = (v.message for v in simulated.verdicts if v.code == "sample.small")
    assert "--gof" not in message
    assert "sample.small" not in codes(compare(NB))


@pytest.mark.parametrize(
    ("histogram", "left"),
    [
        (Histogram.of([3]), ["poisson", "geometric", "zt(poisson)", "zt(geometric)", "logseries"]),
        (Histogram.of([0] * 100), ["poisson", "geometric"]),
        (Histogram.of([0, 5] * 50), ["poisson", "geometric", "nb", "zip"]),
        (Histogram.of([0, 1, 2] * 6), ["poisson", "geometric"]),
        (Histogram.of([0, 1, 2] * 9), ["poisson", "geometric", "nb", "zip"]),
        (Histogram.of([0, 1, 2, 3] * 50), ["poisson", "geometric", "nb", "zip", "zinb", "hurdle(nb)", "2*poisson"]),
        (HORSEKICKS, list(COMPARED)),
    ],
    ids=["one", "zeros", "two values", "18", "27", "four values", "horse kicks"],
)
def test_the_default_families_are_those_that_the_data_can_bear(histogram: Histogram, left: list[str]) -> None:
    """Ten observations, and a distinct value, for each parameter; the others are named, with the reason."""
    found = compare(histogram)
    assert {c.fit.family for c in found.candidates} == set(left)
    asked = {*COMPARED, *(COMPARED_WITHOUT_ZEROS if not histogram.zeros else ())}
    assert set(found.skipped) == asked - set(left)
    assert all(f"n = {histogram.n} with {histogram.distinct} " in reason for reason in found.skipped.values())


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["nb", "zip", "zinb", "hurdle(nb)", "2*poisson", "3*poisson", "2*nb"])
def test_as_many_distinct_values_as_parameters_identify_them(spec: str) -> None:
    """Of 60 histograms none leaves a direction flat: what the data cannot tell apart lies at a boundary."""
    rng, p = np.random.default_rng(0), parse(spec).n_parameters
    drawn = [np.append(0, 1 + rng.choice((4 + p, 30)[i % 2], p - 1, replace=False)) + i % 3 // 2 for i in range(60)]
    many = [column(Histogram.of(values, rng.integers(1, 40, p)), str(i)) for i, values in enumerate(drawn)]
    for found in compare_columns(many, [parse(spec)], FAST):
        assert found.best.converged
        assert "parameter.not_identified" not in [verdict.code for verdict in found.best.verdicts]


def test_what_is_asked_for_is_fitted() -> None:
    found = compare(Histogram.of([3]), "poisson", "nb")
    assert len(found.candidates) == 2
    assert not found.skipped
    assert found.best.family == "poisson"


def test_families_without_zeros_are_left_out_where_there_are_some() -> None:
    found = compare(HORSEKICKS, "poisson", "zt(poisson)", "logseries")
    assert [c.fit.family for c in found.candidates] == ["poisson"]
    assert set(found.skipped) == {"zt(poisson)", "logseries"}
    with pytest.raises(FamilyError, match="none of the families"):
        compare(HORSEKICKS, "zt(poisson)", "logseries")
    positive = compare(Histogram.of([1, 1, 2, 5] * 10), "poisson", "zt(poisson)")
    assert {c.fit.family for c in positive.candidates} == {"poisson", "zt(poisson)"}


def test_no_values_no_comparison() -> None:
    with pytest.raises(DataError, match="no values"):
        compare_columns([Column("empty.csv", "y")], [parse("poisson")])
    with pytest.raises(DataError, match="no values"):
        compare_columns([Column("empty.csv", "y")])


@pytest.mark.slow
@pytest.mark.parametrize("default", [False, True])
def test_a_column_alone_is_the_column_in_a_batch(default: bool) -> None:
    """Also where the batch's columns get different families."""
    histograms = [NB, HORSEKICKS, Histogram.of([0] * 25), Histogram.of([1, 2, 2, 9] * 12), UNDERDISPERSED]
    columns = [column(histogram, str(i)) for i, histogram in enumerate(histograms)]
    families = None if default else [parse(s) for s in ("poisson", "zip", "nb", "2*poisson", "zt(poisson)", "zip")]
    together = compare_columns(columns, families, FAST)
    assert [found.column for found in together] == ["0", "1", "2", "3", "4"]
    for own, found in zip(columns, together, strict=True):
        alone = compare_columns([own], families, FAST)[0]
        assert found.skipped == alone.skipped
        assert codes(found) == codes(alone)
        for ours, theirs in zip(found.candidates, alone.candidates, strict=True):
            assert ours.fit.family == theirs.fit.family
            assert ours.fit.log_likelihood == pytest.approx(theirs.fit.log_likelihood, abs=1e-7)
            assert ours.weight == pytest.approx(theirs.weight, rel=1e-6)
            assert ours.icl == pytest.approx(theirs.icl, rel=1e-6, nan_ok=True)


def test_ties_are_said(nb: Comparison) -> None:
    """zinb and hurdle(nb) share their likelihood wherever there are excess zeros: a tie that is real."""
    y = Histogram.of(sample("zinb", {"pi": 0.4, "mean": 6.0, "size": 2.0}, 600, seed=1))
    found = compare(y, "zinb", "hurdle(nb)", "poisson")
    assert found.candidates[1].delta == pytest.approx(0.0, abs=1e-6)
    assert codes(found)[0] == "compare.tie"
    assert "poisson" not in found.verdicts[0].message
    second = nb.candidates[1].delta
    assert ("compare.tie" in codes(nb)) == (second < 2.0)


def test_misfit_of_the_best_is_said() -> None:
    found = compare(NB, "poisson")
    assert "compare.misfit" in codes(found)
    assert "compare.misfit" not in codes(compare(NB, "poisson", "nb"))


def test_how_much_any_poisson_mixture_could_gain(nb: Comparison) -> None:
    message = next(v for v in nb.verdicts if v.code == "compare.ceiling")
    left = nb.ceiling.log_likelihood - nb.best.log_likelihood
    assert float(message.message.split("more than ")[1].split(";")[0]) == pytest.approx(left, rel=0.01, abs=1e-4)
    assert message.reassuring


def test_a_ceiling_far_above_is_no_comfort() -> None:
    """More than the log n = 6.7 that BIC charges for a Poisson more: another mixture may win."""
    (far,) = (v for v in compare(WIDE, "2*poisson").verdicts if v.code == "compare.ceiling")
    assert not far.reassuring
    assert "BIC charges only 6.68" in far.message
    # A single count: the Poisson is the best of all, up to rounding, of which nothing is printed.
    (one,) = (v for v in compare(Histogram.of([3]), "poisson").verdicts if v.code == "compare.ceiling")
    assert one.reassuring
    assert one.message == "No Poisson mixture has a higher log-likelihood than poisson."


def test_the_largest_number_of_components_tried_is_no_answer() -> None:
    """Four groups: K = 3 is chosen only because nobody asked for 4."""
    (three,) = (v for v in compare(WIDE, "2*poisson", "3*poisson").verdicts if v.code == "compare.components")
    assert not three.reassuring
    assert three.message.endswith("K = 3 is the largest tried: try 4*poisson too.")
    # Two groups, K = 2 the largest: what the ceiling leaves does not pay for a third.
    two = sample("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 1.0, "rate[2]": 20.0}, 400, seed=1)
    (enough,) = (v for v in compare(Histogram.of(two), "poisson", "2*poisson").verdicts if "components" in v.code)
    assert enough.reassuring
    assert re.search(r"K = 2 is the largest tried; no Poisson mixture gains more than \S+ over it\.$", enough.message)


def test_better_than_any_poisson_mixture() -> None:
    """Fewer zeros than a Poisson: only a hurdle can follow."""
    few = Histogram.of(np.append(sample("zt(poisson)", {"rate": 1.0}, 500, seed=0), [0] * 5))
    found = compare(few, "poisson", "nb", "hurdle(poisson)")
    assert found.best.family == "hurdle(poisson)"
    assert found.best.log_likelihood > found.ceiling.log_likelihood + 10
    assert "compare.no_poisson_mixture" in codes(found)
    assert "compare.ceiling" not in codes(found)


@pytest.mark.parametrize(
    ("spec", "values"), [("poisson", {"rate": 2.0}), ("nb", {"mean": 2.0, "size": 2.0})], ids=["poisson", "nb"]
)
def test_true_poisson_mixtures_are_hardly_ever_called_none(spec: str, values: dict[str, float]) -> None:
    """40 samples of 200. A hurdle is above the ceiling in half of the Poisson's, by chance; by log n + 2 in LR
    P(chi2_1 > 7.3) = 0.7 % of them: more than 3 of 40 have a probability below 0.001.
    """
    own = parse(spec)
    many = [column(Histogram.of(own.sample(values, 200, np.random.default_rng(seed))), str(seed)) for seed in range(40)]
    found = compare_columns(many, [parse(s) for s in ("poisson", "nb", "hurdle(nb)")], FitSettings(restarts=1))
    assert sum("compare.no_poisson_mixture" in codes(each) for each in found) <= 3


def test_what_is_said_of_a_family_above_the_ceiling_is_grammatical() -> None:
    few = Histogram.of(np.append(sample("zt(poisson)", {"rate": 1.0}, 500, seed=0), [0] * 5))
    one = next(v for v in compare(few, "poisson", "hurdle(poisson)").verdicts if "no_poisson" in v.code).message
    assert one.startswith("hurdle(poisson) is more likely than any Poisson mixture can be, and has a BIC lower by ")
    two = compare(few, "poisson", "hurdle(poisson)", "hurdle(geometric)")
    both = next(v for v in two.verdicts if "no_poisson" in v.code).message
    assert both.startswith("hurdle(poisson) and hurdle(geometric) are more likely than ")
    # Without a Poisson mixture in the list there is nothing to measure against.
    assert "compare.no_poisson_mixture" not in codes(compare(few, "hurdle(poisson)"))


def test_a_simulated_misfit_counts_with_few_samples_too() -> None:
    """With 19 samples the smallest p-value there is is 0.05."""
    found = compare(NB, "poisson", settings=FitSettings(restarts=2, gof_replicates=19))
    assert found.best.goodness.tests[0].p_value == pytest.approx(0.05)
    assert "compare.misfit" in codes(found)


def test_k_by_bic_is_that_of_the_table(nb: Comparison) -> None:
    groups = {group.component: group for group in nb.components}
    assert set(groups) == {"poisson", "nb"}
    bic = {c.fit.family: c.fit.bic for c in nb.candidates}
    for group in groups.values():
        assert group.by_bic == min(group.candidates, key=lambda k: bic[group.candidates[k]])
        assert group.by_test is None
        assert group.tests == ()
    counted = {spec for group in groups.values() for spec in group.candidates.values()}
    for candidate in nb.candidates:
        assert math.isnan(candidate.icl) == (candidate.fit.family not in counted)
        if candidate.fit.family in counted:
            assert candidate.icl >= candidate.fit.bic - 1e-9, "entropy is never negative"
    assert codes(nb).count("compare.components") == 2


@pytest.mark.slow
def test_the_bootstrap_chooses_k_too() -> None:
    y = Histogram.of(sample("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 2.0, "rate[2]": 12.0}, 200, 1))
    settings = FitSettings(restarts=3, replicates=39)
    found = compare(y, "poisson", "2*poisson", "3*poisson", lrt=True, settings=settings)
    (group,) = found.components
    assert (group.by_bic, group.by_test) == (2, 2)
    assert [test.p_value <= 0.05 for test in group.tests] == [True, False]
    (verdict,) = [v for v in found.verdicts if v.code == "compare.components"]
    assert "bootstrap" in verdict.message


def test_vuong_only_where_nothing_is_shared() -> None:
    """Poisson and geometric share nothing (but all mass at 0); every other default pair overlaps or is nested."""
    found = compare(HORSEKICKS, "poisson", "geometric", "nb", "zip")
    tested = {c.fit.family: c.vuong for c in found.candidates}
    assert found.best.family == "poisson"
    assert tested["poisson"] is None
    assert tested["nb"] is None
    assert tested["zip"] is None
    assert tested["geometric"].statistic > 0, "for the best, by the sign convention"
    # By hand: m = log p1 − log p2 for each count, both with one parameter.
    values, weights = HORSEKICKS.values, HORSEKICKS.weights
    fits = {c.fit.family: c.fit for c in found.candidates}
    m = np.log(fits["poisson"].pmf(values)) - np.log(fits["geometric"].pmf(values))
    total = (weights * m).sum()
    deviation = math.sqrt((weights * (m - total / 200) ** 2).sum())
    assert tested["geometric"].statistic == pytest.approx(total / deviation, rel=1e-9)


def test_as_a_table(nb: Comparison) -> None:
    frame = nb.to_frame()
    assert list(frame.index) == [c.fit.family for c in nb.candidates]
    assert frame["bic"].is_monotonic_increasing
    assert frame["weight"].sum() == pytest.approx(1.0)


def test_from_the_library() -> None:
    from distfit_counts import library

    found = library.compare(NB, ["poisson", "nb", "nb"], restarts=3)
    assert [c.fit.family for c in found.candidates] == ["nb", "poisson"]
    with pytest.raises(FamilyError):
        library.compare(NB, ["poison"])


def test_progress_is_told() -> None:
    seen: list[tuple] = []
    compare_columns([column(NB)], [parse("poisson"), parse("nb")], FAST, progress=lambda *told: seen.append(told))
    assert {told[2] for told in seen} >= {"nb"}
    assert all(0 <= told[0] <= told[1] for told in seen)


def test_what_differs_is_what_is_explained(nb: Comparison) -> None:
    """BIC and ICL agree on one nb, the test finds two: not ICL is to be explained, and two is all that was tried."""

    def message(by_icl: int, by_test: int | None) -> str:
        group = Components("nb", {1: "nb", 2: "2*nb"}, 1, by_icl, (), by_test)
        found = ranking_verdicts(nb.best.n, nb.candidates, (group,), nb.ceiling, COMPARED)
        return next(verdict.message for verdict in found if verdict.code == "compare.components")

    assert "ICL counts" not in message(1, 2)
    assert "The test asks" in message(1, 2)
    assert "K = 2 is the largest tried" in message(1, 2)
    assert "ICL counts" in message(2, None)
    assert message(1, 1).endswith("(tried 1, 2).")


def test_the_ceiling_of_a_group_is_searched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many families are judged by it; groups are kept as arrays, and made when they are asked for."""
    searched: list[int] = []

    def counted(columns: Any, *given: Any) -> Any:
        searched.append(len(columns))
        return npmles(columns, *given)

    monkeypatch.setattr(ceilings, "npmles", counted)
    rng = np.random.default_rng(4)
    rows = "".join(f"{g},{y}\n" for g in range(70) for y in rng.negative_binomial(1.0, 0.2, 30))
    (tmp_path / "a.csv").write_text(f"g,y\n{rows}")
    columns = read_source(str(tmp_path / "a.csv"), ["y"], ["g"])
    families = [parse(spec) for spec in ("poisson", "2*poisson")]
    found = compare_columns(columns, families, FitSettings(restarts=1))
    assert len(list(comparison_rows(found, found.adjusted))) > 70
    assert sum(searched) == 70
    assert max(searched) > 60, "together"


def test_the_best_fit_is_had_alone() -> None:
    """That of the comparison, of ties too: without a zero a zip is a Poisson."""
    columns = [column(NB), column(Histogram.of([1, 2, 3, 2] * 9))]
    found = compare_columns(columns, [parse("zip"), parse("poisson")], FAST)
    for i, comparison in enumerate(found):
        assert found.best(i).family == found.ranking(i).candidates[0].family == comparison.best.family
        assert found.best(i).log_likelihood == comparison.best.log_likelihood


def test_simulated_p_values_of_many_columns_are_adjusted_too() -> None:
    columns = [column(NB), column(Histogram.of([1, 2, 3, 2] * 9))]
    settings = FitSettings(restarts=1, gof_replicates=19)
    found = compare_columns(columns, [parse("poisson"), parse("nb")], settings)
    own = [found[i].candidates[0].fit.goodness.tests[0].p_value for i in range(2)]
    adjusted = [found.adjusted(i, found[i].best.family)["chi_square"] for i in range(2)]
    assert all(math.isfinite(p) and q >= p for p, q in zip(own, adjusted, strict=True))


def test_counts_without_zeros_are_compared_with_families_that_have_none() -> None:
    y = Histogram.of(sample("zt(nb)", {"mean": 2.0, "size": 1.0}, 800, seed=2))
    found = compare(y)
    assert {"zt(poisson)", "zt(geometric)", "zt(nb)", "logseries"} <= {c.family for c in found.candidates}
    assert found.best.family in ("zt(nb)", "zt(geometric)")
    (message,) = (v.message for v in found.verdicts if v.code == "compare.no_zeros")
    assert "Are units without events missing" in message
    (message,) = (
        v.message for v in fit_columns([column(y)], parse("poisson"), FAST)[0].verdicts if v.code == "misfit.zeros"
    )
    assert message.startswith("No zero was recorded")
    far = compare(Histogram.of(sample("poisson", {"rate": 60.0}, 500, seed=1)))
    assert far.best.family == "poisson"
    assert "compare.tie" not in codes(far), "zt(poisson) is the same model there"


@pytest.mark.parametrize(
    ("asked", "model", "parameters"),
    [
        (["hurdle(nb)", "nb"], "zt(nb)", 2),
        (["hurdle(poisson)"], "zt(poisson)", 1),
        (["hurdle(nb)", "zt(nb)"], "zt(nb)", 2),
        (["zinb", "zip"], "nb", 2),
    ],
)
def test_the_best_is_called_what_it_is(asked: list[str], model: str, parameters: int) -> None:
    """At a boundary a family is another one with fewer parameters: that one wins, with its own df, AIC and BIC."""
    y = Histogram.of(sample("zt(nb)", {"mean": 2.0, "size": 1.0}, 800, seed=2))
    found = compare(y, *asked)
    assert (found.best.family, found.best.n_parameters) == (model, parameters)
    alone = compare(y, model).best
    assert found.best.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)
    assert (found.best.aic, found.best.bic) == pytest.approx((alone.aic, alone.bic), rel=1e-12)
    joined = [v.message for v in found.verdicts if v.code == "compare.joined"]
    assert len(joined) == (model not in asked)
    assert all(message.startswith(f"{model} is what {asked[0]} is on these counts") for message in joined)
    many = compare_columns([column(y, "a"), column(NB, "b"), column(y, "c")], list(map(parse, asked)))
    assert [many.ranking(i).candidates[0].family == model for i in (0, 2)] == [True, True]


def test_criteria_that_disagree_are_said(nb: Comparison) -> None:
    """Of R's pscl's bioChemists, AIC prefers 2*nb (3218.93) and BIC nb (3233.51)."""
    (articles,) = read_source(str(SAMPLE_DATA / "biochemists.csv"), ["articles"])
    found = compare(articles.histogram)
    (message,) = (v.message for v in found.verdicts if v.code == "compare.aic")
    assert message.startswith("AIC prefers 2*nb (lower by 4.94), BIC nb (lower by 9.52)")
    assert "compare.aic" not in codes(compare(NB, "poisson", "nb"))
