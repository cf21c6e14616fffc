"""Comparisons as one table: a row for every column and family."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from distfit_counts.comparison import Candidate, Comparison
from distfit_counts.report.gathered import row_of

Numbers = dict[str, float | None]
Adjusted = Callable[[int, str], dict[str, float]]


def comparison_rows(comparisons: Iterable[Comparison], adjusted: Adjusted | None = None) -> Iterator[dict[str, Any]]:
    """The rows of one comparison after another, by name. ``adjusted``: of one of several comparisons and a family, the
    p-values adjusted for the number of comparisons, by the code of the test.
    """
    for index, comparison in enumerate(comparisons):
        for rank, candidate in enumerate(comparison.candidates, start=1):
            own = {} if adjusted is None else adjusted(index, candidate.fit.family)
            yield row_of(comparison, _own(comparison, rank, candidate, None if adjusted is None else own))


def _own(
    comparison: Comparison, rank: int, candidate: Candidate, adjusted: Mapping[str, float] | None
) -> dict[str, Any]:
    fit, ceiling = candidate.fit, comparison.ceiling
    test = fit.goodness.tests[0]
    among_many = {} if adjusted is None else {"chi_square_p_adjusted": adjusted.get(test.code, math.nan)}
    numbers: Numbers = {
        "n": comparison.histogram.n,
        "n_missing": comparison.histogram.n_missing,
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "aicc": fit.aicc,
        "bic": fit.bic,
        "delta_bic": candidate.delta,
        "akaike_weight": candidate.weight,
        "icl": candidate.icl,
        "chi_square": test.statistic,
        "chi_square_df": test.df,
        "chi_square_p": test.p_value,
        **among_many,
        "prob_zero": fit.prob_zero,
    }
    fitted = {"converged": fit.converged, "equivalent": fit.reduced.family}
    ceilings: Numbers = {
        "saturated": comparison.saturated,
        "poisson_mixture_ceiling": None if ceiling is None else ceiling.log_likelihood,
    }
    codes = {
        "verdicts": " ".join(verdict.code for verdict in fit.verdicts),
        "comparison_verdicts": " ".join(dict.fromkeys(verdict.code for verdict in comparison.verdicts)),
    }
    own = {"rank": rank, "family": fit.family, **numbers, **fitted, **ceilings}
    return {**own, **_components(comparison, fit.family), **codes}


def _components(comparison: Comparison, spec: str) -> Numbers:
    """How many components of its kind each criterion chooses, and the test of this many against fewer."""
    found: Numbers = dict.fromkeys(
        ("components_by_bic", "components_by_icl", "components_by_bootstrap_lrt", "bootstrap_lr", "bootstrap_lr_p")
    )
    for group in comparison.components:
        listed = list(group.candidates.values())
        if spec in listed:
            found |= {"components_by_bic": group.by_bic, "components_by_icl": group.by_icl}
            found["components_by_bootstrap_lrt"] = group.by_test
            # The tests climb: the first is of the second number of components against the first.
            for larger, test in zip(listed[1:], group.tests, strict=False):
                if larger == spec:
                    found |= {"bootstrap_lr": test.statistic, "bootstrap_lr_p": test.p_value}
    return found
