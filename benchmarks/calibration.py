"""How often intervals cover and tests reject when the model is true: the table of docs/calibration.md.

``python -m benchmarks.calibration`` prints it; simulated p-values take most of its time. tests/test_calibration.py
checks the same numbers, without those.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from distfit_counts.assembly import Fits
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.family import Family
from distfit_counts.families.nesting import contained
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns, fit_families
from distfit_counts.inference.goodness.statistics import goodness
from distfit_counts.inference.hypotheses.bootstrap_lrt import bootstrap_lrt
from distfit_counts.inference.hypotheses.simpler import tests_of
from distfit_counts.inference.hypotheses.tails import normal_tail
from distfit_counts.inference.intervals.chosen import with_profile
from distfit_counts.inference.likelihood.profile import profile
from distfit_counts.inference.new_data.check import check
from distfit_counts.inference.observed import Observed
from distfit_counts.settings import COMPARED, FitSettings

SAMPLES = 2_000
SIZES = (50, 200, 1000)
LEVELS = (0.01, 0.05, 0.10)
MODELS: dict[str, dict[str, float]] = {
    "poisson": {"rate": 2.0},
    "nb": {"mean": 3.0, "size": 1.5},
    "zip": {"pi": 0.3, "rate": 3.0},
    "zinb": {"pi": 0.3, "mean": 4.0, "size": 2.0},
    "2*poisson": {"weight[1]": 0.4, "weight[2]": 0.6, "rate[1]": 1.0, "rate[2]": 6.0},
}
# Families whose likelihood ratio against the true one is a test of it.
MORE_COMPONENTS = {"poisson": "2*poisson"}
LARGER = {"poisson": ("nb", "zip"), "nb": ("zinb",), "zip": ("zinb", "2*poisson")}
# Models that are simpler than both families of some tests that ``compare`` makes.
SIMPLER: list[tuple[str, dict[str, float]]] = [("poisson", {"rate": 20.0}), *MODELS.items()]


@dataclass(frozen=True)
class Calibration:
    """Of ``samples`` samples: ``coverage`` {interval: {parameter: share}}, ``without`` {parameter: share of samples
    whose estimate lies at a boundary, where Wald has no interval}, ``p_values`` {test: [S], NaN where undefined}.
    """

    samples: int
    coverage: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    without: Mapping[str, float] = field(default_factory=dict)
    p_values: Mapping[str, np.ndarray] = field(default_factory=dict)

    def size(self, test: str, level: float) -> float:
        """Share of the samples in which ``test`` rejects at ``level``; an undefined p-value does not."""
        return float((np.nan_to_num(self.p_values[test], nan=1.0) <= level).mean())


def calibrate(spec: str, n: int, samples: int = SAMPLES, replicates: int = 0, seed: int = 1) -> Calibration:
    """Fit ``samples`` samples of size ``n`` from MODELS[spec]; ``replicates``: simulated p-values too."""
    family, truth = parse(spec), MODELS[spec]
    rng = np.random.default_rng([seed, n])
    histograms = [Histogram.of(family.sample(truth, n, rng)) for _ in range(samples)]
    columns = [Column("simulated", str(i), {}, histogram) for i, histogram in enumerate(histograms)]
    larger = [parse(name) for name in LARGER.get(spec, ())]
    fits, *others = fit_families(columns, [family, *larger], FitSettings(restarts=3))
    coverage, without = _coverage(fits, truth)
    p_values = _p_values(fits, others) | _checked(spec, columns, rng)
    if replicates:
        p_values |= _simulated(fits, histograms, replicates)
    if replicates and spec in MORE_COMPONENTS:
        p_values |= _components(columns, family, parse(MORE_COMPONENTS[spec]), replicates)
    return Calibration(samples, coverage, without, p_values)


def _coverage(fits: Fits, truth: Mapping[str, float]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """By Wald over the samples that have an interval, by profile over all."""
    wald: dict[str, list[bool]] = {name: [] for name in truth}
    likelihood: dict[str, list[bool]] = {name: [] for name in truth}
    missing = dict.fromkeys(truth, 0)
    ends = {}
    for i in range(len(fits)):
        judgement, row = fits.judged(i)
        if id(judgement) not in ends:
            ends[id(judgement)] = profile(judgement.solution, 0.95)
        intervals = with_profile(judgement, ends[id(judgement)], row)
        for name, e in judgement.estimates(row).items():
            likelihood[name].append(intervals[name].lower <= truth[name] <= intervals[name].upper)
            if np.isnan(e.lower):
                missing[name] += 1
            else:
                wald[name].append(e.lower <= truth[name] <= e.upper)
    coverage = {
        "wald": {name: float(np.mean(inside)) for name, inside in wald.items()},
        "profile": {name: float(np.mean(inside)) for name, inside in likelihood.items()},
    }
    return coverage, {name: count / len(fits) for name, count in missing.items()}


def _p_values(fits: Fits, others: list[Fits]) -> dict[str, np.ndarray]:
    found: dict[str, list[float]] = {}
    for i, fit in enumerate(fits):
        for test in fit.goodness.tests[:2]:
            found.setdefault(test.code, []).append(test.p_value)
        for test in fit.tests:
            if not test.code.startswith("lr."):
                found.setdefault(test.code, []).append(test.p_value)
        for larger in others:
            p = [test.p_value for test in larger[i].tests if test.code == f"lr.{fit.family}"]
            found.setdefault(f"{larger[i].family} against {fit.family}", []).extend(p or [np.nan])
    return {code: np.array(values) for code, values in found.items()}


def _checked(spec: str, columns: list[Column], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """``distfit check`` of the true model, which is as good as known from four million counts."""
    family = parse(spec)
    known = Histogram.of(family.sample(MODELS[spec], 4_000_000, rng))
    fit = fit_columns([Column("known", "y", {}, known)], family)[0]
    checks = [check(fit, column) for column in columns]
    z = np.array([found.log_score_z for found in checks])
    return {
        "check: chi_square": np.array([found.chi_square.p_value for found in checks]),
        "check: log score": 2.0 * normal_tail(np.abs(z)),
    }


def _simulated(fits: Fits, histograms: list[Histogram], replicates: int) -> dict[str, np.ndarray]:
    found: dict[str, list[float]] = {}
    for i, histogram in enumerate(histograms):
        judgement, row = fits.judged(i)
        settings = FitSettings(gof_replicates=replicates, seed=i)
        for test in goodness(judgement, row, histogram, settings).tests:
            found.setdefault(f"{test.code}, simulated", []).append(test.p_value)
    return {code: np.array(values) for code, values in found.items()}


def _components(columns: list[Column], smaller: Family, larger: Family, replicates: int) -> dict[str, np.ndarray]:
    few, more = fit_families(columns, [smaller, larger], FitSettings(restarts=3))
    found = []
    for i in range(len(columns)):
        (small, row), (large, _) = few.judged(i), more.judged(i)
        found.append(bootstrap_lrt(small, large, row, FitSettings(replicates=replicates, seed=i)).p_value)
    return {f"{larger.spec} against {smaller.spec}, simulated": np.array(found)}


def too_simple(spec: str, values: Mapping[str, float], n: int, samples: int = SAMPLES) -> dict[str, np.ndarray]:
    """p-values [S] of the likelihood ratios of ``compare`` between families that both contain the true model ``spec``
    in a simpler one; NaN where the test is not made.
    """
    family, rng = parse(spec), np.random.default_rng([2, n])
    histograms = [Histogram.of(family.sample(values, n, rng)) for _ in range(samples)]
    columns = [Column("simulated", str(i), {}, histogram) for i, histogram in enumerate(histograms)]
    larger = [parse(name) for name in COMPARED if parse(name).n_parameters > 1]
    found: dict[str, np.ndarray] = {}
    for fits in fit_families(columns, larger, FitSettings(restarts=3)):
        for solution in {id(place.solution): place.solution for place in fits.places}.values():
            here = np.array([i for i, place in enumerate(fits.places) if place.solution is solution])
            rows = np.array([fits.places[i].row for i in here])
            for test in tests_of(solution, rows, Observed.rows(solution.batch, rows)):
                smaller = parse(test.code.removeprefix("lr."))
                if smaller != family and family in contained(smaller):
                    found.setdefault(test.title, np.full(samples, np.nan))[here] = test.p_value
    return found


def tables(replicates: int, sizes: tuple[int, ...] = SIZES) -> Iterator[str]:
    """The lines of the two tables."""
    found = {}
    for spec in MODELS:
        for n in sizes:
            found[spec, n] = calibrate(spec, n, replicates=replicates)
            print(spec, n, file=sys.stderr, flush=True)
    yield "| model | n | parameter | Wald | no Wald interval | profile |"
    yield "| --- | ---: | --- | ---: | ---: | ---: |"
    for (spec, n), c in found.items():
        for name in MODELS[spec]:
            wald, likelihood = c.coverage["wald"][name], c.coverage["profile"][name]
            without = f"{100 * c.without[name]:.1f} %" if c.without[name] else ""
            yield f"| {spec} | {n} | {name} | {100 * wald:.1f} % | {without} | {100 * likelihood:.1f} % |"
    yield ""
    yield "| model | n | test | 1 % | 5 % | 10 % | undefined |"
    yield "| --- | ---: | --- | ---: | ---: | ---: | ---: |"
    for (spec, n), c in found.items():
        for test, p in c.p_values.items():
            sizes_ = " | ".join(f"{100 * c.size(test, level):.1f} %" for level in LEVELS)
            undefined = f"{100 * np.isnan(p).mean():.1f} %" if np.isnan(p).any() else ""
            yield f"| {spec} | {n} | {test} | {sizes_} | {undefined} |"
    yield ""
    yield "| model | n | test | made | 1 % | 5 % | 10 % |"
    yield "| --- | ---: | --- | ---: | ---: | ---: | ---: |"
    for spec, values in SIMPLER:
        for test, p in too_simple(spec, values, 200).items():
            sizes_ = " | ".join(f"{100 * (p <= level).mean():.1f} %" for level in LEVELS)
            yield f"| {spec} {values} | 200 | {test} | {100 * np.isfinite(p).mean():.1f} % | {sizes_} |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in tables(replicates=int(sys.argv[1]) if len(sys.argv) > 1 else 99):
        print(line, flush=True)
