"""Saved models: versioned JSON, never pickle."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DistfitError
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.output import whole_file
from distfit_counts.report.as_json import dumps, fit_record
from distfit_counts.result import Estimate, Fit, Goodness, Reduced
from distfit_counts.saved import is_regression, number_of, read, restart_of, test_of, values_of, verdicts_of

SCHEMA = "distfit.model/2"
HINT = "a model is written by distfit fit --save"


def save(path: str | Path, fits: Iterable[Fit]) -> None:
    """Write ``fits`` to ``path``, whole or not at all. With each goes its histogram, so that it can be shown again."""
    with whole_file(Path(path)) as file:
        file.write(f'{{"schema": "{SCHEMA}", "fits": [\n'.encode())
        for i, fit in enumerate(fits):
            record = fit_record(fit) | {
                "histogram": {"values": fit.histogram.values.tolist(), "weights": fit.histogram.weights.tolist()}
            }
            file.write((",\n" if i else "").encode() + dumps(record).encode())
        file.write(b"\n]}\n")


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
    try:
        fits = [_fit(item) for item in record["fits"]]
        for fit in fits:
            family, values = fit.model
            family.check(values)
        if fits:
            return fits
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DistfitError(f"{path} is damaged: {error!r}", "save the model again") from error
    raise DistfitError(f"{path} holds no fit", "save the model again")


def _fit(record: dict[str, Any]) -> Fit:
    histogram = record["histogram"]
    reduced = record["equivalent"]
    return Fit(
        source=record["source"],
        column=record["column"],
        group=record["group"],
        family=record["family"],
        histogram=Histogram(
            np.array(histogram["values"], dtype=np.int64),
            np.array(histogram["weights"], dtype=np.int64),
            record["data"]["n_missing"],
        ),
        parameters={name: _estimate(e) for name, e in record["parameters"].items()},
        derived={name: number_of(value) for name, value in record["derived"].items()},
        log_likelihood=number_of(record["log_likelihood"]),
        n_parameters=record["n_parameters"],
        converged=record["converged"],
        status=record["status"],
        gradient_norm=number_of(record["gradient_norm"]),
        restarts=tuple(restart_of(item) for item in record["restarts"]),
        verdicts=verdicts_of(record["verdicts"]),
        reduced=Reduced(reduced["family"], {name: number_of(v) for name, v in reduced["parameters"].items()}),
        correlation={a: values_of(line) for a, line in record["correlation"].items()},
        goodness=_goodness(record["goodness"]),
        tests=tuple(test_of(item) for item in record["tests"]),
        level=record["level"],
        ci=record["ci"],
        optimizer=record["optimizer"],
        seed=record["seed"],
        device=record.get("device", "cpu"),  # models saved before there was another
    )


def _goodness(record: dict[str, Any]) -> Goodness:
    bins = tuple(Frequency(b["low"], b["high"], b["observed"], number_of(b["expected"])) for b in record["bins"])
    return Goodness(bins, tuple(test_of(item) for item in record["tests"]), number_of(record["expected_largest"]))


def _estimate(record: dict[str, Any]) -> Estimate:
    numbers = {name: number_of(record[name]) for name in ("estimate", "std_error", "lower", "upper")}
    # JSON has no infinity: the record says which numbers are.
    numbers |= dict.fromkeys(record["infinite"], math.inf)
    return Estimate(**numbers, boundary=record["boundary"])
