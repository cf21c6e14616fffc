"""The record of a regression -> the regression, without its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from distfit_counts.regression.agreement import Agreement, Moments, Pair
from distfit_counts.regression.model import Model
from distfit_counts.regression.result import Coefficient, FittedPredictor, Regression, TermTests
from distfit_counts.saved import number_of, restart_of, test_of, verdicts_of


def regression_of(record: Mapping[str, Any], model: Model) -> Regression:
    """KeyError and the like where the record is damaged."""
    null = number_of(record["null_log_likelihood"])
    plain = ("source", "formula", "family", "response", "n_parameters", "converged", "status", "errors", "level")
    columns = ("seed", "offset", "exposure", "weights", "cluster", "small_sample", "variance")
    return Regression(
        **{name: record[name] for name in (*plain, *columns)},
        n=record["data"]["n"],
        n_rows=record["data"]["rows"],
        n_missing=record["data"]["n_missing"],
        predictors=tuple(_predictor(model, head, own) for head, own in record["predictors"].items()),
        reduced=record["equivalent"]["family"],
        fixed={name: math.inf if end == "infinity" else number_of(end) for name, end in record["boundary"].items()},
        log_likelihood=number_of(record["log_likelihood"]),
        null=lambda: null,
        gradient_norm=number_of(record["gradient_norm"]),
        restarts=tuple(map(restart_of, record["restarts"])),
        verdicts=verdicts_of(record["verdicts"]),
        covariance=np.array(record["covariance"], dtype=np.float64),
        spread=model.covariance,
        residuals=None,
        kept=agreement_of(record["residuals"]),
        levels=None if record["levels"] is None else tuple(record["levels"]),
    )


def _predictor(model: Model, head: str, record: Mapping[str, Any]) -> FittedPredictor:
    natural, place = record["natural"], model.rows.heads.index(head)
    return FittedPredictor(
        head=head,
        link=record["link"],
        ratio=record["ratio"] or "",
        terms=model.terms[place],
        coefficients=tuple(_coefficient(name, own) for name, own in record["coefficients"].items()),
        tests=tuple(
            TermTests(
                item["term"],
                test_of(item["wald"]),
                None if item["likelihood_ratio"] is None else test_of(item["likelihood_ratio"]),
            )
            for item in record["tests"]
        ),
        beta=model.coefficients[place],
        unbounded=model.unbounded[place],
        unidentified=model.unidentified[place],
        natural=None if natural is None else _natural(natural),
    )


def _natural(record: Mapping[str, Any]) -> tuple[float, float, float, float]:
    estimate, error, lower, upper = (
        math.inf if name in record["infinite"] else number_of(record[name])
        for name in ("estimate", "std_error", "lower", "upper")
    )
    return estimate, error, lower, upper


def _coefficient(name: str, record: Mapping[str, Any]) -> Coefficient:
    note = record["note"] or ""
    numbers = {key: number_of(value) for key, value in record.items() if key not in ("note", "infinite")}
    if "estimate" in record["infinite"]:
        numbers["estimate"] = -math.inf if note == "lower" else math.inf
    return Coefficient(name, **numbers, note=note)


def agreement_of(record: Mapping[str, Any] | None) -> Agreement | None:
    """What a saved fit has kept of its residuals."""
    if record is None:
        return None

    def pair(name: str, first: str = "observed", second: str = "expected") -> Pair:
        return number_of(record[name][first]), number_of(record[name][second])

    quantile = pair("quantile", "mean", "sd")
    if record["df"] is None:
        return Agreement(quantile)
    n, chi_square, df = (number_of(record[name]) for name in ("n", "chi_square", "df"))
    return Agreement(
        quantile,
        Moments(n, chi_square, df, record["settled"], pair("zeros"), pair("mean"), pair("variance")),
        tuple(row["observed"] for row in record["frequencies"]),
        tuple(row["expected"] for row in record["frequencies"]),
    )
