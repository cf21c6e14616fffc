"""Histograms, a family and settings -> fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import overload

import numpy as np
import torch

from distfit_counts.data.column import Column
from distfit_counts.errors import DataError, FamilyError
from distfit_counts.families.family import Family
from distfit_counts.inference.estimates import Judgement, judge
from distfit_counts.inference.restarts import restarts_of
from distfit_counts.inference.verdicts import verdicts_of
from distfit_counts.optimise.problem import Batch
from distfit_counts.optimise.solve import Solution, solve
from distfit_counts.result import Fit, Reduced
from distfit_counts.settings import CHUNK_ELEMENTS, PADDING, FitSettings

# (rows of the batch converged, rows in all, family being fitted, columns finished, columns in all)
Progress = Callable[[int, int, str, int, int], None]


class Fits(Sequence[Fit]):
    """The fits of many columns, in the order of the columns. A ``Fit`` is put together when it is asked for:
    the numbers of 20,000 columns are a few arrays, their 20,000 objects are not needed at once.
    """

    def __init__(self, columns: Sequence[Column], places: list[_Place], settings: FitSettings) -> None:
        self._columns, self._places, self._settings = columns, places, settings
        self._judgements: dict[int, Judgement] = {}

    def __len__(self) -> int:
        return len(self._columns)

    @overload
    def __getitem__(self, index: int) -> Fit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fit]: ...
    def __getitem__(self, index: int | slice) -> Fit | list[Fit]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = self._places[index]
        return _assemble(self._columns[index], self._judged(place.solution), place.row, self._settings)

    def _judged(self, solution: Solution) -> Judgement:
        # Standard errors of a whole chunk are computed when the first of its fits is asked for.
        if id(solution) not in self._judgements:
            self._judgements[id(solution)] = judge(solution, self._settings.level)
        return self._judgements[id(solution)]

    def __iter__(self) -> Iterator[Fit]:
        return (self[i] for i in range(len(self)))

    @property
    def log_likelihood(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The log-likelihood of every column, without building its ``Fit``."""
        listed = [-p.solution.supremum[p.row] * p.solution.batch.n[p.row] for p in self._places]
        return np.array(listed, dtype=np.float64)

    @property
    def converged(self) -> bool:
        """Whether every column's fit converged."""
        return all(place.solution.converged(place.row) for place in self._places)


@dataclass(frozen=True)
class _Place:
    """Where a column's numbers are: its row of a chunk's solution."""

    solution: Solution
    row: int


def fit_columns(
    columns: Sequence[Column],
    family: Family,
    settings: FitSettings | None = None,
    progress: Progress | None = None,
) -> Fits:
    """Fit ``family`` to every column, all in batches: columns x restarts are rows of one tensor program.

    Raises DataError for a column without values and FamilyError for counts that the family cannot produce.
    """
    settings = settings or FitSettings()
    for column in columns:
        _check(column, family)
    places: list[_Place | None] = [None] * len(columns)
    finished = 0
    for chunk in chunks(columns, settings.restarts):
        batch = Batch.of([columns[i].histogram for i in chunk])
        report = _reporter(progress, finished, len(columns))
        with _one_thread():
            solution = solve(family, batch, settings, {}, report)
        for row, i in enumerate(chunk):
            places[i] = _Place(solution, row)
        finished += len(chunk)
    return Fits(columns, [place for place in places if place is not None], settings)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors of PIECE_ELEMENTS gain nothing from torch's threads, whose waiting costs up to fifty times the work
    when another program uses the processors.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check(column: Column, family: Family) -> None:
    histogram = column.histogram
    if histogram.distinct == 0:
        raise DataError(f"{column.label} has no values", "every entry is missing; choose another column or group")
    if histogram.values[0] < family.lowest:
        below = int(histogram.weights[histogram.values < family.lowest].sum())
        raise FamilyError(
            f"{family.spec} has no counts below {family.lowest}, but {column.label} has {below:,} of them",
            "a hurdle(...) has zeros too; or leave those rows out",
        )


def chunks(columns: Sequence[Column], restarts: int) -> Iterator[list[int]]:
    """Indices of the columns, by number of distinct values, cut where the chunk is full or the padding too wide."""
    order = sorted(range(len(columns)), key=lambda i: columns[i].histogram.distinct)
    chunk: list[int] = []
    for i in order:
        width = columns[i].histogram.distinct
        if chunk:
            narrowest = columns[chunk[0]].histogram.distinct
            full = (len(chunk) + 1) * width * restarts > CHUNK_ELEMENTS
            if full or width > PADDING * narrowest + 4:
                yield chunk
                chunk = []
        chunk.append(i)
    if chunk:
        yield chunk


def _reporter(progress: Progress | None, finished: int, columns: int) -> Callable[[Family, int, int], None] | None:
    if progress is None:
        return None
    return lambda family, done, total: progress(done, total, family.spec, finished, columns)


def _assemble(column: Column, judgement: Judgement, row: int, settings: FitSettings) -> Fit:
    solution = judgement.solution
    family = solution.family
    found = judgement.estimates(row)
    reduced = judgement.reduced(row)
    restarts = restarts_of(solution, row)
    derived = judgement.derived(row)
    best = judgement.resolved(row)
    return Fit(
        source=column.source,
        column=column.column,
        group=column.group,
        family=family.spec,
        histogram=column.histogram,
        parameters=found,
        derived=derived,
        log_likelihood=-float(solution.supremum[row] * solution.batch.n[row]) + 0.0,  # + 0.0: never -0.0
        n_parameters=family.n_parameters,
        converged=solution.converged(row),
        status=solution.status_text(row),
        gradient_norm=float(best.gradient_norm[row, best.best[row]]),
        restarts=restarts,
        verdicts=verdicts_of(judgement, row, restarts, column.histogram, settings.restarts, derived["variance"]),
        reduced=Reduced(reduced[0].spec, reduced[1]),
        level=settings.level,
        optimizer=settings.optimizer,
        seed=settings.seed,
    )
