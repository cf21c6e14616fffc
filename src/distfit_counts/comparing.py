"""Columns, families and settings -> comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from distfit_counts.assembly import Fits
from distfit_counts.comparison import Candidate, Comparison, Components
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import FamilyError
from distfit_counts.families.family import Family
from distfit_counts.families.nesting import strictly_non_nested
from distfit_counts.families.spec import parse
from distfit_counts.fitting import Progress, fit_families
from distfit_counts.inference.fitted.reached import log_pmf
from distfit_counts.inference.hypotheses.bootstrap_lrt import bootstrap_lrt
from distfit_counts.inference.hypotheses.vuong import vuong
from distfit_counts.inference.selection.ceilings import poisson_mixtures, saturated
from distfit_counts.inference.selection.component_number import choose, classification, series
from distfit_counts.inference.selection.criteria import akaike_weights
from distfit_counts.inference.verdicts.ranking import ranking_verdicts
from distfit_counts.result import Fit, HypothesisTest
from distfit_counts.settings import COMPARED, OBSERVATIONS_PER_PARAMETER, FitSettings


def compare_columns(
    columns: Sequence[Column],
    families: Sequence[Family] | None = None,
    settings: FitSettings | None = None,
    lrt: bool = False,
    progress: Progress | None = None,
) -> list[Comparison]:
    """Fit every family to every column and rank them. ``families`` None: the default ones that the data can bear.

    ``lrt``: choose the number of components by the bootstrap likelihood ratio too (``settings.replicates``).
    Raises FamilyError where none of the families can produce a column's counts.
    """
    settings = settings or FitSettings()
    for column in columns:
        column.require_values()
    asked = list(families) if families is not None else [parse(spec) for spec in COMPARED]
    fitted = _fit(columns, asked, settings, families is None, progress)
    found = []
    for i, column in enumerate(columns):
        if progress is not None:
            progress(i, len(columns), "ranking", i, len(columns))
        found.append(_compare(column, i, asked, fitted, settings, families is None, lrt))
    return found


# Of each family, the fits and the place of every column among them.
Fitted = Mapping[Family, tuple[Fits, Mapping[int, int]]]


def _fit(
    columns: Sequence[Column],
    families: Sequence[Family],
    settings: FitSettings,
    default: bool,
    progress: Progress | None,
) -> Fitted:
    """Families that suit the same columns are fitted in one pass, so that what they share is fitted once."""
    alike: dict[tuple[int, ...], list[Family]] = {}
    for family in dict.fromkeys(families):
        suits = tuple(i for i, c in enumerate(columns) if _unsuitable(family, c.histogram, default) is None)
        alike.setdefault(suits, []).append(family)
    found: dict[Family, tuple[Fits, Mapping[int, int]]] = {}
    for suits, group in alike.items():
        if not suits:
            continue
        many = fit_families([columns[i] for i in suits], group, settings, progress)
        where = {i: place for place, i in enumerate(suits)}
        found |= {family: (fits, where) for family, fits in zip(group, many, strict=True)}
    return found


def _unsuitable(family: Family, histogram: Histogram, default: bool) -> str | None:
    """Why ``family`` is not fitted to this column; None where it is."""
    if histogram.values[0] < family.lowest:
        return f"cannot produce counts below {family.lowest}"
    p, n, distinct = family.n_parameters, histogram.n, histogram.distinct
    if default and p > 1 and (n < OBSERVATIONS_PER_PARAMETER * p or distinct <= p):
        return f"too many parameters for n = {n} with {distinct} distinct value{'s' * (distinct != 1)}"
    return None


def _compare(
    column: Column, i: int, families: Sequence[Family], fitted: Fitted, settings: FitSettings, default: bool, lrt: bool
) -> Comparison:
    histogram = column.histogram
    reasons = {family.spec: _unsuitable(family, histogram, default) for family in families}
    skipped = {spec: reason for spec, reason in reasons.items() if reason is not None}
    if len(skipped) == len(reasons):
        why = "; ".join(dict.fromkeys(skipped.values()))
        raise FamilyError(f"none of the families can be fitted to {column.label}", f"they {why}")
    # In the order asked for, whatever the other columns' families were fitted beside.
    suiting = [(family.spec, *fitted[family]) for family in dict.fromkeys(families) if family.spec not in skipped]
    here = {spec: (fits, where[i]) for spec, fits, where in suiting}
    fits = {spec: many[place] for spec, (many, place) in here.items()}
    test = partial(_lrt, here, settings) if lrt else None
    components = tuple(choose(name, ks, fits, test) for name, ks in series(list(fits)).items())
    candidates = _candidates(_ranked(list(fits.values())), components)
    ceiling = poisson_mixtures(histogram)
    top = saturated(histogram)
    return Comparison(
        source=column.source,
        column=column.column,
        group=column.group,
        histogram=histogram,
        candidates=candidates,
        saturated=top,
        ceiling=ceiling,
        components=components,
        skipped=skipped,
        verdicts=ranking_verdicts(candidates, components, top, ceiling),
    )


def _ranked(fits: Sequence[Fit]) -> list[tuple[Fit, float]]:
    """By BIC, each with its difference from the lowest. Of models with the same BIC (zip and hurdle(poisson)), fewer
    parameters come first, then what was asked for first: an order by the last digits of a BIC is noise.
    """
    asked = [fit.family for fit in fits]
    ties: list[list[Fit]] = []
    for fit in sorted(fits, key=lambda fit: fit.bic):
        if ties and math.isclose(fit.bic, ties[-1][-1].bic, rel_tol=1e-12, abs_tol=1e-6):
            ties[-1].append(fit)
        else:
            ties.append([fit])
    return [
        (fit, tie[0].bic - ties[0][0].bic if tie is not ties[0] else 0.0)
        for tie in ties
        for fit in sorted(tie, key=lambda fit: (fit.n_parameters, asked.index(fit.family)))
    ]


def _candidates(ranked: Sequence[tuple[Fit, float]], components: Sequence[Components]) -> tuple[Candidate, ...]:
    weights = akaike_weights(np.array([fit.aic for fit, _ in ranked]))
    counted = {spec for group in components for spec in group.candidates.values()}
    best = ranked[0][0]
    return tuple(
        Candidate(
            fit=fit,
            delta=delta,
            weight=float(weight),
            icl=classification(fit) if fit.family in counted else float("nan"),
            vuong=_vuong(best, fit),
        )
        for (fit, delta), weight in zip(ranked, weights, strict=True)
    )


def _vuong(best: Fit, other: Fit) -> HypothesisTest | None:
    """The best against another family with which it shares no distribution; for all others the test does not hold."""
    if not strictly_non_nested(parse(best.family), parse(other.family)):
        return None
    counts = best.histogram.values.astype(np.float64)
    first, second = (log_pmf(*fit.model, counts) for fit in (best, other))
    return vuong(first, second, best.histogram.weights, best.n_parameters, other.n_parameters)


def _lrt(fitted: Mapping[str, tuple[Fits, int]], settings: FitSettings, smaller: str, larger: str) -> HypothesisTest:
    (small, row), (large, _) = (fits.judged(place) for fits, place in (fitted[smaller], fitted[larger]))
    return bootstrap_lrt(small, large, row, settings)
