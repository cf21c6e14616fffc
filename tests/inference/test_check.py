"""A model on data that it was not fitted to: the test keeps its size, and what is wrong gets its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DataError
from distfit_counts.families.spec import parse
from distfit_counts.inference.new_data.check import Check, check
from distfit_counts.result import Fit, Reduced

Known = Callable[..., Fit]


@pytest.fixture
def known(fit) -> Known:
    """``known(spec, rate=3.0)``: a fit whose model has these values, as if estimated from many counts."""

    def one(spec: str, **values: float) -> Fit:
        family = parse(spec)
        found = fit([0, 1, 2, 3, 4, 5], "poisson", restarts=1)
        derived = {
            "mean": float(family.mean(values)),
            "variance": float(family.variance(values)),
            "prob_zero": float(np.exp(family.log_prob_zero(values))),
        }
        large = Histogram.of([0, 1, 2, 3, 4, 5], [10**6] * 6)
        return replace(found, family=spec, reduced=Reduced(spec, values), derived=derived, histogram=large)

    return one


def checked(model: Fit, counts, weights=None) -> Check:
    return check(model, Column("new.csv", "y", {}, Histogram.of(counts, weights)))


def codes(found: Check) -> set[str]:
    return {verdict.code for verdict in found.verdicts}


@pytest.mark.slow
def test_every_comparison_keeps_its_size(known: Known) -> None:
    """200 samples of the model itself: p-values uniform, z standard normal, the PIT in its band."""
    model = known("zip", pi=0.3, rate=4.0)
    drawn = [checked(model, model.sample(400, seed)) for seed in range(200)]
    p = np.array([found.chi_square.p_value for found in drawn])
    assert stats.kstest(p, "uniform").pvalue > 0.01
    for level in (0.01, 0.05, 0.10):
        assert abs((p < level).mean() - level) < 3.5 * math.sqrt(level * (1 - level) / 200)
    z = np.array([found.log_score_z for found in drawn])
    assert abs(z.mean()) < 4 / math.sqrt(200)
    assert abs(z.std() - 1.0) < 4 / math.sqrt(400)
    outside = np.mean([[not a <= h <= b for h, a, b in zip(f.pit, *f.pit_band, strict=True)] for f in drawn])
    assert abs(outside - 0.05) < 0.02
    assert np.mean([codes(found) == {"check.pass"} for found in drawn]) > 0.95


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda rng: rng.poisson(4.0, 2000), {"check.pass"}),
        (lambda rng: rng.poisson(4.4, 2000), {"check.misfit", "check.drift", "check.score"}),
        (
            lambda rng: rng.poisson(5.0, 2000) * rng.binomial(1, 0.8, 2000),
            {"check.misfit", "check.zeros", "check.score"},
        ),
        (lambda rng: rng.binomial(5, 0.8, 2000), {"check.misfit", "check.zeros", "check.score"}),
        (lambda rng: rng.poisson(4.0, 3), {"check.small"}),
        (lambda rng: [40, 41], {"check.small", "check.drift", "check.score"}),
    ],
)
def test_what_is_wrong_gets_its_name(draw, expected: set[str], known: Known) -> None:
    assert codes(checked(known("poisson", rate=4.0), draw(np.random.default_rng(4)))) == expected


def test_only_a_pass_reassures(known: Known) -> None:
    rng = np.random.default_rng(0)
    for counts in (rng.poisson(4.0, 500), rng.poisson(5.0, 500)):
        for verdict in checked(known("poisson", rate=4.0), counts).verdicts:
            assert verdict.reassuring == (verdict.code == "check.pass")


def test_chi_square_by_hand(known: Known) -> None:
    """Geometric with mean 1: P = 1/2, 1/4, 1/8, ... Of 48: 24, 12, 6 and 6 for all from 3 on; seen 16, 18, 6, 8.

    X2 = 64/24 + 36/12 + 0 + 4/6 = 19/3 on 3 df.
    """
    found = checked(known("geometric", mean=1.0), [0, 1, 2, 3, 9], [16, 18, 6, 5, 3])
    assert [(row.low, row.high, row.observed) for row in found.bins] == [
        (0, 0, 16),
        (1, 1, 18),
        (2, 2, 6),
        (3, None, 8),
    ]
    assert [row.expected for row in found.bins] == pytest.approx([24, 12, 6, 6])
    assert found.chi_square.statistic == pytest.approx(19 / 3)
    assert found.chi_square.df == 3
    assert found.chi_square.p_value == pytest.approx(stats.chi2.sf(19 / 3, 3), rel=1e-9)


def test_scores_by_hand(known: Known) -> None:
    """Geometric with mean 1: -log P(k) = (k + 1) log 2, so that its mean is 2 log 2 and its deviation sqrt(2) log 2."""
    found = checked(known("geometric", mean=1.0), [0, 0, 2])
    assert found.log_score == pytest.approx(5 / 3 * math.log(2))
    assert found.expected_log_score == pytest.approx(2 * math.log(2), rel=1e-6)
    assert found.log_score_deviation == pytest.approx(math.sqrt(2) * math.log(2), rel=1e-6)
    assert found.log_score_z == pytest.approx((5 / 3 - 2) / math.sqrt(2 / 3), rel=1e-5)


@pytest.mark.parametrize("rate", [1e3, 1e4, 1e5])
def test_the_fitted_data_have_the_x_squared_of_the_fit(rate: float, fit) -> None:
    rng = np.random.default_rng(0)
    counts = np.concatenate([rng.poisson(1.2, 400), rng.poisson(rate, 100)])
    found = checked(fit(counts, "2*poisson", restarts=2), counts)
    own = found.fit.goodness
    assert found.chi_square.statistic == pytest.approx(own.tests[0].statistic, rel=1e-9)
    assert [row.low for row in found.bins] == [row.low for row in own.bins]


def test_data_far_below_the_model_are_tested(known: Known) -> None:
    assert "check.misfit" in codes(checked(known("poisson", rate=1000.0), np.arange(100)))
    assert "check.misfit" in codes(checked(known("poisson", rate=1e6), np.arange(100)))


def test_the_fitted_data_themselves(fit) -> None:
    counts = np.random.default_rng(1).poisson(3.0, 400)
    found = checked(fit(counts, "nb"), counts)
    assert codes(found) == {"check.same_data"}
    assert found.log_score == pytest.approx(found.fit.nll_per_observation, rel=1e-12)


def test_counts_that_the_model_cannot_produce(known: Known) -> None:
    rng = np.random.default_rng(0)
    found = checked(known("zt(poisson)", rate=3.0), rng.poisson(3.0, 300))
    zeros = found.histogram.zeros
    assert zeros > 0
    assert (found.outside, found.log_score, found.log_score_z) == (zeros, math.inf, math.inf)
    assert found.verdicts[0].code == "check.outside_support"
    assert f"{zeros} of 300" in found.verdicts[0].message
    assert f"zt(poisson) gives probability 0 to the {zeros} observed zeros" in found.verdicts[0].message
    assert math.isfinite(found.rps)
    assert sum(found.pit) == pytest.approx(1.0)


def test_a_model_of_nothing_but_zeros(fit) -> None:
    model = fit([0, 0, 0], "poisson")
    found = checked(model, [0, 0, 1])
    assert (found.outside, found.log_score) == (1, math.inf)
    assert math.isnan(found.log_score_z)
    assert found.rps == pytest.approx(1 / 3)
    assert "check.outside_support" in codes(found)
    assert checked(model, [0] * 50).log_score == 0.0


def test_a_single_unlikely_zero_is_no_verdict(known: Known) -> None:
    """P(Y = 0) = 5e-5, so that one zero among 100 lies 14 standard errors off; but once in 200 samples is no wonder."""
    counts = np.append(np.random.default_rng(2).poisson(10.0, 99), 0)
    assert "check.zeros" not in codes(checked(known("poisson", rate=10.0), counts))


def test_few_counts_of_the_model_are_said_to_be_few(fit) -> None:
    rng = np.random.default_rng(5)
    model = fit(rng.poisson(4.0, 30), "poisson")
    (misfit,) = [v for v in checked(model, rng.poisson(5.0, 5000)).verdicts if v.code == "check.misfit"]
    assert "rests on 30 counts" in misfit.message


@pytest.mark.parametrize("counts", [[2**53, 0], [3, 10**12], [10**9] * 3])
@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "hurdle(nb)", "2*poisson", "logseries"])
def test_no_count_is_too_large(counts: list[int], spec: str, fit) -> None:
    own = np.random.default_rng(0).negative_binomial(2, 0.3, 60) + (spec == "logseries")
    found = checked(fit(own, spec, restarts=2), counts)
    numbers = [found.rps, found.expected_log_score, found.log_score_deviation, *found.pit, *found.pit_band[0]]
    assert np.isfinite(numbers).all()
    assert not math.isnan(found.log_score)
    assert "check.pass" not in codes(found)


def test_large_counts_of_the_model_pass(known: Known) -> None:
    for spec, values in (("nb", {"mean": 1e9, "size": 0.7}), ("poisson", {"rate": 1e11})):
        model = known(spec, **values)
        found = checked(model, model.sample(3000, 7))
        assert codes(found) == {"check.pass"}
        assert found.expected_log_score == pytest.approx(found.log_score, abs=0.1)


def test_no_values(known: Known) -> None:
    with pytest.raises(DataError, match="no values"):
        checked(known("poisson", rate=1.0), [])
