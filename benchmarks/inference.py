"""What certainty costs: 999 bootstrap refits and 999 simulated samples against one ten-restart fit; the ceiling."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, Figure, ratio
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.goodness.statistics import goodness
from distfit_counts.inference.intervals.bootstrap import bootstrap
from distfit_counts.inference.poisson_mixtures.npmle import npmle
from distfit_counts.settings import FitSettings

N, REPLICATES = 10_000, 999
MODELS = {"zip": {"pi": 0.5, "rate": 5.0}, "nb": {"mean": 5.0, "size": 1.0}}
REFERENCE = ROOT.parent / "shared" / "reference" / "univariate"


def run() -> Iterator[Figure]:
    for spec, values in MODELS.items():
        counts = parse(spec).sample(values, N, np.random.default_rng(5))
        yield from _replicates(spec, Histogram.of(counts))
    yield from _ceiling()


def _replicates(spec: str, histogram: Histogram) -> Iterator[Figure]:
    family, columns = parse(spec), [Column("simulated", "y", {}, histogram)]
    settings = FitSettings(replicates=REPLICATES, gof_replicates=REPLICATES)
    judgement, row = fit_columns(columns, family, settings).judged(0)

    def fit() -> None:
        fit_columns(columns, family, settings)

    jobs = {
        "bootstrap": lambda: bootstrap(judgement, row, histogram, settings),
        "parametric bootstrap": lambda: bootstrap(
            judgement, row, histogram, FitSettings(replicates=REPLICATES, bootstrap="parametric")
        ),
        "Monte-Carlo goodness of fit": lambda: goodness(judgement, row, histogram, settings),
    }
    for name, job in jobs.items():
        found, theirs, once = ratio(job, fit, pairs=5)
        what = f"{name}, {REPLICATES} replicates of a {spec} of {N:,} counts / one ten-restart fit"
        yield Figure(what, "<= 20", f"{found:.1f}", f"{theirs:.3f} s / {once:.4f} s")


def _ceiling() -> Iterator[Figure]:
    """The slowest of the data sets: the reference collection's where it is there, else the sample data."""
    files = sorted(REFERENCE.glob("*.csv")) or sorted((ROOT / "sample_data").glob("*.csv"))
    slowest, where, worst = 0.0, "", 0.0
    for file in files:
        histogram = _read(file)
        begun = time.perf_counter()
        found = npmle(histogram.values.astype(np.float64), histogram.weights.astype(np.float64))
        took = time.perf_counter() - begun
        worst = max(worst, found.gap)
        if took > slowest:
            slowest, where = took, file.stem
    what = f"best Poisson mixture of all, slowest of {len(files)} data sets"
    yield Figure(what, "< 1 s, gap < 1e-6", f"{slowest:.2f} s, gap {worst:.0e}", where)


def _read(file: Path) -> Histogram:
    from distfit_counts.data.files import read_source

    return read_source(str(file), [], [], None)[0].histogram
