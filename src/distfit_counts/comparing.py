"""Columns, families and settings -> comparisons."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np

from distfit_counts.assembly import Fits
from distfit_counts.comparison import Comparison, Ranked, Ranking
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import FamilyError
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.families.nesting import strictly_non_nested
from distfit_counts.families.spec import parse
from distfit_counts.fitting import Progress, fit_families
from distfit_counts.inference.fitted.reached import log_pmf, reached
from distfit_counts.inference.hypotheses.adjusted import benjamini_hochberg
from distfit_counts.inference.hypotheses.bootstrap_lrt import bootstrap_lrt
from distfit_counts.inference.hypotheses.vuong import vuong
from distfit_counts.inference.replicates import watched
from distfit_counts.inference.selection.ceilings import poisson_mixtures, saturated, search
from distfit_counts.inference.selection.component_number import choose, series
from distfit_counts.inference.selection.criteria import aic, akaike_weights, bic
from distfit_counts.inference.selection.ranked import Standing, candidate, ranked
from distfit_counts.inference.verdicts.ranking import ranking_verdicts
from distfit_counts.on_demand import OnDemand
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import Fit, HypothesisTest
from distfit_counts.settings import COMPARED, COMPARED_WITHOUT_ZEROS, OBSERVATIONS_PER_PARAMETER, FitSettings

NAN = float("nan")
# Columns whose best Poisson mixtures are searched together: enough for each thread to have batches of its own.
_AHEAD = 512


def compare_columns(
    columns: Sequence[Column],
    families: Sequence[Family] | None = None,
    settings: FitSettings | None = None,
    lrt: bool = False,
    progress: Progress | None = None,
    sampled: Callable[[int, int], None] | None = None,
) -> Comparisons:
    """Fit every family to every column and rank them. ``families`` None: the default ones that the data can bear.

    ``lrt``: choose the number of components by the bootstrap likelihood ratio too (``settings.replicates``).
    ``sampled`` is told how many of all simulated samples are refitted, of at most how many.
    Raises FamilyError where none of the families can produce a column's counts.
    """
    settings = settings or FitSettings()
    # Groups are made anew whenever they are asked for; what is remembered of a histogram needs the same one again.
    columns = list(columns)
    for column in columns:
        column.require_values()
    asked = [_asked(column, families) for column in columns]
    skipped = [_skipped(column, own, families is None) for column, own in zip(columns, asked, strict=True)]
    fitted = _fit(columns, asked, skipped, settings, progress)
    _join_reduced(columns, fitted, settings)
    found = Comparisons(columns, fitted, asked, skipped, settings, lrt)
    if lrt or settings.simulates:
        with watched(sampled, found.samples):
            for i in range(len(columns)):
                found[i]
    return found


@dataclass(frozen=True)
class Fitted:
    """One family's fits, and which of them is that of which column; ``bic``, ``aic`` and ``icl`` of each fit."""

    n_parameters: int
    fits: Fits
    where: Mapping[int, int]
    bic: Array
    aic: Array
    icl: Array

    def beside(self, other: Fitted) -> Fitted:
        """The same family's fits to these columns and to those of ``other``."""
        where = {**self.where, **{i: place + len(self.fits) for i, place in other.where.items()}}
        criteria = (
            np.concatenate(pair) for pair in ((self.bic, other.bic), (self.aic, other.aic), (self.icl, other.icl))
        )
        return Fitted(self.n_parameters, self.fits.beside(other.fits), where, *criteria)


