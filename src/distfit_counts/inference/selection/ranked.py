"""What a ranking says of a family: from the arrays of many fits, or from one fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distfit_counts.comparison import Candidate, Ranked
from distfit_counts.inference.fitted.numbers import Numbers
from distfit_counts.result import Fit, HypothesisTest

_ANDERSON_DARLING = "anderson_darling"


@dataclass(frozen=True, slots=True)
class Standing:
    """A family on one column: its ``place`` among the family's fits, and what ``Ranked`` says of it."""

    family: str
    place: int
    delta: float
    weight: float
    icl: float


def ranked(numbers: Numbers, standing: Standing) -> Ranked:
    """The family in ``numbers``: no ``Fit`` is made."""
    i = standing.place
    chi_square, df = numbers.chi_square[i].tolist()
    return Ranked(
        family=numbers.family,
        n_parameters=numbers.n_parameters,
        log_likelihood=float(numbers.log_likelihood[i]),
        aic=float(numbers.aic[i]),
        aicc=float(numbers.aicc[i]),
        bic=float(numbers.bic[i]),
        delta=standing.delta,
        weight=standing.weight,
        icl=standing.icl,
        chi_square=chi_square,
        chi_square_df=df,
        chi_square_p=float(numbers.p_values["chi_square"][i]),
        simulated=_ANDERSON_DARLING in numbers.p_values and _simulated(numbers.p_values[_ANDERSON_DARLING][i]),
        prob_zero=float(numbers.prob_zero[i]),
        converged=bool(numbers.converged[i]),
        status=numbers.status[i],
        equivalent=numbers.equivalent[i],
        codes=numbers.codes[i],
    )


def candidate(fit: Fit, standing: Standing, vuong: HypothesisTest | None) -> Candidate:
    """The same with the ``fit`` itself."""
    pearson, last = fit.goodness.tests[0], fit.goodness.tests[-1]
    return Candidate(
        family=fit.family,
        n_parameters=fit.n_parameters,
        log_likelihood=fit.log_likelihood,
        aic=fit.aic,
        aicc=fit.aicc,
        bic=fit.bic,
        delta=standing.delta,
        weight=standing.weight,
        icl=standing.icl,
        chi_square=pearson.statistic,
        chi_square_df=pearson.df,
        chi_square_p=pearson.p_value,
        simulated=_simulated(last.p_value),
        prob_zero=fit.prob_zero,
        converged=fit.converged,
        status=fit.status,
        equivalent=fit.reduced.family,
        codes=tuple(verdict.code for verdict in fit.verdicts),
        fit=fit,
        vuong=vuong,
    )


def _simulated(anderson_darling_p: float) -> bool:
    """Only a simulated p-value of the Anderson-Darling statistic exists; tables of fits may leave out all of them."""
    return not math.isnan(anderson_darling_p)
