"""A check as one JSON object or one row of a table. Strict: what is infinite or undefined is null, or empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts import __version__
from distfit_counts.inference.hypotheses.adjusted import benjamini_hochberg
from distfit_counts.report.as_json import data_record, dumps, finite, hypothesis_test, verdict_record
from distfit_counts.report.gathered import row_of

if TYPE_CHECKING:
    from distfit_counts.inference.goodness.frequencies import Frequency
    from distfit_counts.inference.new_data.check import Check
    from distfit_counts.inference.new_data.residuals import Moment, Residuals

SCHEMA = "distfit.check/1"


def json_lines(checks: Sequence[Check]) -> Iterator[str]:
    """One line per check."""
    return (dumps(check_record(check, own)) + "\n" for check, own in zip(checks, _adjusted(checks), strict=True))


def check_rows(checks: Sequence[Check]) -> Iterator[dict[str, Any]]:
    """One row per check, by name."""
    for check, adjusted in zip(checks, _adjusted(checks), strict=True):
        codes = {"verdicts": " ".join(verdict.code for verdict in check.verdicts)}
        yield row_of(check, {"family": check.fit.family, **_numbers(check, adjusted), **codes})


def _adjusted(checks: Sequence[Check]) -> list[dict[str, float] | None]:
    """Of several checks each one's p-values, adjusted for their number, by the code of the test; else None."""
    if len(checks) == 1:
        return [None]
    p = benjamini_hochberg(np.array([check.chi_square.p_value for check in checks]))
    return [{check.chi_square.code: own} for check, own in zip(checks, p.tolist(), strict=True)]


def check_record(check: Check, adjusted: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The object of the command-line contract. ``adjusted``: p-values by the code of the test, of one of many."""
    fit = check.fit
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": check.source,
        "column": check.column,
        "group": dict(check.group),
        "model": {
            "family": fit.family,
            "source": fit.source,
            "column": fit.column,
            "group": dict(fit.group),
            "n": fit.n,
            "equivalent": {"family": fit.reduced.family, "parameters": dict(fit.reduced.parameters)},
        },
        "data": data_record(check.histogram),
        "expected": {name: finite(fit.derived[name]) for name in ("mean", "variance", "prob_zero")},
        "outside_support": check.outside,
        **{name: finite(value) for name, value in _scores(check).items()},
        "chi_square": hypothesis_test(check.chi_square, adjusted),
        "bins": [_bin(row) for row in check.bins],
        "pit": pit_record(check.pit, check.pit_band),
        "residuals": moments_record(check.residuals),
        "frequencies": [
            _bin(row) | {"pearson": finite(row.pearson), "lower": lower, "upper": upper}
            for row, lower, upper in zip(check.frequencies, *check.frequency_band, strict=True)
        ],
        "verdicts": [verdict_record(verdict) for verdict in check.verdicts],
    }


def _scores(check: Check) -> dict[str, float]:
    return {
        "log_score": check.log_score,
        "log_score_expected": check.expected_log_score,
        "log_score_deviation": check.log_score_deviation,
        "log_score_z": check.log_score_z,
        "log_score_in_sample": check.fit.nll_per_observation,
        "rps": check.rps,
    }


def _numbers(check: Check, adjusted: Mapping[str, float] | None) -> dict[str, float]:
    h, model, test = check.histogram, check.fit.derived, check.chi_square
    counted = {"n": h.n, "n_missing": h.n_missing, "outside_support": check.outside}
    moments = {
        "mean": h.mean,
        "mean_expected": model["mean"],
        "variance": h.variance,
        "variance_expected": model["variance"],
        "zero_share": h.zeros / h.n,
        "zero_share_expected": model["prob_zero"],
    }
    tested = {"chi_square": test.statistic, "df": test.df, "p_value": test.p_value}
    tested |= {} if adjusted is None else {"p_adjusted": adjusted[test.code]}
    return (
        counted
        | _scores(check)
        | moments
        | tested
        | {f"residual_{k}": m.value for k, m in _moments(check.residuals).items()}
    )


def _bin(row: Frequency) -> dict[str, Any]:
    return {"low": row.low, "high": row.high, "observed": row.observed, "expected": row.expected}


def moments_record(residuals: Residuals) -> dict[str, Any]:
    """The summary of quantile residuals."""
    found: dict[str, Any] = {"n": residuals.n, "seed": residuals.seed}
    return found | {
        name: {"value": finite(moment.value), "lower": moment.lower, "upper": moment.upper}
        for name, moment in _moments(residuals).items()
    }


def _moments(residuals: Residuals) -> dict[str, Moment]:
    return {"mean": residuals.mean, "deviation": residuals.deviation, "share_beyond": residuals.beyond}


def pit_record(heights: Sequence[float], band: tuple[Sequence[float], Sequence[float]]) -> list[dict[str, float]]:
    """A PIT histogram."""
    return [{"height": height, "lower": low, "upper": high} for height, low, high in zip(heights, *band, strict=True)]
