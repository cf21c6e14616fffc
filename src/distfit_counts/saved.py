"""What all saved models have in common: a file of JSON with a schema, and records of tests, restarts and verdicts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.result import HypothesisTest, Restart, TracePoint, Verdict

_REGRESSION = "distfit.regression_model/"


def read(path: str | Path, hint: str) -> dict[str, Any]:
    """The record in ``path``. Raises DistfitError, with ``hint``, where there is none."""
    try:
        record = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise DistfitError(f"cannot read {path}: {error.strerror}", hint) from error
    except ValueError as error:
        raise DistfitError(f"{path} is no saved model: it is not JSON", hint) from error
    return record if isinstance(record, dict) else {}


def is_regression(record: Mapping[str, Any]) -> bool:
    """Whether it was written by ``distfit regress --save``."""
    return str(record.get("schema")).startswith(_REGRESSION)


def number_of(value: float | None) -> float:
    return math.nan if value is None else float(value)


def values_of(record: Mapping[str, float | None]) -> dict[str, float]:
    return {name: number_of(value) for name, value in record.items()}


def verdicts_of(records: list[dict[str, Any]]) -> tuple[Verdict, ...]:
    return tuple(Verdict(item["code"], item["message"], item["reassuring"]) for item in records)


def test_of(record: Mapping[str, Any]) -> HypothesisTest:
    statistic, df, p_value = (number_of(record[name]) for name in ("statistic", "df", "p_value"))
    return HypothesisTest(record["code"], record["title"], statistic, df, p_value, record["null"])


def restart_of(record: Mapping[str, Any]) -> Restart:
    trace = tuple(
        TracePoint(p["step"], number_of(p["nll"]), number_of(p["gradient_norm"]), values_of(p["estimate"]))
        for p in record.get("trace", ())
    )
    return Restart(
        restart=record["restart"],
        origin=record["origin"],
        start=values_of(record["start"]),
        estimate=values_of(record["estimate"]),
        nll=number_of(record["nll"]),
        gradient_norm=number_of(record["gradient_norm"]),
        steps=record["steps"],
        status=record["status"],
        basin=record["basin"],
        trace=trace,
    )
