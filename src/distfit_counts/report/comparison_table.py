"""Comparisons as one table: a row for every column and family."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from distfit_counts.comparison import Ranked, Ranking
from distfit_counts.report.gathered import row_of

Numbers = dict[str, float | None]
Adjusted = Callable[[int, str], dict[str, float]]


def comparison_rows(rankings: Iterable[Ranking], adjusted: Adjusted | None = None) -> Iterator[dict[str, Any]]:
    """The rows of one comparison after another, by name. ``adjusted``: of one of several comparisons and a family, the
    p-values adjusted for the number of comparisons, by the code of the test.
    """
    for index, ranking in enumerate(rankings):
        for rank, family in enumerate(ranking.candidates, start=1):
            own = None if adjusted is None else adjusted(index, family.family)
            yield row_of(ranking, _own(ranking, rank, family, own))


def _own(ranking: Ranking, rank: int, own: Ranked, adjusted: Mapping[str, float] | None) -> dict[str, Any]:
    among_many = {} if adjusted is None else {"chi_square_p_adjusted": adjusted.get("chi_square", math.nan)}
    return {
        "rank": rank,
        "family": own.family,
        "n": ranking.histogram.n,
        "n_missing": ranking.histogram.n_missing,
        "log_likelihood": own.log_likelihood,
        "n_parameters": own.n_parameters,
        "aic": own.aic,
        "aicc": own.aicc,
        "bic": own.bic,
        "delta_bic": own.delta,
        "akaike_weight": own.weight,
        "icl": own.icl,
        "chi_square": own.chi_square,
        "chi_square_df": own.chi_square_df,
        "chi_square_p": own.chi_square_p,
        **among_many,
        "prob_zero": own.prob_zero,
        "converged": own.converged,
        "equivalent": own.equivalent,
        "saturated": ranking.saturated,
        "poisson_mixture_ceiling": None if ranking.ceiling is None else ranking.ceiling.log_likelihood,
        **_components(ranking, own.family),
        "verdicts": " ".join(own.codes),
        "comparison_verdicts": " ".join(dict.fromkeys(v.code for v in ranking.verdicts if not v.reassuring)),
    }


def _components(ranking: Ranking, spec: str) -> Numbers:
    """How many components of its kind each criterion chooses, and the test of this many against fewer."""
    found: Numbers = dict.fromkeys(
        ("components_by_bic", "components_by_icl", "components_by_bootstrap_lrt", "bootstrap_lr", "bootstrap_lr_p")
    )
    for group in ranking.components:
        listed = list(group.candidates.values())
        if spec in listed:
            found |= {"components_by_bic": group.by_bic, "components_by_icl": group.by_icl}
            found["components_by_bootstrap_lrt"] = group.by_test
            # The tests climb: the first is of the second number of components against the first.
            for larger, test in zip(listed[1:], group.tests, strict=False):
                if larger == spec:
                    found |= {"bootstrap_lr": test.statistic, "bootstrap_lr_p": test.p_value}
    return found
