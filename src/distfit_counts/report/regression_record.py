"""A regression as one JSON object. Strict JSON: what is infinite or undefined is null, and ``note`` says why."""

from __future__ import annotations

import math
from typing import Any

from distfit_counts import __version__
from distfit_counts.regression.result import FittedPredictor, Regression
from distfit_counts.report.as_json import finite, hypothesis_test, restart_record, verdict_record
from distfit_counts.report.residuals_record import residuals_record
from distfit_counts.result import HypothesisTest

_NATURAL = ("estimate", "std_error", "lower", "upper")
SCHEMA = "distfit.regression/1"


def regression_record(fit: Regression) -> dict[str, Any]:
    """The object that ``distfit regress --format json`` prints."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": fit.source,
        "formula": fit.formula,
        "family": fit.family,
        "response": fit.response,
        "offset": fit.offset,
        "exposure": fit.exposure,
        "weights": fit.weights,
        "data": {"n": fit.n, "rows": fit.n_rows, "n_missing": fit.n_missing},
        "predictors": {own.head: _predictor(own) for own in fit.predictors},
        "equivalent": {"family": fit.reduced},
        "boundary": {name: _end(value) for name, value in fit.fixed.items()},
        "variance": fit.variance,
        "levels": None if fit.levels is None else list(fit.levels),
        "errors": fit.errors,
        "cluster": fit.cluster,
        "small_sample": fit.small_sample,
        "covariance": [[finite(value) for value in row] for row in fit.covariance.tolist()],
        "log_likelihood": finite(fit.log_likelihood),
        "null_log_likelihood": finite(fit.null_log_likelihood),
        "n_parameters": fit.n_parameters,
        "aic": finite(fit.aic),
        "bic": finite(fit.bic),
        "converged": fit.converged,
        "status": fit.status,
        "gradient_norm": finite(fit.gradient_norm),
        "level": fit.level,
        "seed": fit.seed,
        "residuals": None if fit.agreement is None else residuals_record(fit.agreement),
        "restarts": [restart_record(restart) for restart in fit.restarts],
        "verdicts": [verdict_record(verdict) for verdict in fit.verdicts],
    }


def _predictor(own: FittedPredictor) -> dict[str, Any]:
    natural = own.natural
    return {
        "link": own.link,
        "ratio": own.ratio or None,
        "terms": own.terms.text,
        "natural": None
        if natural is None
        else dict(zip(_NATURAL, map(finite, natural), strict=True))
        | {"infinite": [name for name, value in zip(_NATURAL, natural, strict=True) if math.isinf(value)]},
        "coefficients": {
            c.name: {
                "estimate": finite(c.estimate),
                "std_error": finite(c.std_error),
                "z": finite(c.z),
                "p_value": finite(c.p_value),
                "lower": finite(c.lower),
                "upper": finite(c.upper),
                "infinite": [name for name in ("estimate", "lower", "upper") if math.isinf(getattr(c, name))],
                "note": c.note or None,
            }
            for c in own.coefficients
        },
        "tests": [
            {"term": test.term, "wald": _test(test.wald), "likelihood_ratio": _test(test.likelihood_ratio)}
            for test in own.tests
        ],
    }


def _test(test: HypothesisTest | None) -> dict[str, Any] | None:
    return None if test is None else hypothesis_test(test, None)


def _end(value: float) -> str | float | None:
    return finite(value) if value in (0.0, 1.0) else "infinity" if value == float("inf") else None
