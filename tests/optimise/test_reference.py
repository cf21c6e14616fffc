"""Best known answers for real data and hard cases, found outside this project.

The log-likelihoods were verified in 40-digit arithmetic; see the collection's README. tests/reference/univariate.json
holds a handful of small data sets, so that the comparison runs anywhere; the whole collection lies beside the checkout.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distfit_counts.settings import RESTARTS

HERE = json.loads((Path(__file__).parents[1] / "reference" / "univariate.json").read_text())
FAMILIES = ["poisson", "nb", "zip", "zinb", "hurdle(poisson)", "hurdle(nb)", "2*poisson", "3*poisson"]


def boundaries(remarks: list[str]) -> dict[str, str]:
    """Which parameter lies at which end, from the collection's words."""
    found: dict[str, str] = {}
    for remark in remarks:
        if "size->infinity" in remark:
            found["size"] = "upper"
        if "pi=0;" in remark:
            found["pi"] = "lower"
        if "p0=0 " in remark:
            found["p0"] = "lower"
        if "p0=1;" in remark:
            found["p0"] = "upper"
        if "size->0 and mu->0" in remark:
            found |= {"size": "lower", "mean": "lower"}
        if "lambda=0 (point mass" in remark:
            found["rate[1]"] = "lower"
        if "lambda=0 (all counts" in remark:
            found["rate"] = "lower"
        if remark.startswith("boundary: mu=0"):
            found["mean"] = "lower"
    return found


def compare(found: Any, n: int, best: dict[str, Any]) -> None:
    assert found.converged, (found.status, found.verdicts)
    # At or above the best known; well above would be no likelihood at all.
    assert found.log_likelihood >= best["log_likelihood"] - 1e-6
    # The mixtures are only the best of a search, but Lindsay's bound holds for every Poisson mixture.
    bound = best.get("upper_bound_any_poisson_mixture") if "*" in found.family else best["log_likelihood"]
    assert bound is None or found.log_likelihood <= bound + 1e-6
    p = best["n_parameters"]
    assert found.n_parameters == p
    assert found.aic == pytest.approx(2 * p - 2 * found.log_likelihood, abs=1e-9)
    assert found.aic <= best["aic"] + 2e-6
    assert found.bic <= best["bic"] + 2e-6
    assert found.bic - found.aic == pytest.approx(p * (np.log(n) - 2.0), abs=1e-8)
    if abs(found.log_likelihood - best["log_likelihood"]) > 1e-6:
        return  # better than the best known: its parameters are others
    compare_boundaries(found, best)
    compare_parameters(found, best)


def compare_boundaries(found: Any, best: dict[str, Any]) -> None:
    expected, remarks = boundaries(best["remarks"]), " ".join(best["remarks"])
    marked = {name: e.boundary for name, e in found.parameters.items() if e.boundary}
    for name, end in expected.items():
        # In a mixture the point mass at zero may also be the component that is said to have died.
        assert marked.get(name) == end, (remarks, marked)
        assert np.isnan(found.parameters[name].std_error)
        assert np.isnan(found.parameters[name].lower)
    if "interior" in best["remarks"]:
        assert not marked, marked
        assert found.status == "converged"
    else:
        assert found.status == "boundary"
        assert found.verdicts, "a boundary is said in words"
    if "degenerate: supremum" in remarks or "degenerate: constant" in remarks:
        assert "mixture.component_died" in [verdict.code for verdict in found.verdicts]


def compare_parameters(found: Any, best: dict[str, Any]) -> None:
    if "degenerate:" in " ".join(best["remarks"]) or "not identified" in " ".join(best["remarks"]):
        return
    weak = any("weakly" in remark for remark in best["remarks"])
    for name, value in best["parameters"].items():
        estimate, error = found.parameters[name], best.get("std_error", {}).get(name)
        if value is None:
            assert estimate.boundary
        elif estimate.boundary is None:
            # The maximum is flat: a likelihood right to 1e-11 leaves a parameter loose by 1e-5 standard errors.
            loose = 1e-4 * error if error else 1e-5 * max(abs(value), 1e-3)
            assert estimate.estimate == pytest.approx(value, rel=1e-6, abs=loose), name
        if error is not None:
            assert estimate.std_error == pytest.approx(error, rel=1e-3 if weak else 1e-5), name
            assert estimate.lower < estimate.estimate < estimate.upper


