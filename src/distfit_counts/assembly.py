"""Solutions of whole batches into the fits of single columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.fitted.estimates import Judgement, judge
from distfit_counts.inference.fitted.restarts import restarts_of
from distfit_counts.inference.goodness.statistics import goodness
from distfit_counts.inference.hypotheses.simpler import tests_of
from distfit_counts.inference.intervals.bootstrap import bootstrap
from distfit_counts.inference.intervals.chosen import with_bootstrap, with_profile
from distfit_counts.inference.likelihood.profile import Profile, profile
from distfit_counts.inference.verdicts.drawn import verdicts_of
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.optimise.solve import Solution
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import Estimate, Fit, Reduced
from distfit_counts.settings import FitSettings


@dataclass(frozen=True)
class Place:
    """Where a column's numbers are: its row of a chunk's solution."""

    solution: Solution
    row: int


class Fits(Sequence[Fit]):
    """The fits of many columns, in the order of the columns. A ``Fit`` is put together when it is asked for:
    the numbers of 20,000 columns are a few arrays, their 20,000 objects are not needed at once.
    """

    def __init__(self, columns: Sequence[Column], places: list[Place], settings: FitSettings) -> None:
        self._columns, self.places, self._settings = columns, places, settings
        self._judged: dict[int, _Judged] = {}
        self._costly: dict[int, Fit] = {}

    def __len__(self) -> int:
        return len(self._columns)

    @overload
    def __getitem__(self, index: int) -> Fit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fit]: ...
    def __getitem__(self, index: int | slice) -> Fit | list[Fit]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index in self._costly:
            return self._costly[index]
        place = self.places[index]
        with one_thread():
            fit = _assemble(self._columns[index], self._judge(place.solution), place.row, self._settings)
        # Putting a fit together takes a millisecond; replicates are not drawn twice.
        if self._settings.simulates:
            self._costly[index] = fit
        return fit

    def _judge(self, solution: Solution) -> _Judged:
        # Intervals of a whole chunk are computed when the first of its fits is asked for.
        if id(solution) not in self._judged:
            level = self._settings.level
            ends = profile(solution, level) if self._settings.ci == "profile" else None
            self._judged[id(solution)] = _Judged(judge(solution, level), ends)
        return self._judged[id(solution)]

    def judged(self, index: int) -> tuple[Judgement, int]:
        """The judgement that holds the numbers of a column, and the column's row of it."""
        place = self.places[index]
        return self._judge(place.solution).judgement, place.row

    def __iter__(self) -> Iterator[Fit]:
        return (self[i] for i in range(len(self)))

    @property
    def log_likelihood(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The log-likelihood of every column, without building its ``Fit``."""
        listed = [-p.solution.supremum[p.row] * p.solution.batch.n[p.row] for p in self.places]
        return np.array(listed, dtype=np.float64)

    @property
    def converged(self) -> bool:
        """Whether every column's fit converged."""
        return all(place.solution.converged(place.row) for place in self.places)


@dataclass(frozen=True)
class _Judged:
    """A chunk's standard errors, and its profile intervals where they were asked for."""

    judgement: Judgement
    profile: Profile | None


def _assemble(column: Column, judged: _Judged, row: int, settings: FitSettings) -> Fit:
    judgement = judged.judgement
    solution = judgement.solution
    family, histogram = solution.family, column.histogram
    reduced = judgement.reduced(row)
    restarts = restarts_of(solution, row)
    derived = judgement.derived(row)
    estimates = _intervals(judged, row, histogram, settings)
    quality = goodness(judgement, row, histogram, settings)
    tests = tests_of(solution, row, histogram)
    facts = Facts(judgement, row, histogram, restarts, settings.restarts, estimates, derived, quality, tests, settings)
    best = judgement.resolved(row)
    return Fit(
        source=column.source,
        column=column.column,
        group=column.group,
        family=family.spec,
        histogram=histogram,
        parameters=estimates,
        derived=derived,
        log_likelihood=-float(solution.supremum[row] * solution.batch.n[row]) + 0.0,  # + 0.0: never -0.0
        n_parameters=family.n_parameters,
        converged=solution.converged(row),
        status=solution.status_text(row),
        gradient_norm=float(best.gradient_norm[row, best.best[row]]),
        restarts=restarts,
        verdicts=verdicts_of(facts),
        reduced=Reduced(reduced[0].spec, reduced[1]),
        correlation=judgement.correlation(row),
        goodness=quality,
        tests=tests,
        level=settings.level,
        ci=settings.ci,
        optimizer=settings.optimizer,
        seed=settings.seed,
    )


def _intervals(judged: _Judged, row: int, histogram: Histogram, settings: FitSettings) -> dict[str, Estimate]:
    if judged.profile is not None:
        return with_profile(judged.judgement, judged.profile, row)
    if settings.ci == "bootstrap":
        replicates = bootstrap(judged.judgement, row, histogram, settings)
        return with_bootstrap(judged.judgement, replicates, row, settings.level)
    return judged.judgement.estimates(row)
