"""Where the model fails: overall, at zero, in the tail, in its spread."""

from __future__ import annotations

import math

from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.p_values import p_equals, rejects
from distfit_counts.result import Verdict

# Standard deviations of a single cell: beyond, no chance explains it.
_FAR = 4.0
# Expected counts as large as the largest, below which its being there is no chance.
_UNEXPECTED = 0.001


def overall(facts: Facts) -> list[Verdict]:
    """The chi-square test rejects the family: how much of the data is off, and where most."""
    test = facts.goodness.tests[0]
    if not rejects(test.p_value, facts.settings.gof_replicates):
        return []
    bins, n = facts.goodness.bins, facts.histogram.n
    off = 50.0 * sum(abs(row.observed - row.expected) for row in bins) / n
    worst = max(bins, key=lambda row: abs(row.pearson) if math.isfinite(row.pearson) else 0.0)
    sign = "more" if worst.pearson > 0 else "fewer"
    where = f"{worst.low} and above" if worst.high is None else f"{worst.low}"
    where = f"{worst.low} to {worst.high}" if worst.high is not None and worst.high > worst.low else where
    message = (
        f"The counts do not follow this family: X² = {test.statistic:.4g} on {test.df:.0f} df, "
        f"{p_equals(test.p_value)}. {off:.2g} % of them are in the wrong place; furthest off is {where}, with {sign} "
        f"({worst.observed:,}) than expected ({worst.expected:,.1f})."
    )
    return [Verdict("misfit.chi_square", message)]


def zeros(facts: Facts) -> list[Verdict]:
    """The zero share is off by more than chance (the fit has already taken the zeros into account)."""
    n, seen = facts.histogram.n, facts.histogram.zeros
    share = facts.derived["prob_zero"]
    deviation = math.sqrt(n * share * (1.0 - share)) if 0.0 < share < 1.0 else 0.0
    if abs(seen - n * share) <= _FAR * max(deviation, 0.5):
        return []
    word = "more" if seen > n * share else "fewer"
    advice = "a zero-inflated family, zi(...)" if word == "more" else "a hurdle, hurdle(...)"
    message = (
        f"There are {word} zeros than the model expects: {100 * seen / n:.3g} % against {100 * share:.3g} %. "
        f"Try {advice}, or another family."
    )
    return [Verdict("misfit.zeros", message)]


def tail(facts: Facts) -> list[Verdict]:
    """Counts far beyond what the model expects, or the open last bin off by more than chance."""
    largest, expected = int(facts.histogram.values[-1]), facts.goodness.expected_largest
    if expected < _UNEXPECTED:
        message = (
            f"The tail is heavier than the model's: it expects {expected:.1g} counts of {largest:,} or more. Look at "
            "these counts, or take a family with a heavier tail."
        )
        return [Verdict("misfit.tail", message)]
    last = facts.goodness.bins[-1]
    if len(facts.goodness.bins) < 2 or not last.pearson > _FAR:
        return []
    message = (
        f"The tail is heavier than the model's: {last.observed:,} counts of {last.low:,} or more, against "
        f"{last.expected:,.1f} expected."
    )
    return [Verdict("misfit.tail", message)]


def underdispersed(facts: Facts) -> list[Verdict]:
    """(n-1) variance/mean is about chi-square with n-1 degrees for a Poisson: three deviations below are no chance."""
    mean, variance, n = facts.histogram.mean, facts.histogram.variance, facts.histogram.n
    fitted = facts.derived["variance"]
    # Truncation and hurdles may lower the variance and fit: then there is nothing to say.
    if n < 2 or mean == 0.0 or not variance < 0.9 * fitted or (variance / mean - 1.0) * ((n - 1) / 2.0) ** 0.5 > -3.0:
        return []
    message = (
        f"The variance ({variance:.4g}) is well below the mean ({mean:.4g}) and the fitted variance ({fitted:.4g}): "
        "the counts are underdispersed, and this family does not follow that. Its standard errors are too large."
    )
    return [Verdict("data.underdispersed", message)]
