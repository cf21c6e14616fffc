"""Both ends of profile intervals by SciPy's own maximisation over the other parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

Z = stats.norm.isf(0.025)
RNG = np.random.default_rng(12)
MIXED = RNG.poisson(RNG.gamma(2.0, 1.5, 300)) * RNG.binomial(1, 0.7, 300)
TWO = np.concatenate([RNG.poisson(2.0, 150), RNG.poisson(9.0, 100)])
THREE = np.concatenate([RNG.poisson(1.0, 200), RNG.poisson(9.0, 150), RNG.poisson(30.0, 100)])


def nb(y: np.ndarray, w: np.ndarray, v: dict[str, float]) -> float:
    return float((w * stats.nbinom.logpmf(y, v["size"], v["size"] / (v["size"] + v["mean"]))).sum())


def zip_(y: np.ndarray, w: np.ndarray, v: dict[str, float]) -> float:
    return float((w * np.log(v["pi"] * (y == 0) + (1 - v["pi"]) * stats.poisson.pmf(y, v["rate"]))).sum())


def zinb(y: np.ndarray, w: np.ndarray, v: dict[str, float]) -> float:
    base = stats.nbinom.pmf(y, v["size"], v["size"] / (v["size"] + v["mean"]))
    return float((w * np.log(v["pi"] * (y == 0) + (1 - v["pi"]) * base)).sum())


def mixture(y: np.ndarray, w: np.ndarray, v: dict[str, float]) -> float:
    parts = [v[f"weight[{i}]"] * stats.poisson.pmf(y, v[f"rate[{i}]"]) for i in range(1, len(v) // 2 + 1)]
    return float((w * np.log(np.sum(parts, axis=0))).sum())


LogLikelihood = Callable[[np.ndarray, np.ndarray, dict[str, float]], float]


def from_free(names: list[str], pinned: str, value: float, x: np.ndarray) -> dict[str, float]:
    """Natural values from logs, logits, and, for weights, logits of shares of what the pinned weight leaves."""
    rest = [name for name in names if name != pinned]
    weights = [name for name in rest if name.startswith("weight")]
    left = 1.0 - value if pinned.startswith("weight") else 1.0
    found, x = {pinned: value}, list(x)
    if weights:
        logits = np.append([x.pop(0) for _ in weights[1:]], 0.0)
        shares = left * np.exp(logits - np.logaddexp.reduce(logits))
        found |= dict(zip(weights, map(float, shares), strict=True))
    for name in rest:
        if name in weights:
            continue
        one = x.pop(0)
        found[name] = 1 / (1 + math.exp(-one)) if name in ("pi", "p0") else math.exp(one)
    return found


def to_free(values: dict[str, float], pinned: str) -> np.ndarray:
    rest = [name for name in values if name != pinned]
    weights = [values[name] for name in rest if name.startswith("weight")]
    listed = [math.log(w / weights[-1]) for w in weights[:-1]]
    for name in rest:
        value = values[name]
        if not name.startswith("weight"):
            listed.append(math.log(value / (1 - value)) if name in ("pi", "p0") else math.log(value))
    return np.array(listed)


def scipy_deviance(y: np.ndarray, log_likelihood: LogLikelihood, best: float, start: dict[str, float], name: str):
    """The profile deviance of ``name`` by Nelder–Mead and BFGS from the estimate and from places around it."""
    values, weights = np.unique(y, return_counts=True)

    def deviance(value: float) -> float:
        def nll(x: np.ndarray) -> float:
            with np.errstate(all="ignore"):
                found = -log_likelihood(values, weights, from_free(list(start), name, value, np.clip(x, -30, 30)))
            return found if math.isfinite(found) else 1e10

        centre, lowest = to_free(start, name), math.inf
        for shift in (0.0, 0.5, -0.5):
            options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000}
            run = optimize.minimize(nll, centre + shift, method="Nelder-Mead", options=options)
            lowest = min(lowest, run.fun)
        return 2.0 * (best + lowest)

    return deviance


SCIPY = [
    ("nb", MIXED, nb, ("mean", "size")),
    ("zip", MIXED, zip_, ("pi", "rate")),
    ("zinb", MIXED, zinb, ("pi", "mean", "size")),
    ("2*poisson", TWO, mixture, ("weight[1]", "weight[2]", "rate[1]", "rate[2]")),
]


@pytest.mark.parametrize(
    ("spec", "y", "log_likelihood", "name"),
    [
        pytest.param(spec, y, function, name, marks=[pytest.mark.slow] * (spec == "zinb"))
        for spec, y, function, names in SCIPY
        for name in names
    ],
    ids=[f"{spec}: {name}" for spec, _, _, names in SCIPY for name in names],
)
def test_at_both_ends_the_deviance_is_the_cut(spec, y, log_likelihood, name, fit) -> None:
    found = fit(y, spec, ci="profile")
    start = {key: e.estimate for key, e in found.parameters.items()}
    if any(e.boundary for e in found.parameters.values()):
        pytest.fail("the example is meant to be interior")
    deviance = scipy_deviance(y, log_likelihood, found.log_likelihood, start, name)
    e = found.parameters[name]
    for end in (e.lower, e.upper):
        if 0.0 < end < (1.0 if name in ("pi", "weight[1]", "weight[2]") else math.inf):
            assert deviance(end) == pytest.approx(Z * Z, abs=2e-4)
        else:
            assert deviance(1e-9 if end == 0.0 else 1e7) < Z * Z


@pytest.mark.slow
@pytest.mark.parametrize("name", ["weight[1]", "weight[2]", "weight[3]", "rate[1]", "rate[2]", "rate[3]"])
def test_three_components(name: str, fit) -> None:
    found = fit(THREE, "3*poisson", ci="profile")
    start = {key: e.estimate for key, e in found.parameters.items()}
    deviance = scipy_deviance(THREE, mixture, found.log_likelihood, start, name)
    for end in (found.parameters[name].lower, found.parameters[name].upper):
        assert deviance(end) == pytest.approx(Z * Z, abs=1e-3)
