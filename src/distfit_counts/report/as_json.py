"""A fit as one JSON object, and back. Strict JSON: what is infinite or undefined is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from distfit_counts import __version__
from distfit_counts.data.histogram import Histogram
from distfit_counts.result import Estimate, Fit, HypothesisTest, Restart, Verdict

SCHEMA = "distfit.fit/1"


def dumps(record: dict[str, Any]) -> str:
    """One line of strict JSON, in ASCII: no encoding of an output loses a name, and no terminal acts upon one."""
    return json.dumps(record, allow_nan=False)


def fit_record(fit: Fit, adjusted: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The object of the command-line contract. ``adjusted``: p-values by the code of the test, of one of many fits."""
    found = found_record(fit, adjusted)
    verdicts = found.pop("verdicts")
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": fit.source,
        "column": fit.column,
        "group": dict(fit.group),
        "family": found.pop("family"),
        "data": data_record(fit.histogram),
        **found,
        "restarts": [restart_record(restart) for restart in fit.restarts],
        "verdicts": verdicts,
    }


def found_record(fit: Fit, adjusted: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The same without the data and the restarts: what was found."""
    return {
        "family": fit.family,
        "parameters": {name: _estimate(e) for name, e in fit.parameters.items()},
        "derived": {name: finite(value) for name, value in fit.derived.items()},
        "log_likelihood": finite(fit.log_likelihood),
        "n_parameters": fit.n_parameters,
        "aic": finite(fit.aic),
        "aicc": finite(fit.aicc),
        "bic": finite(fit.bic),
        "nll_per_observation": finite(fit.nll_per_observation),
        "level": fit.level,
        "ci": fit.ci,
        "correlation": {a: _values(line) for a, line in fit.correlation.items()},
        "goodness": {
            "tests": [hypothesis_test(test, adjusted) for test in fit.goodness.tests],
            "bins": [
                {"low": row.low, "high": row.high, "observed": row.observed, "expected": finite(row.expected)}
                for row in fit.goodness.bins
            ],
            "expected_largest": finite(fit.goodness.expected_largest),
        },
        "tests": [hypothesis_test(test, adjusted) for test in fit.tests],
        "optimizer": fit.optimizer,
        "seed": fit.seed,
        "device": fit.device,
        "converged": fit.converged,
        "status": fit.status,
        "gradient_norm": finite(fit.gradient_norm),
        "equivalent": {"family": fit.reduced.family, "parameters": dict(fit.reduced.parameters)},
        "verdicts": [verdict_record(verdict) for verdict in fit.verdicts],
    }


def data_record(histogram: Histogram) -> dict[str, Any]:
    """What is said about a column of counts."""
    return {
        "n": histogram.n,
        "n_missing": histogram.n_missing,
        "distinct": histogram.distinct,
        "min": int(histogram.values[0]),
        "max": int(histogram.values[-1]),
        "mean": finite(histogram.mean),
        "variance": finite(histogram.variance),
        "zeros": histogram.zeros,
    }


def finite(value: float) -> float | None:
    """``value``, or None (null) where JSON has no number for it."""
    return float(value) if math.isfinite(value) else None


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    return {"code": verdict.code, "message": verdict.message, "reassuring": verdict.reassuring}


def hypothesis_test(test: HypothesisTest, adjusted: Mapping[str, float] | None = None) -> dict[str, Any]:
    among_many = {} if adjusted is None else {"p_adjusted": finite(adjusted.get(test.code, math.nan))}
    return {
        "code": test.code,
        "title": test.title,
        "statistic": finite(test.statistic),
        "df": finite(test.df),
        "p_value": finite(test.p_value),
        **among_many,
        "null": test.null,
    }


def _estimate(e: Estimate) -> dict[str, Any]:
    return {
        "estimate": finite(e.estimate),
        "std_error": finite(e.std_error),
        "lower": finite(e.lower),
        "upper": finite(e.upper),
        "boundary": e.boundary,
        "infinite": [name for name in ("estimate", "lower", "upper") if math.isinf(getattr(e, name))],
    }


def _values(values: Any) -> dict[str, float | None]:
    return {name: finite(value) for name, value in values.items()}


def restart_record(restart: Restart) -> dict[str, Any]:
    record: dict[str, Any] = {
        "restart": restart.restart,
        "origin": restart.origin,
        "start": _values(restart.start),
        "estimate": _values(restart.estimate),
        "nll": finite(restart.nll),
        "gradient_norm": finite(restart.gradient_norm),
        "steps": restart.steps,
        "status": restart.status,
        "basin": restart.basin,
    }
    if restart.trace:
        record["trace"] = [
            {
                "step": point.step,
                "nll": finite(point.nll),
                "gradient_norm": finite(point.gradient_norm),
                "estimate": _values(point.estimate),
            }
            for point in restart.trace
        ]
    return record
