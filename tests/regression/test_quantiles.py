"""Quantiles of many rows at once: the smallest count with P(Y <= count) >= q, against scipy's distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from distfit_counts.families.spec import parse
from distfit_counts.regression.quantiles import quantiles, searched
from distfit_counts.regression.row_model import CountModel

MEANS = np.logspace(-9, 12, 22)
LEVELS = np.array([0.001, 0.05, 0.5, 0.95, 0.999])


def check(found: np.ndarray, cdf: Any, rounding: float = 1e-9) -> None:
    assert (cdf(found) >= LEVELS * (1.0 - rounding)).all()
    assert ((found == 0) | (cdf(found - 1.0) < LEVELS * (1.0 + rounding))).all()


def test_of_poissons_they_are_exact_whatever_the_rate() -> None:
    found = quantiles(CountModel.of(parse("poisson")), [np.log(MEANS)], LEVELS)
    # By the incomplete gamma function: scipy's own search ends in NaN from 1e11 on.
    rate = np.exp(np.log(MEANS))[:, None]
    check(found, lambda k: np.where(k < 0, 0.0, scipy.special.gammaincc(np.maximum(k, 0.0) + 1.0, rate)), 1e-12)


@pytest.mark.parametrize("size", [1e-3, 0.5, 1.0, 30.0])
def test_of_negative_binomials_from_spread_over_decades_to_nearly_normal(size: float) -> None:
    eta = [np.log(MEANS), np.full(len(MEANS), np.log(size))]
    found = quantiles(CountModel.of(parse("nb")), eta, LEVELS)
    # scipy's distribution function is itself 4e-9 off at 1e10 (mpmath).
    check(found, scipy.stats.nbinom(size, size / (size + MEANS[:, None])).cdf, 1e-8)


def test_zeros_before_and_peaks_far_apart_count() -> None:
    """A gate of 30 %, a hurdle of 30 %, and half a rate of 3 with half a rate of 1e9."""
    gate = np.full(len(MEANS), np.log(0.3 / 0.7))
    poisson = scipy.stats.poisson(MEANS[:, None])
    found = quantiles(CountModel.of(parse("zip")), [gate, np.log(MEANS)], LEVELS)
    check(found, lambda k: 0.3 + 0.7 * poisson.cdf(k))
    # Of small rates nearly all positive counts are 1: scipy's own difference would be rounding.
    some = MEANS > 0.1
    found = quantiles(CountModel.of(parse("hurdle(poisson)")), [gate[some], np.log(MEANS[some])], LEVELS)
    truncated = scipy.stats.poisson(MEANS[some, None])
    check(found, lambda k: np.where(k < 0, 0.0, 0.3 + 0.7 * (truncated.cdf(k) - truncated.pmf(0)) / truncated.sf(0)))
    found = quantiles(CountModel.of(parse("2*poisson")), [np.zeros(1), np.log([3.0]), np.log([1e9])], LEVELS)
    check(found, lambda k: 0.5 * scipy.stats.poisson(3.0).cdf(k) + 0.5 * scipy.stats.poisson(1e9).cdf(k))


def test_a_row_alone_has_the_quantiles_that_it_has_among_others() -> None:
    model = CountModel.of(parse("nb"))
    eta = [np.log(MEANS), np.linspace(-3.0, 3.0, len(MEANS))]
    together = quantiles(model, eta, LEVELS)
    for i in (0, 9, 21):
        assert np.array_equal(quantiles(model, [own[i : i + 1] for own in eta], LEVELS)[0], together[i])


def test_the_cost_does_not_grow_with_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly more than a thousand values of the pmf, where the mean is 10 and where it is 1e12."""
    asked: list[int] = []
    own = CountModel.log_prob

    def counting(self: CountModel, eta: Any, y: Any) -> Any:
        asked.append(y.numel())
        return own(self, eta, y)

    monkeypatch.setattr(CountModel, "log_prob", counting)
    for mean in (10.0, 1e6, 1e12):
        asked.clear()
        quantiles(CountModel.of(parse("poisson")), [np.log([mean])], [0.5])
        assert sum(asked) < 2_000


@pytest.mark.parametrize("spec", ["poisson", "nb", "zinb", "hurdle(nb)", "2*poisson", "zt(nb)"])
def test_small_ones_by_plain_sums_are_those_of_the_search(spec: str) -> None:
    """Below, across and beyond the thousand counts that are summed, of levels in both tails."""
    model, mean = CountModel.of(parse(spec)), np.log(np.logspace(-2, np.log10(3000.0), 24))
    other = {"pi": -0.8, "p0": -0.8, "size": 0.7, "weight[1]": 0.4}
    etas = [np.full(len(mean), other[head]) if head in other else mean for head in model.heads]
    if spec == "2*poisson":
        etas[-1] = etas[-1][::-1].copy()
    levels = np.array([1e-6, 0.01, 0.5, 0.99, 1.0 - 1e-6])
    assert np.array_equal(quantiles(model, etas, levels), searched(model, etas, levels))


def test_other_programs_on_the_processors_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's threads wait by turning idly: of tensors this small up to fifty times the work."""
    threads: list[int] = []
    own = CountModel.log_prob

    def watching(self: CountModel, eta: Any, y: Any) -> Any:
        threads.append(torch.get_num_threads())
        return own(self, eta, y)

    monkeypatch.setattr(CountModel, "log_prob", watching)
    quantiles(CountModel.of(parse("poisson")), [np.log([10.0, 1e6])], [0.5])
    assert set(threads) == {1}


def test_where_there_is_no_distribution_there_are_none() -> None:
    found = quantiles(CountModel.of(parse("poisson")), [np.array([np.nan, 1.0])], [0.5])
    assert np.isnan(found[0, 0])
    assert found[1, 0] == 3.0