@pytest.fixture(scope="module")
def fitted_here(fit) -> Callable[[str, str], Any]:
    """The fit of a family to a data set of HERE: each is made once."""
    return functools.cache(
        lambda name, family: fit(HERE[name]["values"], family, HERE[name]["weights"], restarts=RESTARTS)
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", list(HERE))
def test_best_known_here(name: str, family: str, fitted_here) -> None:
    data = HERE[name]
    compare(fitted_here(name, family), sum(data["weights"]), data["fits"][family])


@pytest.mark.slow
@pytest.mark.parametrize("family", [*FAMILIES, "2*nb"])
def test_best_known_everywhere(family: str, fit, shared_reference: Path) -> None:
    collection = json.loads((shared_reference / "reference.json").read_text())
    misses = []
    for name, entry in collection.items():
        if family not in entry["fits"]:
            continue
        values = np.loadtxt(shared_reference / entry["file"], skiprows=1, dtype=np.int64, ndmin=1)
        assert len(values) == entry["n"]
        try:
            compare(fit(values, family, restarts=RESTARTS), entry["n"], entry["fits"][family])
        except AssertionError as error:
            misses.append(f"{name}: {error}")
    assert not misses, "\n".join(misses)


def nesting(fit: Callable[[str], Any]) -> None:
    """``fit``: of a family to the counts."""
    best = {spec: fit(spec).log_likelihood for spec in ["geometric", *FAMILIES]}
    contains = [
        ("nb", "poisson"),
        ("nb", "geometric"),
        ("zip", "poisson"),
        ("zinb", "zip"),
        ("zinb", "nb"),
        ("hurdle(nb)", "hurdle(poisson)"),
        ("hurdle(poisson)", "zip"),
        ("hurdle(nb)", "zinb"),
        ("2*poisson", "poisson"),
        ("2*poisson", "zip"),
        ("3*poisson", "2*poisson"),
    ]
    for larger, smaller in contains:
        assert best[larger] >= best[smaller] - 1e-9 * (1.0 + abs(best[smaller])), (larger, smaller)


@pytest.mark.parametrize("name", list(HERE))
def test_a_larger_family_never_fits_worse(name: str, fitted_here) -> None:
    nesting(functools.partial(fitted_here, name))


@pytest.mark.parametrize("seed", range(6))
def test_a_larger_family_never_fits_worse_on_random_counts(seed: int, fit) -> None:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(rng.uniform(0.3, 3.0), rng.uniform(1.0, 6.0), 60)
    counts = rng.poisson(rate) * rng.binomial(1, rng.uniform(0.5, 1.0), 60)
    nesting(lambda spec: fit(counts, spec, restarts=2))


@pytest.mark.parametrize("spec", ["zi(2*poisson)", "3*poisson"])
def test_a_tiny_component_among_many_zeros_is_found(spec, fit) -> None:
    """95 % zeros and a component of weight 0.00015: -5473.931938601 from the best of 300 random starts."""
    values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    weights = [19067, 140, 227, 206, 180, 103, 43, 23, 4, 5, 2]
    assert fit(values, spec, weights, restarts=RESTARTS).log_likelihood >= -5473.931938602


@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "zinb"])
def test_counts_of_a_hundred_billion_converge(spec, fit) -> None:
    """One unit in the last place of theta moves the gradient by 1e-5 there."""
    rng = np.random.default_rng(1)
    found = fit(rng.poisson(1e11, 1000) * (rng.random(1000) > (0.3 if spec.startswith("z") else 0.0)), spec)
    assert found.converged
    if "pi" in found.parameters:
        pi = found.parameters["pi"]
        assert pi.std_error == pytest.approx(np.sqrt(pi.estimate * (1 - pi.estimate) / 1000), rel=1e-6)
