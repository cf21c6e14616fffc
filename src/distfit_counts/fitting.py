"""Histograms, families and settings -> fits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from distfit_counts.assembly import Fits, Place
from distfit_counts.data.column import Column
from distfit_counts.data.groups import ends_of, histograms_of, widths_of
from distfit_counts.errors import FamilyError
from distfit_counts.families.family import Family
from distfit_counts.optimise.device import chosen
from distfit_counts.optimise.problem import Batch
from distfit_counts.optimise.solve import Share, Solution, solve
from distfit_counts.optimise.threads import side_by_side
from distfit_counts.settings import BYTES_PER_ELEMENT, CHUNK_ELEMENTS, DEVICE_CHUNK_ELEMENTS, WIDEST, FitSettings

# How many fits (a family on a column) are done, parts of them included, of how many; and the family being fitted.
Progress = Callable[[float, int, str], None]


def fit_columns(
    columns: Sequence[Column],
    family: Family,
    settings: FitSettings | None = None,
    progress: Progress | None = None,
) -> Fits:
    """Fit ``family`` to every column, all in batches: columns x restarts are rows of one tensor program.

    Raises DataError for a column without values and FamilyError for counts that the family cannot produce.
    """
    return fit_families(columns, [family], settings, progress)[0]


def fit_families(
    columns: Sequence[Column],
    families: Sequence[Family],
    settings: FitSettings | None = None,
    progress: Progress | None = None,
    race: bool = False,
) -> list[Fits]:
    """Fit each of ``families`` to every column, in one pass: what is inside several of them is fitted once.

    ``race``: of a column's starts follow only those to their end that may be the best. Raises as ``fit_columns``.
    """
    settings = settings or FitSettings()
    settings = replace(settings, device=chosen(settings.device))
    _check(columns, families)
    places: list[dict[int, Place]] = [{} for _ in families]
    for chunk, solutions in _solved(columns, families, settings, progress, race):
        for solution, found in zip(solutions, places, strict=True):
            found |= {i: Place(solution, row) for row, i in enumerate(chunk)}
    return [Fits(columns, [found[i] for i in range(len(columns))], settings) for found in places]


def _solved(
    columns: Sequence[Column], families: Sequence[Family], settings: FitSettings, progress: Progress | None, race: bool
) -> Iterator[tuple[list[int], list[Solution]]]:
    """Every chunk with the solutions of all families; a few chunks side by side, each in one of torch's threads."""
    in_all = len(columns) * len(families)
    shares: dict[int, float] = {}
    lock = threading.Lock()

    def reporter(chunk: list[int]) -> Callable[[Family, int, int], None] | None:
        if progress is None:
            return None
        share = Share(families)

        def report(family: Family, done: int, total: int) -> None:
            # What all threads have done by now, one after the other: else the bar would go back and forth.
            with lock:
                shares[chunk[0]] = share(family, done, total) * len(chunk)
                progress(sum(shares.values()) * len(families), in_all, family.spec)

        return report

    def solve_chunk(chunk: list[int]) -> list[Solution]:
        report = reporter(chunk)
        batch = Batch.of(histograms_of(columns, chunk))
        known: dict[Family, Solution] = {}
        # The small ones first: as a limit of a larger one, a family would be given a single start.
        for family in sorted(families, key=lambda family: family.n_parameters):
            solve(family, batch, settings, known, report, race=race)
        if progress is not None:
            with lock:
                shares[chunk[0]] = len(chunk)
                progress(sum(shares.values()) * len(families), in_all, families[-1].spec)
        return [known[family] for family in families]

    size = CHUNK_ELEMENTS if settings.device == "cpu" else DEVICE_CHUNK_ELEMENTS
    listed = list(chunks(columns, settings.restarts, min(size, settings.memory // BYTES_PER_ELEMENT)))
    yield from zip(listed, side_by_side(solve_chunk, listed, settings.threads), strict=True)


def _check(columns: Sequence[Column], families: Sequence[Family]) -> None:
    for i in np.flatnonzero(np.array(widths_of(columns)) == 0):
        columns[int(i)].require_values()
    smallest, _ = ends_of(columns)
    for family in families:
        refused = np.flatnonzero(smallest < family.lowest)
        if not len(refused):
            continue
        column = columns[int(refused[0])]
        below = int(column.histogram.weights[column.histogram.values < family.lowest].sum())
        raise FamilyError(
            f"{family.spec} has no counts below {family.lowest}, but {column.label} has {below:,} of them",
            "a hurdle(...) has zeros too; or leave those rows out",
        )


def chunks(columns: Sequence[Column], restarts: int, elements: int = CHUNK_ELEMENTS) -> Iterator[list[int]]:
    """Indices of the columns, by number of distinct values, cut where the chunk is full or the padding too wide.

    Within a chunk those that reach alike far are beside each other: what is summed up to the largest count is summed
    for a piece of them at once. ``elements``: rows (columns times restarts) times distinct values of a chunk at most.
    """
    widths = widths_of(columns)
    order = sorted(range(len(columns)), key=widths.__getitem__)
    largest = ends_of(columns)[1]
    chunk: list[int] = []
    for i in order:
        width = widths[i]
        if chunk:
            narrowest = widths[chunk[0]]
            full = (len(chunk) + 1) * width * restarts > elements
            if full or width > WIDEST * narrowest:
                yield sorted(chunk, key=largest.__getitem__)
                chunk = []
        chunk.append(i)
    if chunk:
        yield sorted(chunk, key=largest.__getitem__)