class Comparisons(OnDemand[Comparison]):
    """The comparisons of many columns, in their order. One is put together when it is asked for: all of those of 20,000
    columns are never needed at once.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        fitted: Mapping[str, Fitted],
        asked: Sequence[Sequence[Family]],
        skipped: Sequence[Mapping[str, str]],
        settings: FitSettings,
        lrt: bool,
    ) -> None:
        # Replicates take longer than all the rest, and are not drawn twice.
        super().__init__(len(columns), lrt or settings.simulates)
        self.columns, self._fitted, self._asked, self._skipped = columns, fitted, asked, skipped
        self._settings, self._lrt = settings, lrt
        self._last, self._searched = -1, 0

    def _made(self, index: int) -> Comparison:
        with one_thread():
            return self._compare(index)

    @property
    def converged(self) -> bool:
        """Whether every fit of every column converged."""
        return all(fitted.fits.converged for fitted in self._fitted.values())

    @property
    def consistent(self) -> bool:
        """Whether every log-likelihood is that of its estimates."""
        return all(fitted.fits.consistent for fitted in self._fitted.values())

    @property
    def samples(self) -> int:
        """How many samples are simulated and refitted at most, for all columns; a test may end the climb of others."""
        fits = sum(len(own.fits) for own in self._fitted.values()) * self._settings.gof_replicates
        if not self._lrt:
            return fits
        here = ([spec for spec, own in self._fitted.items() if i in own.where] for i in range(len(self.columns)))
        tests = sum(len(ks) - 1 for specs in here for ks in _series(tuple(specs)).values())
        return fits + tests * self._settings.replicates

    def judge(self, report: Callable[[int, int], None]) -> None:
        """Compute what tables say of all fits; ``report`` is told how many of how many are done."""
        before, in_all = 0, sum(len(fitted.fits) for fitted in self._fitted.values())

        def told(done: int, _: int) -> None:
            report(before + done, in_all)

        for fitted in self._fitted.values():
            fitted.fits.judge(told)
            before += len(fitted.fits)

    def adjusted(self, index: int, spec: str) -> dict[str, float]:
        """Of a family's tests on one of several columns, the p-values adjusted for the number of columns, by code."""
        place = self._fitted[spec].where[index]
        return {code: float(p[place]) for code, p in self._adjusted.get(spec, {}).items()}

    @cached_property
    def _adjusted(self) -> dict[str, dict[str, Array]]:
        """Benjamini-Hochberg p-values [N] by family and test; nothing where there is only one column."""
        if len(self.columns) < 2:
            return {}
        return {
            spec: {code: benjamini_hochberg(p) for code, p in own.fits.numbers.p_values.items()}
            for spec, own in self._fitted.items()
        }

    def ranking(self, index: int) -> Ranking:
        """The comparison of a column, without making its fits; where replicates are drawn, with them."""
        if self._costly:
            return self[index]
        self._search(index)
        standings = self._standings(index)
        found = tuple(ranked(self._fitted[own.family].fits.numbers, own) for own in standings)
        return Ranking(**self._about(index, found, standings) | {"candidates": found})

    def best(self, index: int) -> Fit:
        """The fit of the family with the lowest BIC on a column; of ties, the one with the fewest parameters."""
        if self._costly:
            return self[index].best
        best = self._standings(index)[0]
        return self._fitted[best.family].fits[best.place]

    def _standings(self, index: int) -> list[Standing]:
        """The families that were fitted to a column, the best first."""
        # In the order asked for, whatever the other columns' families were fitted beside.
        here = {spec: (own, own.where[index]) for spec, own in self._fitted.items() if index in own.where}
        ordered = _ranked(here)
        weights = akaike_weights(np.array([here[spec][0].aic[here[spec][1]] for spec in ordered]))
        counted = {spec for ks in _series(tuple(here)).values() for spec in ks.values()}
        return [
            Standing(spec, here[spec][1], delta, float(weight), _icl(*here[spec]) if spec in counted else NAN)
            for (spec, delta), weight in zip(ordered.items(), weights, strict=True)
        ]

    def _search(self, index: int) -> None:
        """Of columns that are read one after the other, the best Poisson mixtures of many at a time."""
        follows, self._last = index == self._last + 1, index
        if not follows or index == 0:
            self._searched = index + 1
        elif index >= self._searched:
            self._searched = index + _AHEAD
            search([column.histogram for column in self.columns[index : self._searched]], self._settings.threads)

    def _compare(self, index: int) -> Comparison:
        self._search(index)
        standings = self._standings(index)
        fits = [self._fitted[own.family].fits[own.place] for own in standings]
        tests = [_vuong(fits[0], fit) for fit in fits]
        found = tuple(map(candidate, fits, standings, tests))
        return Comparison(**self._about(index, found, standings) | {"candidates": found})

    def _about(self, index: int, candidates: Sequence[Ranked], standings: Sequence[Standing]) -> dict[str, Any]:
        """What is said of a column, by the names of ``Ranking``."""
        column = self.columns[index]
        histogram = column.histogram
        bics, icls = {own.family: own.bic for own in candidates}, {own.family: own.icl for own in candidates}
        places = {own.family: own.place for own in standings}
        test = partial(_lrt, self._fitted, places, self._settings) if self._lrt else None
        asked = tuple(spec for spec in self._fitted if spec in places)
        components = tuple(choose(name, ks, bics, icls, test) for name, ks in _series(asked).items())
        top, ceiling = saturated(histogram), poisson_mixtures(histogram)
        return {
            "source": column.source,
            "column": column.column,
            "group": column.group,
            "histogram": histogram,
            "saturated": top,
            "ceiling": ceiling,
            "components": components,
            "skipped": self._skipped[index],
            "verdicts": ranking_verdicts(
                histogram.n, candidates, components, ceiling, {family.spec for family in self._asked[index]}
            ),
        }


