"""No maximum of a mixture is missed: samples on which fits have ended in a lower one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from benchmarks.maxima import KINDS, MISSED, missed, samples
from distfit_counts.data.column import Column
from distfit_counts.families.nesting import contained
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns

CASES = json.loads((Path(__file__).parent / "lost.json").read_text())
QUICK = [case for case in CASES if len(case["v"]) < 20]
# Rutherford and Geiger (1910): alpha particles in 2,608 intervals.
RUTHERFORD = [57, 203, 383, 525, 532, 408, 273, 139, 45, 27, 10, 4, 0, 1, 1]


def named(case: dict) -> str:
    return f"{case['family']} {case['kind']} {len(case['v'])}"


@pytest.mark.parametrize(
    "case",
    [*QUICK, *(pytest.param(case, marks=pytest.mark.slow) for case in CASES if case not in QUICK)],
    ids=lambda case: named(case),
)
def test_maxima_that_were_missed(case: dict, fit) -> None:
    found = fit(np.array(case["v"]), case["family"], np.array(case["c"]))
    assert found.log_likelihood >= case["best"] - 1e-6


@pytest.mark.parametrize("restarts", [1, 10])
def test_a_component_of_two_counts_among_thousands(restarts: int, fit) -> None:
    found = fit(np.arange(15), "2*poisson", np.array(RUTHERFORD), restarts=restarts)
    assert found.log_likelihood == pytest.approx(-5351.78168, abs=1e-5)
    values = [found.parameters[name].estimate for name in ("rate[1]", "rate[2]", "weight[1]", "weight[2]")]
    assert values == pytest.approx([3.8666, 11.147, 0.99932, 0.00068], rel=2e-3)


# 20 ones beside eight larger counts: no Poisson at all, but a point mass.
ONES = [0] * 4 + [1] * 16 + [6, 8, 7, 9, 8, 7, 6, 9]


@pytest.mark.parametrize(
    ("spec", "model"),
    [("hurdle(2*poisson)", "hurdle(point(1)+zt(poisson))"), ("zt(2*poisson)", "point(1)+zt(poisson)")],
)
def test_a_component_whose_rate_runs_to_zero_is_a_point_mass_at_one(spec: str, model: str, fit) -> None:
    counts = np.array(ONES)
    counts = counts if spec.startswith("hurdle") else counts[counts > 0]
    found = fit(counts, spec)
    assert found.reduced.family == model
    codes = {verdict.code: verdict.message for verdict in found.verdicts}
    assert "mixture.poisson.all_one" in codes
    assert not {"mixture.component_died", "mixture.empty_component"} & set(codes)
    assert found.parameters["rate[1]"].estimate == 0.0
    # 1/3 of the positive counts are above 1; they have the rate that a zero-truncated Poisson of their mean has.
    large = counts[counts > 1]
    rate = optimize.brentq(lambda x: x / -np.expm1(-x) - large.mean(), 1.0, 20.0)
    ones = (counts == 1).sum() / (counts > 0).sum()
    assert found.parameters["rate[2]"].estimate == pytest.approx(rate, rel=1e-2)
    assert found.reduced.parameters["weight[1]"] == pytest.approx(ones, rel=2e-2)
    assert f"weight[1] = {found.reduced.parameters['weight[1]']:.5g}" in codes["mixture.poisson.all_one"]
    by_hand = stats.poisson.logpmf(large, rate) - np.log(-np.expm1(-rate))
    positive = by_hand.sum() + len(large) * np.log1p(-ones) + (counts == 1).sum() * np.log(ones)
    zeros = (counts == 0).sum()
    binomial = stats.entropy([zeros, len(counts) - zeros]) if zeros else 0.0
    assert found.log_likelihood >= positive - len(counts) * binomial - 1e-9
    simpler = fit(counts, spec.replace("2*", ""))
    assert found.log_likelihood > simpler.log_likelihood + 30.0


# Families and samples of which the first once ended below the second, which it contains.
NESTED = [
    ("zi(2*nb)", "2*nb", "nest725"),
    ("2*nb", "nb+poisson", "nest96"),
    ("hurdle(2*poisson)", "zi(2*poisson)", "nest389"),
]
LARGER = [429506725, 429559459, 509943045, 537065041, 568415249]
SAMPLES = {
    "nest725": (
        [58908908, 118234254, 163545335, 258248071, 274158321, 290343128, 324595139, 381741032, 385819577, *LARGER],
        [1] * 14,
    ),
    "nest96": ([1, 2, 3, 4, 5, 275, 294, 302, 306, 5163, 5311, 9023, 9037, 41421], [1, 2, *[1] * 12]),
    "nest389": ([0, 1, 2, 3, 4], [3932, 799, 94, 3, 1]),
}
# The families up to two combinators deep.
BASES = ("poisson", "geometric", "nb")
PAIRS = ("2*poisson", "2*geometric", "2*nb", "nb+poisson", "geometric+nb", "geometric+poisson")
LANGUAGE = [
    *BASES,
    *PAIRS,
    *(f"{wrapper}({base})" for wrapper in ("zi", "hurdle") for base in (*BASES, *PAIRS)),
    "hurdle(logseries)",
    "zi(zt(nb))",
    "2*zip",
    "zip+nb",
    "3*poisson",
]


@pytest.mark.parametrize(("larger", "smaller", "sample"), NESTED)
def test_no_family_ends_below_one_that_it_contains(larger: str, smaller: str, sample: str, fit) -> None:
    values, weights = SAMPLES[sample]
    top, within = (fit(values, spec, weights, restarts=10).log_likelihood for spec in (larger, smaller))
    assert top >= within - 1e-6


def out_of_order(specs: list[str], columns: list[Column]) -> tuple[int, list[tuple[str, str, str, float]]]:
    """How many pairs of ``specs`` are nested, and where the larger family, fitted alone, ended below the smaller."""
    found = {parse(spec): fit_columns(columns, parse(spec)).log_likelihood for spec in specs}
    pairs = [(top, own) for top in found for own in contained(top) if own in found and own != top]
    below = []
    for top, own in pairs:
        by = found[own] - found[top]
        below += [(top.spec, own.spec, columns[i].column, float(by[i])) for i in np.flatnonzero(by > 1e-6)]
    return len(pairs), below


def test_nested_families_are_in_order_on_made_up_samples() -> None:
    specs = ["poisson", "nb", "geometric", "zip", "zinb", "hurdle(poisson)", "hurdle(nb)", "2*poisson", "zi(2*poisson)"]
    columns = [column for kind in list(KINDS)[::3] for column in samples(kind, 1, seed=5)]
    pairs, below = out_of_order([*specs, "2*geometric", "hurdle(2*poisson)"], columns)
    assert pairs > 20
    assert not below


@pytest.mark.slow
def test_all_nested_families_are_in_order() -> None:
    columns = [column for kind in KINDS for column in samples(kind, 3, seed=6)]
    pairs, below = out_of_order(LANGUAGE, columns)
    assert pairs > 200
    assert not below


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["3*poisson", "4*poisson", "2*nb", "hurdle(2*poisson)"])
def test_no_search_from_random_starts_finds_more(spec: str) -> None:
    columns = [column for kind in KINDS for column in samples(kind, 4, seed=8)]
    assert missed([spec], columns, 100)[spec].max() <= MISSED
