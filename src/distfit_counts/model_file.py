"""Saved models: versioned JSON, never pickle."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from distfit_counts.data.histogram import Histogram
from distfit_counts.data.whole import LARGEST
from distfit_counts.errors import DistfitError
from distfit_counts.families.spec import parse
from distfit_counts.output import whole_file
from distfit_counts.records import Damaged, Natural, OneOf, Range, decoded_at, require_same, some_fields, within
from distfit_counts.report.as_json import dumps, fit_record
from distfit_counts.result import Estimate, Fit
from distfit_counts.saved import damage_told, is_regression, read, sealed, unsealed

SCHEMA = "distfit.model/2"
HINT = "a model is written by distfit fit --save"
# Relative: what a log-likelihood may differ by that is computed from the estimates.
_SAME = 1e-6


@dataclass(frozen=True)
class _Counts:
    """A histogram, as it is written."""

    values: tuple[Annotated[int, Range(0, LARGEST)], ...]
    weights: tuple[Annotated[int, Range(1, LARGEST)], ...]

    def __post_init__(self) -> None:
        if not self.values or len(self.values) != len(self.weights):
            raise Damaged(f"{len(self.values)} values have {len(self.weights)} weights")
        if any(b <= a for a, b in zip(self.values, self.values[1:], strict=False)):
            raise Damaged("is not in order", ".values")
        if sum(self.weights) > LARGEST:
            raise Damaged("adds up to more than 2**53", ".weights")


def save(path: str | Path, fits: Iterable[Fit]) -> None:
    """Write ``fits`` to ``path``, whole or not at all. With each goes its histogram, so that it can be shown again."""
    with whole_file(Path(path)) as file:
        file.write(f'{{"schema": "{SCHEMA}", "fits": [\n'.encode())
        for i, fit in enumerate(fits):
            file.write((",\n" if i else "").encode() + dumps(sealed(_record(fit))).encode())
        file.write(b"\n]}\n")


def _record(fit: Fit) -> dict[str, Any]:
    counts = {"values": fit.histogram.values.tolist(), "weights": fit.histogram.weights.tolist()}
    return fit_record(fit) | {"histogram": counts}


def load(path: str | Path) -> list[Fit]:
    """The fits of a saved model. Raises DistfitError for anything else."""
    return fits_of(read(path, HINT), path)


def fits_of(record: dict[str, Any], path: str | Path) -> list[Fit]:
    """The same of what ``path`` holds."""
    schema = record.get("schema")
    if is_regression(record):
        raise DistfitError(f"{path} is a saved regression", "it needs the covariates of rows: distfit predict")
    if schema != SCHEMA:
        hint = f"this distfit reads {SCHEMA}; {HINT}"
        raise DistfitError(f"{path} is not a distfit model (schema {schema!r})", hint)
    with damage_told(path):
        if record.keys() != {"schema", "fits"} or not isinstance(record["fits"], list) or not record["fits"]:
            raise Damaged("it holds no fit")
        fits = []
        for i, item in enumerate(record["fits"]):
            try:
                fits.append(_fit(item))
            except Damaged as error:
                raise error.under(f"fits[{i}]") from error
        return fits


def _fit(record: Any) -> Fit:
    counts = decoded_at(_Counts, record, "histogram")
    missing = within(lambda data: decoded_at(Natural, data, "n_missing"), record, "data")
    values, weights = (np.array(own, dtype=np.int64) for own in (counts.values, counts.weights))
    fit = Fit(
        histogram=Histogram(values, weights, missing),
        parameters=_estimates(record),
        **some_fields(Fit, record, ("histogram", "parameters", "rows"), {"reduced": "equivalent"}),
    )
    _check(fit)
    bare, known = unsealed(record)
    if not known:
        # What was changed by hand must hang together: all that can be, is computed again.
        same = {"version": None}
        require_same({"device": "cpu"} | bare | same, _record(fit) | same)
        _check_sums(fit)
    return fit


def _estimates(record: Any) -> dict[str, Estimate]:
    found = {}
    for name, own in decoded_at(Mapping[str, Any], record, "parameters").items():
        place = f"parameters.{name}"
        try:
            given = some_fields(Estimate, own, ())
            # JSON has no infinity: the record says which numbers are.
            given |= dict.fromkeys(decoded_at(tuple[_Unbounded, ...], own, "infinite"), math.inf)
        except Damaged as error:
            raise error.under(f".{place}") from None
        found[name] = Estimate(**given)
    return found


_Unbounded = Annotated[str, OneOf(("estimate", "lower", "upper"))]


def _check(fit: Fit) -> None:
    """Raises Damaged or DistfitError where a name or a value is none of the family's."""
    names, size = parse(fit.family).names, parse(fit.family).n_parameters
    if fit.n_parameters != size:
        raise Damaged(f"{fit.n_parameters} where {fit.family} has {size}", ".n_parameters")
    for found, place in (
        (fit.parameters, ".parameters"),
        *((own, f".restarts[{i}].start") for i, own in enumerate(r.start for r in fit.restarts)),
        *((own, f".restarts[{i}].estimate") for i, own in enumerate(r.estimate for r in fit.restarts)),
    ):
        if tuple(found) != names:
            raise Damaged(f"{', '.join(found) or 'nothing'} in place of {', '.join(names) or 'nothing'}", place)
    for name in ("mean", "variance", "prob_zero", *_named(fit)):
        if name not in fit.derived:
            raise Damaged("is missing", f".derived.{name}")
    for name, line in fit.correlation.items():
        if line.keys() != fit.correlation.keys():
            raise Damaged("is not square", f".correlation.{name}")
    family, values = fit.model
    try:
        family.check(values)
    except DistfitError as error:
        raise Damaged(error.problem, ".equivalent.parameters") from None


def _named(fit: Fit) -> dict[str, float]:
    """The family's values under the names of other tools."""
    own = {name: np.float64(e.estimate) for name, e in fit.parameters.items()}
    with np.errstate(all="ignore"):
        return {name: float(value) for name, value in parse(fit.family).derived(own).items()}


def _check_sums(fit: Fit) -> None:
    """Raises Damaged where the log-likelihood or the derived values are not those of the parameters."""
    from distfit_counts.inference.fitted.reached import log_pmf

    family, values = fit.model
    derived = values | _named(fit) | {"mean": fit.mean, "variance": fit.variance, "prob_zero": fit.prob_zero}
    for name, value in fit.derived.items():
        _require_near(value, derived.get(name, math.nan), f".derived.{name}")
    if fit.reduced.family == fit.family:
        for name, value in values.items():
            _require_near(fit.parameters[name].estimate, value, f".parameters.{name}.estimate")
    counts = fit.histogram
    with np.errstate(all="ignore"):
        reached = float(counts.weights @ log_pmf(family, values, counts.values.astype(np.float64)))
    _require_near(fit.log_likelihood, reached, ".log_likelihood")


def _require_near(found: float, expected: float, place: str) -> None:
    both = math.isfinite(found) and math.isfinite(expected)
    if both and abs(found - expected) > _SAME * max(abs(expected), 1e-290):
        raise Damaged(f"{found!r} does not follow from the parameters, which give {expected!r}", place)
