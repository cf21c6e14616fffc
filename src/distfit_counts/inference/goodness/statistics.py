"""Goodness of fit of many columns: which statistics, and where each p-value comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.estimates import Group, Judgement
from distfit_counts.inference.goodness.bins import Bins
from distfit_counts.inference.goodness.compared import Piece, compared, of_bins, of_cells
from distfit_counts.inference.goodness.edf import monte_carlo_p
from distfit_counts.inference.goodness.simulated import simulated_statistics
from distfit_counts.inference.hypotheses.tails import chi_square_tail
from distfit_counts.inference.hypotheses.tested import Tested
from distfit_counts.inference.observed import Observed
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import Goodness
from distfit_counts.settings import FitSettings

# Code and title of the five statistics; the first two have a chi-square null distribution.
_TESTS = (
    ("chi_square", "Pearson X²"),
    ("g_squared", "likelihood ratio G²"),
    ("kolmogorov_smirnov", "Kolmogorov–Smirnov"),
    ("cramer_von_mises", "Cramér–von Mises W²"),
    ("anderson_darling", "Anderson–Darling A²"),
)
_CHI_SQUARE = 2


@dataclass(frozen=True, eq=False)
class Goodnesses:
    """Of C columns: ``bins`` and ``expected_largest`` [C] as in ``Goodness``; ``pooled``, the tests that have a
    chi-square null distribution, and ``cumulative``, the others.
    """

    bins: Bins
    expected_largest: Array
    pooled: list[Tested]
    _cumulative: Callable[[], list[Tested]]

    @cached_property
    def cumulative(self) -> list[Tested]:
        """Without replicates they have no p-value, and no table of many columns shows them."""
        return self._cumulative()

    def at(self, i: int) -> Goodness:
        """Those of column ``i``."""
        tests = tuple(test.at(i) for test in (*self.pooled, *self.cumulative))
        return Goodness(self.bins.at(i), tests, float(self.expected_largest[i]))


def goodness(judgement: Judgement, row: int, histogram: Histogram, settings: FitSettings) -> Goodness:
    """The goodness of fit of the column in ``row``, whose counts are ``histogram``."""
    rows = np.array([row])
    return goodnesses(judgement, judgement.groups(rows), Observed.of([histogram]), [histogram], settings).at(0)


@one_thread()
def goodnesses(
    judgement: Judgement,
    groups: Sequence[Group],
    counts: Observed,
    histograms: Sequence[Histogram],
    settings: FitSettings,
) -> Goodnesses:
    """Pearson X2 and G2 on pooled bins, and discrete KS, Cramer-von Mises and Anderson-Darling on all counts.

    With ``gof_replicates``, every p-value is the share of samples simulated from the fit, and refitted, that fit worse
    (parametric bootstrap: Stute, Gonzalez Manteiga and Presedo Quindimil 1993). Without, X2 and G2 have their
    chi-square p-value, if there are degrees of freedom, and the others none: their null distribution depends on the
    family and on its parameters. Of a single bin X2 and G2 do not exist.
    """
    order, parts, found, largest = [], [], [], []
    for piece in _pieces(groups, counts, histograms):
        order.append(piece.at)
        parts.append(piece.bins)
        found.append(of_bins(*piece.bins.padded))
        largest.append(piece.beyond)
    place = np.argsort(np.concatenate(order))
    bins, pooled = Bins.join(parts, order), np.concatenate(found, axis=1)[:, place]
    # Of a single bin, 0 against 0, up to rounding.
    pooled[:, bins.size < 2] = np.nan
    estimated = np.zeros(len(place), dtype=np.int64)
    for group in groups:
        estimated[group.at] = group.family.n_parameters
    df = bins.size - 1 - estimated
    worse = simulated_statistics(judgement, groups, histograms, bins, settings)

    def cumulative() -> list[Tested]:
        # The cells are made again: kept, those of 20,000 columns would take fifty megabytes.
        cells = _pieces(groups, counts, histograms)
        values = np.concatenate([of_cells(piece.observed, piece.probability) for piece in cells], axis=1)[:, place]
        return [_tested(_CHI_SQUARE + i, own, df, worse, bins.size) for i, own in enumerate(values)]

    tests = [_tested(i, own, df, worse, bins.size) for i, own in enumerate(pooled)]
    return Goodnesses(bins, np.concatenate(largest)[place], tests, cumulative)


def _pieces(groups: Sequence[Group], counts: Observed, histograms: Sequence[Histogram]) -> Iterator[Piece]:
    return (piece for group in groups for piece in compared(group, counts, histograms))


def _tested(
    which: int, values: Array, df: npt.NDArray[np.int64], worse: Array | None, bins: npt.NDArray[np.int64]
) -> Tested:
    asymptotic = which < _CHI_SQUARE
    free = (df >= 1) & asymptotic
    freedom = np.where(free, df, np.nan)
    if worse is not None:
        p = np.array([monte_carlo_p(float(value), drawn) for value, drawn in zip(values, worse[which], strict=True)])
    else:
        p = np.where(free, chi_square_tail(values, np.where(free, df, 1)), np.nan)
    null = partial(_null, asymptotic, df, bins, None if worse is None else worse.shape[-1])
    return Tested(*_TESTS[which], values, freedom, p, null, np.ones(len(values), dtype=bool))


def _null(
    asymptotic: bool, df: npt.NDArray[np.int64], bins: npt.NDArray[np.int64], replicates: int | None, i: int
) -> str:
    if replicates is not None and not (asymptotic and bins[i] < 2):
        return f"{replicates} samples of the fit, refitted"
    if not asymptotic:
        return "only by simulation: --gof-replicates 999"
    return "too few bins for so many parameters" if df[i] < 1 else "chi-square; every bin expects 5 or more"
