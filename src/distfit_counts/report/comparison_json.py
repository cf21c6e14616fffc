"""A comparison as one JSON object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from distfit_counts import __version__
from distfit_counts.comparison import Candidate, Comparison, Components
from distfit_counts.report.as_json import data_record, finite, found_record, hypothesis_test, verdict_record

SCHEMA = "distfit.compare/1"


def comparison_record(
    comparison: Comparison, adjusted: Callable[[str], Mapping[str, float]] | None = None
) -> dict[str, Any]:
    """The comparison; ``candidates`` hold the same objects as ``distfit fit``, the best first, without restarts.

    ``adjusted``: of one of several comparisons and a family, the adjusted p-values by the code of the test.
    """
    ceiling = comparison.ceiling
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": comparison.source,
        "column": comparison.column,
        "group": dict(comparison.group),
        "data": data_record(comparison.histogram),
        "best": comparison.best.family,
        "saturated": {"log_likelihood": finite(comparison.saturated), "df": comparison.histogram.distinct - 1},
        "poisson_mixture_ceiling": None
        if ceiling is None
        else {
            "log_likelihood": finite(ceiling.log_likelihood),
            "gap": finite(ceiling.gap),
            "rates": list(ceiling.rates),
            "weights": list(ceiling.weights),
        },
        "candidates": [_candidate(candidate, adjusted) for candidate in comparison.candidates],
        "components": [_components(group) for group in comparison.components],
        "skipped": dict(comparison.skipped),
        "verdicts": [verdict_record(verdict) for verdict in comparison.verdicts],
    }


def _candidate(candidate: Candidate, adjusted: Callable[[str], Mapping[str, float]] | None) -> dict[str, Any]:
    # Not the data, the same for every candidate, nor the restarts, which are long: the fit's own record has them.
    return found_record(candidate.fit, None if adjusted is None else adjusted(candidate.family)) | {
        "delta_bic": finite(candidate.delta),
        "akaike_weight": finite(candidate.weight),
        "icl": finite(candidate.icl),
        "vuong": None if candidate.vuong is None else hypothesis_test(candidate.vuong),
    }


def _components(group: Components) -> dict[str, Any]:
    return {
        "component": group.component,
        "candidates": {str(k): spec for k, spec in group.candidates.items()},
        "by_bic": group.by_bic,
        "by_icl": group.by_icl,
        "by_bootstrap_lrt": group.by_test,
        "tests": [hypothesis_test(test) for test in group.tests],
    }
