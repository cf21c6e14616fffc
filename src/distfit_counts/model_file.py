"""Saved models: versioned JSON, never pickle."""

from __future__ import annotations

import json
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
from distfit_counts.result import Estimate, Fit, Goodness, HypothesisTest, Reduced, Restart, TracePoint, Verdict

SCHEMA = "distfit.model/2"


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
    try:
        record = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise DistfitError(
            f"cannot read {path}: {error.strerror}", "a model is written by distfit fit --save"
        ) from error
    except ValueError as error:
        raise DistfitError(f"{path} is not JSON: {error}", "a model is written by distfit fit --save") from error
    schema = record.get("schema") if isinstance(record, dict) else None
    if isinstance(schema, str) and schema.startswith("distfit.regression_model/"):
        raise DistfitError(f"{path} is a saved regression", "it is for distfit predict")
    if schema != SCHEMA:
        hint = f"this distfit reads {SCHEMA}; a model is written by distfit fit --save"
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
        derived={name: _number(value) for name, value in record["derived"].items()},
        log_likelihood=_number(record["log_likelihood"]),
        n_parameters=record["n_parameters"],
        converged=record["converged"],
        status=record["status"],
        gradient_norm=_number(record["gradient_norm"]),
        restarts=tuple(_restart(item) for item in record["restarts"]),
        verdicts=tuple(Verdict(item["code"], item["message"], item["reassuring"]) for item in record["verdicts"]),
        reduced=Reduced(reduced["family"], {name: _number(v) for name, v in reduced["parameters"].items()}),
        correlation={a: _values(line) for a, line in record["correlation"].items()},
        goodness=_goodness(record["goodness"]),
        tests=tuple(_test(item) for item in record["tests"]),
        level=record["level"],
        ci=record["ci"],
        optimizer=record["optimizer"],
        seed=record["seed"],
        device=record.get("device", "cpu"),  # models saved before there was another
    )


def _goodness(record: dict[str, Any]) -> Goodness:
    bins = tuple(Frequency(b["low"], b["high"], b["observed"], _number(b["expected"])) for b in record["bins"])
    return Goodness(bins, tuple(_test(item) for item in record["tests"]), _number(record["expected_largest"]))


def _test(record: dict[str, Any]) -> HypothesisTest:
    statistic, df, p_value = (_number(record[name]) for name in ("statistic", "df", "p_value"))
    return HypothesisTest(record["code"], record["title"], statistic, df, p_value, record["null"])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _estimate(record: dict[str, Any]) -> Estimate:
    numbers = {name: _number(record[name]) for name in ("estimate", "std_error", "lower", "upper")}
    # JSON has no infinity: the record says which numbers are.
    numbers |= dict.fromkeys(record["infinite"], math.inf)
    return Estimate(**numbers, boundary=record["boundary"])


def _values(record: dict[str, float | None]) -> dict[str, float]:
    return {name: _number(value) for name, value in record.items()}


def _restart(record: dict[str, Any]) -> Restart:
    trace = tuple(
        TracePoint(p["step"], _number(p["nll"]), _number(p["gradient_norm"]), _values(p["estimate"]))
        for p in record.get("trace", ())
    )
    return Restart(
        restart=record["restart"],
        origin=record["origin"],
        start=_values(record["start"]),
        estimate=_values(record["estimate"]),
        nll=_number(record["nll"]),
        gradient_norm=_number(record["gradient_norm"]),
        steps=record["steps"],
        status=record["status"],
        basin=record["basin"],
        trace=trace,
    )
