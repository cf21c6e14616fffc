"""Solutions of whole batches into the fits of single columns, and into the numbers of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distfit_counts.data.column import Column
from distfit_counts.data.groups import histograms_of
from distfit_counts.families.constraint import Array
from distfit_counts.inference.chunk import Chunk
from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.inference.fitted.numbers import BOUNDARY, Numbered, Numbers
from distfit_counts.inference.likelihood.profile import Profile, profile
from distfit_counts.inference.selection.component_number import classification
from distfit_counts.inference.verdicts.drawn import Verdicts
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.on_demand import OnDemand
from distfit_counts.optimise.solve import Solution
from distfit_counts.optimise.threads import one_thread, side_by_side
from distfit_counts.result import Fit
from distfit_counts.settings import FitSettings

# Columns whose judgements are kept, for the fits that may be asked for one by one.
_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column's numbers are: its row of a chunk's solution."""

    solution: Solution
    row: int


class Fits(OnDemand[Fit], Numbered):
    """The fits of many columns, in the order of the columns. A ``Fit`` is put together when it is asked for:
    the numbers of 20,000 columns are a few arrays, their 20,000 objects are not needed at once.
    """

    def __init__(self, columns: Sequence[Column], places: list[Place], settings: FitSettings) -> None:
        # Replicates take longer than the fit: they are of the column asked for only, and not drawn twice.
        super().__init__(len(columns), settings.simulates)
        self._columns, self.places, self._settings = columns, places, settings
        self._judged: dict[int, tuple[Judgement, Profile | None]] = {}
        self._drawn: dict[int, Verdicts] = {}
        self._numbers: Numbers | None = None

    def beside(self, other: Fits) -> Fits:
        """These fits, then those of ``other``."""
        return Fits([*self._columns, *other._columns], [*self.places, *other.places], self._settings)

    def _made(self, index: int) -> Fit:
        with one_thread():
            if self._settings.simulates:
                return _assemble(self._columns[index], self._verdicts_of([index]), 0)
            chunk, at = self._chunk_of[index]
            return _assemble(self._columns[index], self._verdicts(chunk), at)

    @cached_property
    def _chunks(self) -> list[list[int]]:
        """The columns of each solution."""
        found: dict[int, list[int]] = {}
        for i, place in enumerate(self.places):
            found.setdefault(id(place.solution), []).append(i)
        return list(found.values())

    @cached_property
    def _chunk_of(self) -> dict[int, tuple[int, int]]:
        """Of every column its chunk, and its place there."""
        return {i: (number, at) for number, chunk in enumerate(self._chunks) for at, i in enumerate(chunk)}

    def _verdicts(self, number: int) -> Verdicts:
        if number not in self._drawn:
            self._drawn[number] = self._verdicts_of(self._chunks[number])
        return self._drawn[number]

    def _verdicts_of(self, columns: Sequence[int]) -> Verdicts:
        """Of ``columns``, all of one solution."""
        judgement, ends = self._judge(self.places[columns[0]].solution)
        return self._drawn_from(columns, judgement, ends)

    def _drawn_from(self, columns: Sequence[int], judgement: Judgement, ends: Profile | None) -> Verdicts:
        rows = np.array([self.places[i].row for i in columns])
        histograms = histograms_of(self._columns, columns)
        return Verdicts(Chunk(judgement, rows, histograms, self._settings, ends))

    def _judge(self, solution: Solution) -> tuple[Judgement, Profile | None]:
        # Intervals of a whole chunk are computed when the first of its fits is asked for.
        if id(solution) not in self._judged:
            self._judged[id(solution)] = self._newly_judged(solution)
        return self._judged[id(solution)]

    def _newly_judged(self, solution: Solution) -> tuple[Judgement, Profile | None]:
        level = self._settings.level
        return Judgement(solution, level), profile(solution, level) if self._settings.ci == "profile" else None

    def judged(self, index: int) -> tuple[Judgement, int]:
        """The judgement that holds the numbers of a column, and the column's row of it."""
        place = self.places[index]
        return self._judge(place.solution)[0], place.row

    @property
    def numbers(self) -> Numbers:
        """The numbers of all columns, without building a ``Fit`` unless its replicates are drawn."""
        return self.judge()

    def judge(self, report: Callable[[int, int], None] | None = None) -> Numbers:
        """The same; ``report`` is told how many columns of how many are done."""
        if self._numbers is None:
            self._numbers = Numbers.of(self) if self._settings.simulates else self._judged_in_chunks(report)
        return self._numbers

    def _judged_in_chunks(self, report: Callable[[int, int], None] | None) -> Numbers:
        chunks = self._chunks

        def judge(number: int) -> Numbers:
            columns = chunks[number]
            if self._keeps or number in self._drawn:
                return _numbers(self._verdicts(number))
            # Of a million columns, what they are judged by takes as much memory as their fits: it is not kept.
            solution = self.places[columns[0]].solution
            return _numbers(self._drawn_from(columns, *self._newly_judged(solution)))

        parts: list[Numbers] = []
        for part in side_by_side(judge, range(len(chunks)), self._settings.threads):
            parts.append(part)
            if report is not None:
                report(sum(len(chunk) for chunk in chunks[: len(parts)]), len(self))
        return Numbers.join(parts, [np.array(chunk) for chunk in chunks], self._columns)

    @property
    def _keeps(self) -> bool:
        """Whether judging twice, for the table and for single fits, would cost more than it is worth."""
        return len(self) <= _KEPT or self._settings.ci == "profile"

    @cached_property
    def icl(self) -> Array:
        """BIC plus twice the entropy of the memberships of a mixture's components [N]."""
        found = np.empty(len(self))
        numbers = range(len(self._chunks))
        criteria = side_by_side(lambda i: classification(self._verdicts(i).chunk), numbers, self._settings.threads)
        for columns, criterion in zip(self._chunks, criteria, strict=True):
            found[columns] = criterion
        return found

    @property
    def log_likelihood(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The log-likelihood of every column, without building its ``Fit``."""
        listed = [-p.solution.supremum[p.row] * p.solution.batch.n[p.row] for p in self.places]
        return np.array(listed, dtype=np.float64)

    @property
    def converged(self) -> bool:
        """Whether every column's fit converged."""
        return all(place.solution.converged(place.row) for place in self.places)

    @property
    def consistent(self) -> bool:
        """Whether every log-likelihood is that of its estimates."""
        return all(place.solution.consistent(place.row) for place in self.places)


def _assemble(column: Column, verdicts: Verdicts, at: int) -> Fit:
    chunk = verdicts.chunk
    facts, settings = Facts(chunk, at), chunk.settings
    group, place = facts.group
    best = group.judgement.solution
    return Fit(
        source=column.source,
        column=column.column,
        group=column.group,
        family=chunk.family.spec,
        histogram=column.histogram,
        parameters=facts.estimates,
        derived=facts.derived,
        log_likelihood=float(chunk.log_likelihood[at]),
        n_parameters=chunk.family.n_parameters,
        converged=bool(chunk.converged[at]),
        status=chunk.status[at],
        gradient_norm=float(best.gradient_norm[facts.row, best.best[facts.row]]),
        restarts=facts.restarts,
        verdicts=verdicts.of(facts),
        reduced=facts.reduced,
        correlation=group.correlation(place),
        goodness=facts.goodness,
        tests=facts.tests,
        level=settings.level,
        ci=settings.ci,
        optimizer=settings.optimizer,
        seed=settings.seed,
        device=settings.device,
        rows=column.rows,
    )


def _numbers(verdicts: Verdicts) -> Numbers:
    """The numbers of a chunk; their places come when all chunks are joined."""
    chunk = verdicts.chunk
    found = chunk.estimates
    numbers, boundary, pearson = found.numbers, found.boundary, chunk.goodness.pooled[0]
    if chunk.profile is not None:
        own = [Facts(chunk, at).estimates.values() for at in range(len(chunk.rows))]
        numbers = np.array([[(e.estimate, e.std_error, e.lower, e.upper) for e in each] for each in own])
        boundary = np.array([[BOUNDARY[e.boundary] for e in each] for each in own])
    return Numbers(
        family=chunk.family.spec,
        names=chunk.family.names,
        n_parameters=chunk.family.n_parameters,
        places=(),
        estimates=numbers,
        boundary=boundary,
        n=chunk.counts.n.astype(np.int64),
        n_missing=np.array([histogram.n_missing for histogram in chunk.histograms]),
        log_likelihood=chunk.log_likelihood,
        prob_zero=chunk.derived["prob_zero"],
        converged=chunk.converged,
        status=chunk.status,
        equivalent=chunk.equivalent,
        codes=verdicts.codes(),
        p_values={test.code: test.p_value for test in (*chunk.goodness.pooled, *chunk.tests)},
        chi_square=np.stack([pearson.statistic, pearson.df], axis=1),
    )
