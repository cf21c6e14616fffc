"""Comparisons as one table: a row for every column and family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from distfit_counts.comparison import Candidate, Comparison
from distfit_counts.report.gathered import row_of

Numbers = dict[str, float | None]


def comparison_rows(comparisons: Iterable[Comparison]) -> Iterator[dict[str, Any]]:
    """The rows of one comparison after another, by name."""
    for comparison in comparisons:
        for rank, candidate in enumerate(comparison.candidates, start=1):
            yield row_of(comparison, _own(comparison, rank, candidate))


def _own(comparison: Comparison, rank: int, candidate: Candidate) -> dict[str, Any]:
    fit, ceiling = candidate.fit, comparison.ceiling
    test = fit.goodness.tests[0]
    numbers: Numbers = {
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
        "prob_zero": fit.prob_zero,
    }
    fitted = {"converged": fit.converged, "equivalent": fit.reduced.family}
    ceilings: Numbers = {
        "saturated": comparison.saturated,
        "poisson_mixture_ceiling": None if ceiling is None else ceiling.log_likelihood,
    }
    codes = {
        "verdicts": " ".join(verdict.code for verdict in fit.verdicts),
        "comparison_verdicts": " ".join(verdict.code for verdict in comparison.verdicts),
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
