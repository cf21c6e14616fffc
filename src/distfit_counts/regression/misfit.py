"""Where a regression and its counts disagree, in sentences: for linear predictors and networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distfit_counts.families.family import Family, Role
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.nesting import built_of
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.inference.hypotheses.tails import normal_tail
from distfit_counts.regression.agreement import Moments
from distfit_counts.result import Verdict

# Pearson dispersion of a true model lies within this many standard deviations of 1, sqrt(2/n) each.
_WIDE = 5.0
# Tail probability of the zeros' share from which on it is worth a sentence.
_RARE = 1e-3


def misfit(moments: Moments, family: Family, errors: str | None) -> Iterator[Verdict]:
    """``family``: that was asked for; ``errors``: which standard errors there are, if any."""
    yield from _dispersion(moments, family, errors)
    n = moments.n
    observed, expected = moments.zeros
    share = expected / n
    if 0.0 < share < 1.0:
        z = (observed - expected) / np.sqrt(n * share * (1.0 - share))
        if float(normal_tail(abs(z))) < _RARE and abs(observed - expected) > 0.02 * n:
            more = "more" if z > 0 else "fewer"
            yield Verdict(
                "misfit.zeros",
                f"{observed:,.0f} zeros, the model expects {expected:,.1f}: {more} than chance explains. "
                + (_zeros_remedy(z > 0, family) if observed else _UNRECORDED),
            )


_UNRECORDED = (
    "Are units without events missing from these data? Then take a family of counts from 1 on: zt(...) or logseries."
)


def _zeros_remedy(more: bool, family: Family) -> str:
    inside = list(built_of(family))
    if any(isinstance(own, Hurdle) for own in inside):
        # A hurdle has as many zeros as the data, on the whole.
        return "Give the zeros more terms."
    if any(isinstance(own, ZeroInflated) for own in inside):
        return "Try a hurdle family." if more else "Try a family without zero inflation."
    return "Try a zero-inflated or hurdle family." if more else "Try a hurdle family: zero inflation only adds zeros."


def _dispersion(moments: Moments, family: Family, errors: str | None) -> Iterator[Verdict]:
    away = (moments.dispersion - 1.0) / np.sqrt(2.0 / max(moments.n, 1.0))
    times = f"the model says: Pearson's chi-square is {moments.dispersion:.3g} times its degrees of freedom"
    # The spread of heavy-tailed families' dispersion is wider: a factor says that it matters.
    if away > _WIDE and moments.dispersion > 1.2:
        sized = any(parameter.role is Role.DISPERSION for parameter in family.parameters)
        if errors is None:
            told = "Predicted quantiles are too narrow: " + ("more epochs or units may help." if sized else "try nb.")
        elif errors == "model":
            remedy = "" if sized else "try nb, or "
            told = f"Standard errors are too small by about the root of that: {remedy}--errors hc1."
        else:
            told = f"The robust standard errors allow for that; probabilities do not{'' if sized else ': try nb'}."
        yield Verdict("misfit.overdispersed", f"The counts scatter more than {times}. {told}")
    elif away < -_WIDE and moments.dispersion < 0.8:
        robust = "the robust standard errors allow for that, probabilities do not"
        told = {None: "predicted quantiles are too wide", "model": "standard errors are too large"}.get(errors, robust)
        yield Verdict("misfit.underdispersed", f"The counts scatter less than {times}; {told}.")
