"""The record of a regression -> the regression, without its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from distfit_counts.families.spec import parse
from distfit_counts.records import Damaged, Natural, NotNegative, OneOf, decoded, decoded_at, some_fields, within
from distfit_counts.regression.agreement import Agreement, Moments
from distfit_counts.regression.model import Model
from distfit_counts.regression.result import Coefficient, FittedPredictor, Regression, TermTests
from distfit_counts.settings import NATURAL

# What is written in another way than as the field that it is.
_APART: tuple[str, ...] = ("n", "n_rows", "n_missing", "predictors", "reduced", "fixed", "null", "covariance")
_APART += ("spread", "residuals", "kept")
# Relative: of numbers that follow from each other.
_SAME = 1e-6


@dataclass(frozen=True)
class _Rows:
    n: NotNegative
    rows: Natural
    n_missing: Natural


@dataclass(frozen=True)
class _Reduced:
    family: str


@dataclass(frozen=True)
class _Natural:
    """Of a predictor that is constant, the parameter."""

    estimate: float
    std_error: NotNegative
    lower: float
    upper: float
    infinite: tuple[Annotated[str, OneOf(("estimate", "std_error", "lower", "upper"))], ...]

    @property
    def values(self) -> tuple[float, float, float, float]:
        """JSON has no infinity: the record says which numbers are."""
        names = ("estimate", "std_error", "lower", "upper")
        a, b, c, d = (math.inf if name in self.infinite else getattr(self, name) for name in names)
        return a, b, c, d


_Infinite = tuple[Annotated[str, OneOf(("estimate", "lower", "upper"))], ...]
_Ends = Mapping[str, float | Annotated[str, OneOf(("infinity",))]]
_Matrix = tuple[tuple[float, ...], ...]


def regression_of(record: Any, model: Model) -> Regression:
    """Raises Damaged for what no regression writes."""
    null = decoded_at(float, record, "null_log_likelihood")
    rows = decoded_at(_Rows, record, "data")
    ends = decoded_at(_Ends, record, "boundary")
    covariance, size = decoded_at(_Matrix, record, "covariance"), len(model.covariance)
    if len(covariance) != size or any(len(row) != size for row in covariance):
        raise Damaged(f"has not {size} rows of {size} numbers", ".covariance")
    fit = Regression(
        n=rows.n,
        n_rows=rows.rows,
        n_missing=rows.n_missing,
        predictors=_predictors(record, model),
        reduced=decoded_at(_Reduced, record, "equivalent").family,
        fixed={name: math.inf if end == "infinity" else float(end) for name, end in ends.items()},
        null=lambda: null,
        covariance=np.array(covariance, dtype=np.float64),
        spread=model.covariance,
        residuals=None,
        kept=within(agreement_of, record, "residuals"),
        **some_fields(Regression, record, _APART),
    )
    _check(fit, model)
    return fit


def _predictors(record: Any, model: Model) -> tuple[FittedPredictor, ...]:
    given = decoded_at(Mapping[str, Any], record, "predictors")
    if tuple(given) != model.rows.heads:
        raise Damaged(f"{', '.join(given)} in place of {', '.join(model.rows.heads)}", ".predictors")
    found = []
    for place, (head, own) in enumerate(given.items()):
        try:
            found.append(_predictor(model, place, head, own))
        except Damaged as error:
            raise error.under(f".predictors.{head}") from None
    return tuple(found)


def _predictor(model: Model, place: int, head: str, record: Any) -> FittedPredictor:
    natural = decoded_at(_Natural | None, record, "natural")
    coefficients = decoded_at(Mapping[str, Any], record, "coefficients")
    own = FittedPredictor(
        head=head,
        role=model.rows.roles[head],
        link=decoded_at(str, record, "link"),
        ratio=decoded_at(str | None, record, "ratio") or "",
        terms=model.terms[place],
        coefficients=tuple(_coefficient(name, one) for name, one in coefficients.items()),
        tests=decoded_at(tuple[TermTests, ...], record, "tests"),
        beta=model.coefficients[place],
        unbounded=model.unbounded[place],
        unidentified=model.unidentified[place],
        natural=None if natural is None else natural.values,
    )
    if tuple(c.name for c in own.coefficients) != own.terms.names:
        raise Damaged(f"are not those of {own.terms.text}", ".coefficients")
    for i, test in enumerate(own.tests):
        if test.term not in own.terms.by_term:
            raise Damaged(f"{test.term!r} is none of {own.terms.text}", f".tests[{i}].term")
    for c, beta in zip(own.coefficients, own.beta.tolist(), strict=True):
        if not c.note and not math.isnan(c.estimate) and abs(c.estimate - beta) > _SAME * max(abs(beta), 1e-290):
            raise Damaged(f"{c.estimate!r} where the model has {beta!r}", f".coefficients.{c.name}.estimate")
    return own


def _coefficient(name: str, record: Any) -> Coefficient:
    try:
        note = decoded_at(str | None, record, "note") or ""
        numbers = some_fields(Coefficient, record, ("name", "note"))
        ends = {"estimate": -math.inf if note == "lower" else math.inf, "lower": -math.inf, "upper": math.inf}
        numbers |= {end: ends[end] for end in decoded_at(_Infinite, record, "infinite")}
        found = Coefficient(name, **numbers, note=note)
    except Damaged as error:
        raise error.under(f".coefficients.{name}") from None
    expected = found.estimate / found.std_error if found.std_error > 0.0 else math.nan
    if math.isfinite(found.z) and math.isfinite(expected) and abs(found.z - expected) > _SAME * abs(expected) + 1e-12:
        raise Damaged(f"{found.z!r} where estimate / std_error is {expected!r}", f".coefficients.{name}.z")
    return found


def _check(fit: Regression, model: Model) -> None:
    """Raises Damaged where parts of the fit contradict each other."""
    if fit.reduced != model.rows.spec:
        raise Damaged(f"{fit.reduced!r} where the model is {model.rows.spec!r}", ".equivalent.family")
    if fit.family not in NATURAL:
        parse(fit.family)
    if fit.family != fit.reduced and (fit.family in NATURAL or fit.reduced in NATURAL):
        raise Damaged(f"{fit.family!r} where the model is {fit.reduced!r}", ".family")
    known = ~np.isnan(fit.covariance) & ~np.isnan(fit.spread)
    if not np.allclose(fit.covariance[known], fit.spread[known], rtol=_SAME, atol=0.0):
        raise Damaged("is not that of the model", ".covariance")


@dataclass(frozen=True)
class _Pair:
    observed: float
    expected: float


@dataclass(frozen=True)
class _Quantile:
    mean: float
    sd: float


@dataclass(frozen=True)
class _Cell:
    count: Natural
    observed: NotNegative
    expected: NotNegative


@dataclass(frozen=True)
class _Agreement:
    """As ``residuals_record`` writes it."""

    n: float
    dispersion: float
    chi_square: float
    df: float
    settled: Natural | None
    mean: _Pair | None
    variance: _Pair | None
    zeros: _Pair | None
    quantile: _Quantile
    frequencies: tuple[_Cell, ...] | None


def agreement_of(record: Any) -> Agreement | None:
    """What a saved fit has kept of its residuals. Raises Damaged."""
    found = decoded(_Agreement | None, record)
    if found is None:
        return None
    quantile = (found.quantile.mean, found.quantile.sd)
    pairs = (found.zeros, found.mean, found.variance)
    if found.frequencies is None or found.settled is None or None in pairs:
        return Agreement(quantile)
    zeros, mean, variance = ((own.observed, own.expected) for own in pairs if own is not None)
    if not found.frequencies:
        raise Damaged("is empty", ".frequencies")
    return Agreement(
        quantile,
        Moments(found.n, found.chi_square, found.df, found.settled, zeros, mean, variance),
        tuple(cell.observed for cell in found.frequencies),
        tuple(cell.expected for cell in found.frequencies),
    )