def _asked(column: Column, families: Sequence[Family] | None) -> list[Family]:
    """``families``, or the default ones: without a zero in the column also those that cannot have one."""
    specs = COMPARED + (COMPARED_WITHOUT_ZEROS if not column.histogram.zeros else ())
    return list(dict.fromkeys(families if families is not None else map(parse, specs)))


def _fit(
    columns: Sequence[Column],
    asked: Sequence[Sequence[Family]],
    skipped: Sequence[Mapping[str, str]],
    settings: FitSettings,
    progress: Progress | None,
) -> dict[str, Fitted]:
    """Families that suit the same columns are fitted in one pass, so that what they share is fitted once."""
    suiting: dict[Family, list[int]] = {family: [] for own in asked for family in own}
    for i, own in enumerate(asked):
        for family in own:
            if family.spec not in skipped[i]:
                suiting[family].append(i)
    alike: dict[tuple[int, ...], list[Family]] = {}
    for family, own_columns in suiting.items():
        alike.setdefault(tuple(own_columns), []).append(family)
    found: dict[str, Fitted] = {}
    before, in_all = 0, sum(len(suits) * len(group) for suits, group in alike.items())

    def told(done: float, _: int, name: str) -> None:
        if progress is not None:
            progress(before + done, in_all, name)

    for suits, group in alike.items():
        if suits:
            found |= _fit_alike(columns, suits, group, settings, None if progress is None else told)
            before += len(suits) * len(group)
    return {family.spec: found[family.spec] for family in suiting if family.spec in found}


def _fit_alike(
    columns: Sequence[Column],
    suits: Sequence[int],
    group: Sequence[Family],
    settings: FitSettings,
    progress: Progress | None,
) -> dict[str, Fitted]:
    """All families of ``group`` fitted to the columns ``suits``."""
    chosen = [columns[i] for i in suits]
    n = np.array([column.histogram.n for column in chosen])
    where = {i: place for place, i in enumerate(suits)}
    found = {}
    for family, fits in zip(group, fit_families(chosen, group, settings, progress, race=True), strict=True):
        value, p = fits.log_likelihood, family.n_parameters
        found[family.spec] = Fitted(p, fits, where, bic(value, p, n), aic(value, p), fits.icl)
    return found


