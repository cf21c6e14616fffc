"""The record of a regression -> the regression, without its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from distfit_counts.regression.agreement import Agreement, Moments, Pair
from distfit_counts.regression.design import Terms
from distfit_counts.regression.model import Model
from distfit_counts.regression.result import Coefficient, FittedPredictor, Regression, TermTests
from distfit_counts.saved import number_of, restart_of, test_of, values_of, verdicts_of


def regression_of(record: Mapping[str, Any], model: Model) -> Regression:
    """KeyError and the like where the record is damaged."""
    seen, null = _agreement(record["residuals"]), number_of(record["null_log_likelihood"])
    plain = ("source", "formula", "family", "response", "n_parameters", "converged", "status", "errors", "level")
    columns = ("seed", "offset", "exposure", "weights", "cluster", "variance")
    terms = dict(zip(model.rows.heads, model.terms, strict=True))
    return Regression(
        **{name: record[name] for name in (*plain, *columns)},
        n=record["data"]["n"],
        n_rows=record["data"]["rows"],
        n_missing=record["data"]["n_missing"],
        predictors=tuple(_predictor(head, own, terms[head]) for head, own in record["predictors"].items()),
        reduced=record["equivalent"]["family"],
        fixed={name: math.inf if end == "infinity" else number_of(end) for name, end in record["boundary"].items()},
        log_likelihood=number_of(record["log_likelihood"]),
        null=lambda: null,
        gradient_norm=number_of(record["gradient_norm"]),
        restarts=tuple(map(restart_of, record["restarts"])),
        verdicts=verdicts_of(record["verdicts"]),
        covariance=np.array(record["covariance"], dtype=np.float64),
        residuals=None,
        agree=lambda: seen,
        levels=None if record["levels"] is None else tuple(record["levels"]),
    )


def _predictor(head: str, record: Mapping[str, Any], terms: Terms) -> FittedPredictor:
    natural = record["natural"]
    return FittedPredictor(
        head=head,
        link=record["link"],
        ratio=record["ratio"] or "",
        terms=terms,
        coefficients=tuple(_coefficient(name, own) for name, own in record["coefficients"].items()),
        tests=tuple(
            TermTests(
                item["term"],
                test_of(item["wald"]),
                None if item["likelihood_ratio"] is None else test_of(item["likelihood_ratio"]),
            )
            for item in record["tests"]
        ),
        natural=None if natural is None else tuple(values_of(natural).values()),  # type: ignore[arg-type]
    )


def _coefficient(name: str, record: Mapping[str, Any]) -> Coefficient:
    numbers = {key: number_of(value) for key, value in record.items() if key != "note"}
    return Coefficient(name, **numbers, note=record["note"] or "")


def _agreement(record: Mapping[str, Any] | None) -> Agreement | None:
    if record is None:
        return None

    def pair(name: str, first: str = "observed", second: str = "expected") -> Pair:
        return number_of(record[name][first]), number_of(record[name][second])

    n, chi_square, df = (number_of(record[name]) for name in ("n", "chi_square", "df"))
    return Agreement(
        Moments(n, chi_square, df, record["settled"], pair("zeros"), pair("mean"), pair("variance")),
        pair("quantile", "mean", "sd"),
        tuple(row["observed"] for row in record["frequencies"]),
        tuple(row["expected"] for row in record["frequencies"]),
    )
