"""How high the log-likelihood can go: the saturated model and the best of all Poisson mixtures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from distfit_counts import sample
from distfit_counts.comparing import compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.inference.selection.ceilings import poisson_mixtures, saturated
from distfit_counts.settings import FitSettings

HORSEKICKS = Histogram.of([0, 1, 2, 3, 4], [109, 65, 22, 3, 1])
NB = Histogram.of(sample("nb", {"mean": 4.0, "size": 2.5}, 400, seed=0))
UNDERDISPERSED = Histogram.of(np.random.default_rng(3).binomial(10, 0.7, 300))


def test_saturated_by_hand() -> None:
    """Σ w log(w/n): 109 log .545 + 65 log .325 + 22 log .11 + 3 log .015 + log .005."""
    shares = np.array([109, 65, 22, 3, 1])
    assert saturated(HORSEKICKS) == pytest.approx((shares * np.log(shares / 200)).sum(), rel=1e-12)
    assert saturated(Histogram.of([7] * 5)) == 0.0
    assert str(saturated(Histogram.of([7]))) == "0.0", "never -0.0"


CEILINGS = [
    HORSEKICKS,
    NB,
    UNDERDISPERSED,
    Histogram.of([0] * 30),
    Histogram.of([7] * 30),
    Histogram.of([3]),
    Histogram.of([0, 5], [50, 50]),
    Histogram.of([0, 1, 10**6]),
    Histogram.of(sample("nb", {"mean": 2000.0, "size": 0.5}, 300, seed=1)),
]


@pytest.mark.parametrize("histogram", CEILINGS, ids=lambda h: f"n {h.n}, max {h.values[-1]}")
def test_no_fit_is_above_the_ceilings(histogram: Histogram) -> None:
    families = [parse(spec) for spec in ("poisson", "geometric", "nb", "zip", "2*poisson", "hurdle(poisson)")]
    found = compare_columns([Column("test", "y", {}, histogram)], families, FitSettings(restarts=3))[0]
    assert found.ceiling is not None
    slack = 1e-7 * (1.0 + abs(found.saturated))
    assert found.ceiling.log_likelihood <= found.saturated + slack
    assert -1e-12 <= found.ceiling.gap <= 1e-6 * histogram.n
    assert sum(found.ceiling.weights) == pytest.approx(1.0, abs=1e-9)
    assert len(found.ceiling.rates) <= histogram.distinct
    for candidate in found.candidates:
        assert candidate.fit.log_likelihood <= found.saturated + slack, candidate.fit.family
        if parse(candidate.fit.family).poisson_mixture:
            assert candidate.fit.log_likelihood <= found.ceiling.log_likelihood + found.ceiling.gap + slack


def test_the_ceiling_of_two_neighbours_far_out() -> None:
    """One rate, their mean, is best; rates that agree to the last digits count as one."""
    ceiling = poisson_mixtures(Histogram.of([10**12, 10**12 + 5]))
    assert ceiling is not None
    assert ceiling.gap <= 2e-6
    assert np.dot(ceiling.rates, ceiling.weights) == pytest.approx(10**12 + 2.5, rel=1e-11)
    assert ceiling.rates == pytest.approx(10**12 + 2.5 + 0.0 * np.array(ceiling.rates), rel=1e-9)


def test_too_many_distinct_values_have_no_ceiling() -> None:
    assert poisson_mixtures(Histogram.of(np.arange(20_001))) is None


@pytest.mark.slow
def test_ceilings_of_published_data(shared_reference: Path) -> None:
    """Above every Poisson mixture that any search has found, and at the proven maxima."""
    for name, entry in json.loads((shared_reference / "reference.json").read_text()).items():
        values = np.loadtxt(shared_reference / entry["file"], skiprows=1, dtype=np.int64, ndmin=1)
        ceiling = poisson_mixtures(Histogram.of(values))
        assert ceiling is not None
        assert ceiling.gap <= 1e-6 * entry["n"], name
        for spec, best in entry["fits"].items():
            if parse(spec).poisson_mixture:
                assert best["log_likelihood"] <= ceiling.log_likelihood + ceiling.gap + 1e-7, (name, spec)
            if best.get("certificate") == "NPMLE-certified global":
                assert ceiling.log_likelihood == pytest.approx(best["log_likelihood"], abs=1e-6 + ceiling.gap), name
