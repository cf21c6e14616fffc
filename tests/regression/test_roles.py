"""Parameters say what they are for: an exposure, a formula and a verdict follow that, and no name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from distfit_counts.errors import FamilyError
from distfit_counts.families.constraint import POSITIVE, POSITIVE_BOTH_ENDS
from distfit_counts.families.family import Parameter, Role
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.nesting import built_of
from distfit_counts.families.spec import BASES, parse
from distfit_counts.regression.regress import Request, regress
from distfit_counts.regression.result import Regression
from distfit_counts.settings import FitSettings

FAULTS = Path(__file__).parent / "faults"
RATED = [name for name in BASES if name != "logseries"]
EXPOSED = [
    *RATED,
    *(f"{wrapper}({base})" for wrapper in ("zi", "hurdle", "zt") for base in RATED),
    *("2*poisson", "poisson+nb", "zi(2*poisson)", "hurdle(2*poisson)", "point(0)+poisson"),
]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 300
    x, t = rng.normal(size=n), rng.uniform(0.5, 4.0, n)
    rate = np.exp(0.6 + 0.4 * x + 1.2 * (rng.random(n) < 0.3)) * t * rng.gamma(3.0, 1.0 / 3.0, n)
    y = rng.poisson(rate) * (rng.random(n) > 0.2)
    return pd.DataFrame({"y": y, "x": x, "t": t, "twice": 2.0 * t})


def fitted(frame: pd.DataFrame, family: str, **request: Any) -> Regression:
    return regress(frame, Request("y ~ x", family, **request), FitSettings(restarts=1))


@pytest.mark.parametrize("family", EXPOSED)
def test_twice_the_exposure_is_half_the_rate(family: str, rows: pd.DataFrame) -> None:
    frame = rows if parse(family).lowest == 0 else rows[rows["y"] > 0]
    without, once, twice = (fitted(frame, family, exposure=name) for name in (None, "t", "twice"))
    assert abs(once.log_likelihood - without.log_likelihood) > 1.0
    assert twice.log_likelihood == pytest.approx(once.log_likelihood, abs=1e-6)
    located = [own for own in once.predictors if own.role is Role.LOCATION]
    assert located
    for own in once.predictors:
        shift = np.array([c.estimate for c in twice.predictors[once.predictors.index(own)].coefficients])
        shift = shift - [c.estimate for c in own.coefficients]
        expected = -np.log(2.0) * (own.role is Role.LOCATION)
        # The intercept alone moves, and only that of a location.
        assert shift[0] == pytest.approx(expected, abs=1e-3), own.head
        assert shift[1:] == pytest.approx(0.0, abs=1e-3), own.head


@pytest.mark.parametrize("family", ["logseries", "zi(logseries)", "hurdle(logseries)", "logseries+nb"])
def test_an_exposure_that_would_multiply_nothing_is_refused(family: str) -> None:
    """It was reported, and did nothing."""
    with pytest.raises(FamilyError, match=r"an exposure multiplies a mean with the log link, and q.*logit"):
        fitted(pd.read_csv(FAULTS / "logseries_exposure.csv"), family, exposure="t")


def test_an_exposure_beside_another_link_is_refused(rows: pd.DataFrame) -> None:
    """It was added to a predictor whose exponential is not the mean."""
    with pytest.raises(FamilyError, match=r"softplus link\nleave out --link"):
        fitted(rows, "nb", links={"mean": "softplus"}, exposure="t")


def test_an_offset_is_added_to_a_location_of_any_name_and_link() -> None:
    frame = pd.read_csv(FAULTS / "logseries_exposure.csv")
    frame["off"] = 0.3 * frame["x"]
    plain, offset = fitted(frame, "logseries"), fitted(frame, "logseries", offset="off")
    assert offset.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-8)
    (before,), (after,) = plain.predictors, offset.predictors
    assert after.coefficients[1].estimate == pytest.approx(before.coefficients[1].estimate - 0.3, abs=1e-6)


def test_an_offset_of_a_probability_is_added_to_its_logit(rows: pd.DataFrame) -> None:
    frame = rows.assign(y=(rows["y"] > 2).astype(int), off=0.3 * rows["x"])
    plain, offset = fitted(frame, "bernoulli"), fitted(frame, "bernoulli", offset="off")
    assert offset.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-8)
    with pytest.raises(FamilyError, match="a predictor for each level"):
        fitted(frame, "categorical", offset="off")


@dataclass(frozen=True)
class Renamed(NegativeBinomial):
    """The negative binomial with parameters of other names."""

    parameters = (
        Parameter(("level",), POSITIVE, "mean", Role.LOCATION),
        Parameter(("spread",), POSITIVE_BOTH_ENDS, "scatter", Role.DISPERSION),
    )
    spec = "renamed"

    def _own(self, v: Mapping[str, Any]) -> dict[str, Any]:
        return {"mean": v["level"], "size": v["spread"]}

    def log_prob(self, p: Mapping[str, Any], k: Any) -> Any:
        return super().log_prob(self._own(p), k)

    def mean(self, v: Mapping[str, Any]) -> Any:
        return super().mean(self._own(v))

    def variance(self, v: Mapping[str, Any]) -> Any:
        return super().variance(self._own(v))

    def log_prob_zero(self, v: Mapping[str, Any]) -> Any:
        return super().log_prob_zero(self._own(v))

    def start(self, k: Any, w: Any, draws: Any) -> dict[str, Any]:
        found = super().start(k, w, draws)
        return {"level": found["mean"], "spread": found["size"]}

    def limits(self) -> tuple[()]:
        return ()


@pytest.mark.parametrize("family", ["{}", "zi({})", "hurdle({})"])
def test_a_new_family_needs_no_line_elsewhere(family: str, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its dispersion is constant by default, its location has the terms and the exposure, under any name."""
    monkeypatch.setitem(BASES, "renamed", Renamed())
    known = fitted(rows, family.format("nb"), exposure="t")
    found = fitted(rows, family.format("renamed"), exposure="t")
    assert found.log_likelihood == pytest.approx(known.log_likelihood, abs=1e-5)
    assert [len(own.coefficients) for own in found.predictors] == [len(own.coefficients) for own in known.predictors]
    by_name = {own.head: own for own in found.predictors}
    assert [c.name for c in by_name["spread"].coefficients] == ["Intercept"]
    assert [c.name for c in by_name["level"].coefficients] == ["Intercept", "x"]


@pytest.mark.parametrize("name", [*BASES, "zip", "hurdle(nb)", "2*nb", "zi(2*poisson)"])
def test_every_parameter_declares_a_role(name: str) -> None:
    for family in built_of(parse(name)):
        for parameter in family.parameters:
            assert isinstance(parameter.role, Role)
    assert any(parameter.role is Role.LOCATION for parameter in parse(name).parameters)
