"""What new data say of a model, in sentences with stable codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.inference.verdicts.p_values import p_equals
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    from distfit_counts.inference.new_data.check import Check

# Significance of the chi-square test; standard errors that are no chance for one figure.
_SIGNIFICANT, FAR = 0.01, 3.0
PASS = Verdict("check.pass", "The new data look like the model.", reassuring=True)
# What is said of a check that failed nothing: the data are those of the fit, or too few for a test.
_NO_FAILURE = {"check.same_data", "check.small"}


def failed(verdicts: Iterable[Verdict]) -> bool:
    """Whether new data do not look like the model: what ``distfit check --fail`` answers with exit code 3."""
    return any(not verdict.reassuring and verdict.code not in _NO_FAILURE for verdict in verdicts)


def check_verdicts(check: Check) -> tuple[Verdict, ...]:
    """What was found, or that nothing was."""
    found = [*_same_data(check), *_outside(check), *_misfit(check), *_drift(check), *_zeros(check), *_score(check)]
    if not found:
        found = [PASS]
    return tuple(found)


def _same_data(check: Check) -> list[Verdict]:
    if not check.fit.histogram.same(check.histogram):
        return []
    message = (
        "These are the very counts that the model was fitted to: its scores flatter it, and the p-value is too large. "
        "distfit fit tests a fit on its own data."
    )
    return [Verdict("check.same_data", message)]


def _outside(check: Check) -> list[Verdict]:
    if not check.outside:
        return []
    family = check.fit.model[0]
    below = check.histogram.values[0] < family.lowest
    why = f"{family.spec} gives probability 0 to all below {family.lowest}" if below else "their probability is 0"
    if below and check.histogram.zeros:
        why = f"{family.spec} gives probability 0 to the {check.histogram.zeros:,} observed zeros"
    remedy = "Leave those rows out, or fit a hurdle(...)." if below else "Fit a family that has them."
    message = (
        f"The model cannot produce {check.outside:,} of {check.n:,} counts ({why}): the log score is infinite. {remedy}"
    )
    return [Verdict("check.outside_support", message)]


def _misfit(check: Check) -> list[Verdict]:
    test = check.chi_square
    if test.p_value != test.p_value:
        message = (
            "No chi-square test: it needs two bins with 5 expected counts each, and this model expects fewer "
            f"of {check.n:,} in all."
        )
        return [Verdict("check.small", message)]
    if test.p_value >= _SIGNIFICANT:
        return []
    worst = max(check.bins, key=lambda row: (row.observed - row.expected) ** 2 / max(row.expected, 1e-300))
    message = (
        f"The new data do not follow the model: X² = {test.statistic:.4g} on {test.df:.0f} df, "
        f"{p_equals(test.p_value)}; most at {_label(worst)}, where {worst.observed:,} are seen and "
        f"{worst.expected:,.4g} expected."
    )
    if check.n > check.fit.n:
        message += f" The model rests on {check.fit.n:,} counts: part of it may be the error of its estimates."
    return [Verdict("check.misfit", message)]


def _drift(check: Check) -> list[Verdict]:
    mean, expected = check.histogram.mean, check.fit.mean
    error = (check.fit.variance / check.n) ** 0.5
    if abs(mean - expected) <= FAR * error or error == 0.0:
        return []
    # As many digits as tell the two apart.
    digits = next(d for d in range(5, 18) if f"{mean:.{d}g}" != f"{expected:.{d}g}")
    message = f"The mean is {mean:.{digits}g}, the model's {expected:.{digits}g}: {errors(mean - expected, error)}."
    return [Verdict("check.drift", message)]


def _zeros(check: Check) -> list[Verdict]:
    if check.fit.model[0].lowest > 0:
        return []
    return zeros_verdict(check.n, check.histogram.zeros / check.n, check.fit.prob_zero)


def zeros_verdict(n: float, observed: float, share: float) -> list[Verdict]:
    """Whether the ``observed`` share of zeros among ``n`` counts is chance where ``share`` is expected. Where this
    differs from row to row, the binomial error is on the safe side.
    """
    # Where less than one zero is expected, one that comes is no surprise: at least three too many are asked for.
    error = max(n * share * (1.0 - share), 1.0) ** 0.5 / n
    if abs(observed - share) <= FAR * error:
        return []
    more = "more" if observed > share else "fewer"
    message = (
        f"There are {more} zeros than the model expects: a share of {observed:.4g}, not {share:.4g}, "
        f"{errors(observed - share, error)}."
    )
    return [Verdict("check.zeros", message)]


def _score(check: Check) -> list[Verdict]:
    z = check.log_score_z
    if not np.isfinite(z) or abs(z) <= FAR:
        return []
    less = "less probable" if z > 0 else "more probable"
    message = (
        f"The new counts are {less} on average than the model expects of its own: a log score of "
        f"{check.log_score:.5g}, not {check.expected_log_score:.5g} ({_size(z)} standard errors)."
    )
    return [Verdict("check.score", message)]


def errors(difference: float, error: float) -> str:
    return f"{_size(difference / error)} standard errors {'above' if difference > 0 else 'below'}"


def _size(z: float) -> str:
    return f"{abs(z):.1f}" if abs(z) < 100.0 else f"{abs(z):,.0f}"


def _label(row: Frequency) -> str:
    if row.high is None:
        return f"{row.low} and above"
    return str(row.low) if row.high == row.low else f"{row.low} to {row.high}"