def _join_reduced(columns: Sequence[Column], fitted: dict[str, Fitted], settings: FitSettings) -> None:
    """Let the model that the best family of a column is at a boundary compete under its own name and with its own
    number of parameters: a hurdle(nb) without zeros is a zt(nb). It adds to ``fitted`` what was not asked for.
    """
    missing: dict[str, list[int]] = {}
    for i in range(len(columns)):
        here = {spec: (own, own.where[i]) for spec, own in fitted.items() if i in own.where}
        best = next(iter(_ranked(here)))
        own, place = here[best]
        at = own.fits.places[place]
        family = reached(at.solution, at.row)[-1].family.plain()
        if family.spec not in here and family.n_parameters:
            missing.setdefault(family.spec, []).append(i)
    for spec, where in missing.items():
        joined = _fit_alike(columns, where, [parse(spec)], settings, None)[spec]
        fitted[spec] = joined if spec not in fitted else fitted[spec].beside(joined)


def _ranked(here: Mapping[str, tuple[Fitted, int]]) -> dict[str, float]:
    """The families of a column, the best first, each with its difference in BIC; ``here``: where each was fitted."""
    bics = {spec: float(own.bic[place]) for spec, (own, place) in here.items()}
    return _ordered(bics, {spec: own.n_parameters for spec, (own, _) in here.items()})


def _skipped(column: Column, families: Sequence[Family], default: bool) -> dict[str, str]:
    """Why families are not fitted to this column. Raises FamilyError where none of them is."""
    reasons = {family.spec: _unsuitable(family, column.histogram, default) for family in families}
    skipped = {spec: reason for spec, reason in reasons.items() if reason is not None}
    if len(skipped) == len(reasons):
        why = "; ".join(dict.fromkeys(skipped.values()))
        raise FamilyError(f"none of the families can be fitted to {column.label}", f"they {why}")
    return skipped


def _unsuitable(family: Family, histogram: Histogram, default: bool) -> str | None:
    """Why ``family`` is not fitted to this column; None where it is."""
    if histogram.values[0] < family.lowest:
        return f"cannot produce counts below {family.lowest}"
    p, n, distinct = family.n_parameters, histogram.n, histogram.distinct
    # As many distinct values as parameters are enough: which values are missing tells as well (0 and 5 alone: a zip).
    if default and p > 1 and (n < OBSERVATIONS_PER_PARAMETER * p or distinct < p):
        return f"too many parameters for n = {n} with {distinct} distinct value{'s' * (distinct != 1)}"
    return None


@cache
def _series(specs: tuple[str, ...]) -> dict[str, dict[int, str]]:
    return series(specs)


def _icl(fitted: Fitted, place: int) -> float:
    return float(fitted.icl[place])


def _ordered(bics: Mapping[str, float], parameters: Mapping[str, int]) -> dict[str, float]:
    """By BIC, each with its difference from the lowest. Of models with the same BIC (zip and hurdle(poisson)), fewer
    parameters come first, then what was asked for first: an order by the last digits of a BIC is noise.
    """
    asked = list(bics)
    ties: list[list[str]] = []
    for spec in sorted(bics, key=lambda spec: bics[spec]):
        if ties and math.isclose(bics[spec], bics[ties[-1][-1]], rel_tol=1e-12, abs_tol=1e-6):
            ties[-1].append(spec)
        else:
            ties.append([spec])
    return {
        spec: bics[tie[0]] - bics[ties[0][0]] if tie is not ties[0] else 0.0
        for tie in ties
        for spec in sorted(tie, key=lambda spec: (parameters[spec], asked.index(spec)))
    }


def _vuong(best: Fit, other: Fit) -> HypothesisTest | None:
    """The best against another family with which it shares no distribution; for all others the test does not hold."""
    if not strictly_non_nested(parse(best.family), parse(other.family)):
        return None
    counts = best.histogram.values.astype(np.float64)
    first, second = (log_pmf(*fit.model, counts) for fit in (best, other))
    return vuong(first, second, best.histogram.weights, best.n_parameters, other.n_parameters)


def _lrt(
    fitted: Mapping[str, Fitted], places: Mapping[str, int], settings: FitSettings, smaller: str, larger: str
) -> HypothesisTest:
    (small, row), (large, _) = (fitted[spec].fits.judged(places[spec]) for spec in (smaller, larger))
    return bootstrap_lrt(small, large, row, settings)
