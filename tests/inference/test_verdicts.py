"""What is said about boundaries and impossible data: stable codes, the boundary named, the simpler family fitted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

RNG = np.random.default_rng(3)
BINOMIAL = RNG.binomial(10, 0.7, 500)
# A longer tail than any zero-truncated negative binomial has: the closest is the log-series.
LOG_SERIES = np.repeat([0, 1, 2, 3, 10, 40, 150], [120, 300, 50, 15, 10, 8, 4])

CASES = [
    # data, family, codes, {parameter: boundary}, the simpler family
    ("underdispersed", BINOMIAL, "nb", ["nb.poisson_limit"], {"size": "upper"}, "poisson"),
    ("no excess zeros", BINOMIAL, "zip", ["zi.no_excess_zeros"], {"pi": "lower"}, "poisson"),
    (
        "neither",
        BINOMIAL,
        "zinb",
        ["zi.no_excess_zeros", "nb.poisson_limit"],
        {"pi": "lower", "size": "upper"},
        "poisson",
    ),
    ("no zeros", BINOMIAL + 1, "hurdle(poisson)", ["hurdle.no_zeros"], {"p0": "lower"}, "zt(poisson)"),
    (
        "log-series",
        LOG_SERIES,
        "hurdle(nb)",
        ["nb.log_series_limit"],
        {"size": "lower", "mean": "lower"},
        "hurdle(logseries)",
    ),
    (
        "log-series",
        LOG_SERIES[120:],
        "zt(nb)",
        ["nb.log_series_limit"],
        {"size": "lower", "mean": "lower"},
        "logseries",
    ),
    (
        "dead component",
        BINOMIAL,
        "2*poisson",
        ["mixture.component_died"],
        {"weight[2]": "lower", "weight[1]": "upper"},
        "poisson",
    ),
    ("all zero", [0] * 30, "poisson", ["poisson.all_zero"], {"rate": "lower"}, "point(0)"),
    ("all zero", [0] * 30, "geometric", ["geometric.all_zero"], {"mean": "lower"}, "point(0)"),
    ("all zero", [0] * 30, "nb", ["nb.all_zero"], {"mean": "lower"}, "point(0)"),
    ("all zero", [0] * 30, "zip", ["zi.all_zero"], {}, "point(0)"),
    ("all zero", [0] * 30, "hurdle(nb)", ["hurdle.all_zero"], {"p0": "upper"}, "point(0)"),
    ("all one", [1] * 30, "zt(poisson)", ["poisson.all_one"], {"rate": "lower"}, "point(1)"),
    ("all one", [1] * 30, "logseries", ["logseries.all_one"], {"q": "lower"}, "point(1)"),
    ("constant", [7] * 30, "nb", ["nb.poisson_limit"], {"size": "upper"}, "poisson"),
    ("constant", [7] * 30, "poisson", [], {}, "poisson"),
    ("one observation", [3], "poisson", ["sample.too_small"], {}, "poisson"),
    ("one observation", [3], "nb", ["nb.poisson_limit", "sample.too_small"], {"size": "upper"}, "poisson"),
]


@pytest.mark.parametrize(
    ("data", "spec", "codes", "boundaries", "simpler"),
    [case[1:] for case in CASES],
    ids=[f"{name}: {spec}" for name, _, spec, *_ in CASES],
)
def test_a_boundary_is_named(data, spec, codes, boundaries, simpler, fit) -> None:
    found = fit(data, spec)
    assert found.converged
    others = ("restarts.", "data.", "misfit.", "optimum.", "simpler.", "sample.small", "mixture.more", "mixture.dup")
    assert [verdict.code for verdict in found.verdicts if not verdict.code.startswith(others)] == codes
    assert {name: e.boundary for name, e in found.parameters.items() if e.boundary} == boundaries
    assert found.reduced.family == simpler
    assert found.status == ("boundary" if simpler != spec else "converged")
    for name in boundaries:
        e = found.parameters[name]
        assert math.isnan(e.std_error), "no invented standard error"
        assert math.isnan(e.lower)
        assert math.isnan(e.upper)
    for verdict in found.verdicts:
        assert verdict.message.endswith(".")
        assert len(verdict.message) > 30, "a sentence"
    # The supremum is the simpler family's maximum, and nominal parameters still count.
    if found.reduced.family.startswith("point"):
        assert found.log_likelihood == 0.0
    else:
        assert found.log_likelihood == pytest.approx(fit(data, simpler).log_likelihood, rel=1e-12)
    assert (
        found.n_parameters
        == fit([0, 1, 1, 2, 5] if "zt" not in spec and spec != "logseries" else [1, 1, 3], spec).n_parameters
    )


@pytest.mark.parametrize(
    ("data", "spec"), [(BINOMIAL, "nb"), (BINOMIAL, "zip"), (BINOMIAL, "2*poisson"), (LOG_SERIES, "hurdle(nb)")]
)
def test_the_verdict_names_the_family_to_use(data, spec, fit) -> None:
    found = fit(data, spec)
    message = " ".join(verdict.message.lower() for verdict in found.verdicts)
    simpler = {"hurdle(logseries)": "logseries"}.get(found.reduced.family, found.reduced.family)
    assert simpler in message


def test_the_log_series_ratio_is_reported(fit) -> None:
    """Mean and size are 0 there; what is left of them is q."""
    found = fit(LOG_SERIES, "hurdle(nb)")
    positive = LOG_SERIES[LOG_SERIES > 0]
    q = found.derived["q"]
    assert stats.logser.mean(q) == pytest.approx(positive.mean(), rel=1e-8), "the likelihood equation"
    own = stats.logser.logpmf(positive, q).sum()
    share = np.mean(LOG_SERIES == 0)
    zeros = len(LOG_SERIES) * (share * math.log(share) + (1 - share) * math.log(1 - share))
    assert found.log_likelihood == pytest.approx(own + zeros, rel=1e-10)


def test_what_stays_free_at_a_boundary_keeps_its_error(fit) -> None:
    found, poisson = fit(BINOMIAL, "zinb"), fit(BINOMIAL, "poisson")
    mean, rate = found.parameters["mean"], poisson.parameters["rate"]
    assert (mean.estimate, mean.std_error, mean.lower, mean.upper) == pytest.approx(
        (rate.estimate, rate.std_error, rate.lower, rate.upper), rel=1e-6
    )


@pytest.mark.parametrize(
    ("spec", "truth"),
    [
        ("poisson", {"rate": 4.0}),
        ("nb", {"mean": 4.0, "size": 2.0}),
        ("geometric", {"mean": 3.0}),
        ("zip", {"pi": 0.4, "rate": 3.0}),
        ("hurdle(nb)", {"p0": 0.5, "mean": 4.0, "size": 2.0}),
        ("zt(poisson)", {"rate": 2.0}),
    ],
)
def test_an_ordinary_fit_needs_no_words(spec, truth, fit) -> None:
    """A thousand counts of the family itself."""
    from distfit_counts import sample

    found = fit(sample(spec, truth, 1000, seed=0), spec)
    assert found.verdicts == ()
    assert found.status == "converged"
    assert found.reduced.family == spec


def test_a_component_of_zeros_is_said(fit) -> None:
    rng = np.random.default_rng(0)
    values = rng.poisson(5.0, 1000) * rng.binomial(1, 0.5, 1000)
    found = fit(values, "2*poisson")
    assert found.parameters["rate[1]"].boundary == "lower"
    assert found.parameters["rate[1]"].estimate == 0.0
    assert math.isfinite(found.parameters["weight[1]"].std_error)
    assert any("all_zero" in v.code and "zeros" in v.message for v in found.verdicts)
    assert found.log_likelihood == pytest.approx(fit(values, "zip").log_likelihood, abs=1e-7)


def test_pi_of_a_truncated_family_is_not_identified(fit) -> None:
    found = fit([1, 1, 1, 2, 2, 3, 5] * 10, "zt(zip)")
    assert math.isfinite(found.log_likelihood)
    assert found.log_likelihood == pytest.approx(
        fit([1, 1, 1, 2, 2, 3, 5] * 10, "zt(poisson)").log_likelihood, abs=1e-8
    )
    assert math.isnan(found.parameters["pi"].std_error)
    assert found.verdicts


def test_zeros_are_refused_where_a_family_has_none() -> None:
    from distfit_counts.data.column import Column
    from distfit_counts.data.histogram import Histogram
    from distfit_counts.errors import DataError, FamilyError
    from distfit_counts.families.spec import parse
    from distfit_counts.fitting import fit_columns

    column = Column("visits.csv", "y", {"clinic": "A"}, Histogram.of([0, 0, 1, 2]))
    with pytest.raises(FamilyError) as caught:
        fit_columns([column], parse("zt(poisson)"))
    assert "visits.csv" in caught.value.problem
    assert "2" in caught.value.problem
    assert "hurdle" in caught.value.hint
    with pytest.raises(DataError, match="no values"):
        fit_columns([Column("empty.csv", "y")], parse("poisson"))


@pytest.mark.parametrize(
    ("data", "spec", "said"),
    [
        (BINOMIAL, "nb", True),
        ([7] * 30, "poisson", True),
        (RNG.poisson(4.0, 500), "poisson", False),
        (RNG.negative_binomial(2, 0.3, 500), "nb", False),
        # A zero-truncated count varies less than its mean by nature.
        ([1] * 30, "zt(poisson)", False),
    ],
)
def test_underdispersion_is_said(data, spec, said, fit) -> None:
    assert ("data.underdispersed" in [verdict.code for verdict in fit(data, spec).verdicts]) is said
