"""Where the model fails: overall, at zero, in the tail, in its spread."""

from __future__ import annotations

import math

import numpy as np

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.p_values import p_equals, rejection
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Verdict

# Standard deviations of a single cell: beyond, no chance explains it.
_FAR = 4.0
# Expected counts as large as the largest, below which its being there is no chance.
_UNEXPECTED = 0.001


def _rejected(chunk: Chunk) -> Bools:
    """The chi-square test rejects the family."""
    return np.asarray(chunk.goodness.pooled[0].p_value <= rejection(chunk.settings.gof_replicates))


def _overall(facts: Facts) -> list[Verdict]:
    """How much of the data is off, and where most."""
    test, bins, n = facts.goodness.tests[0], facts.goodness.bins, facts.histogram.n
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


def _zero_share_off(chunk: Chunk) -> Bools:
    """The zero share is off by more than chance (the fit has already taken the zeros into account)."""
    n, seen, share = chunk.counts.n, chunk.counts.zeros, chunk.derived["prob_zero"]
    deviation = np.sqrt(np.maximum(n * share * (1.0 - share), 0.0))
    return np.asarray(~(np.abs(seen - n * share) <= _FAR * np.fmax(deviation, 0.5)))


def _zeros(facts: Facts) -> list[Verdict]:
    n, seen, share = facts.histogram.n, facts.histogram.zeros, facts.derived["prob_zero"]
    if not seen:
        message = (
            f"No zero was recorded, and the model expects {100 * share:.3g} % of zeros. Are units without events "
            "missing from these data? Then fit a family of counts from 1 on: zt(...) or logseries. If zeros would have "
            "been recorded, hurdle(...) says how rare they are."
        )
        return [Verdict("misfit.zeros", message)]
    word = "more" if seen > n * share else "fewer"
    advice = "a zero-inflated family, zi(...)" if word == "more" else "a hurdle, hurdle(...)"
    message = (
        f"There are {word} zeros than the model expects: {100 * seen / n:.3g} % against {100 * share:.3g} %. "
        f"Try {advice}, or another family."
    )
    return [Verdict("misfit.zeros", message)]


def _largest_unexpected(chunk: Chunk) -> Bools:
    return np.asarray(chunk.goodness.expected_largest < _UNEXPECTED)


def _tail_heavier(chunk: Chunk) -> Bools:
    """Counts far beyond what the model expects, or the open last bin off by more than chance."""
    observed, expected = chunk.goodness.bins.last
    there = (chunk.goodness.bins.size > 1) & (expected > 0.0)
    deviation = (observed - expected) / np.sqrt(np.where(there, expected, 1.0))
    return _largest_unexpected(chunk) | (there & (deviation > _FAR))


def _tail(facts: Facts) -> list[Verdict]:
    if _largest_unexpected(facts.chunk)[facts.at]:
        largest, expected = int(facts.histogram.values[-1]), facts.goodness.expected_largest
        message = (
            f"The tail is heavier than the model's: it expects {expected:.1g} counts of {largest:,} or more. Look at "
            "these counts, or take a family with a heavier tail."
        )
        return [Verdict("misfit.tail", message)]
    last = facts.goodness.bins[-1]
    message = (
        f"The tail is heavier than the model's: {last.observed:,} counts of {last.low:,} or more, against "
        f"{last.expected:,.1f} expected."
    )
    return [Verdict("misfit.tail", message)]


def _less_spread(chunk: Chunk) -> Bools:
    """(n-1) variance/mean is about chi-square with n-1 degrees for a Poisson: three deviations below are no chance.

    Truncation and hurdles may lower the variance and fit: then there is nothing to say.
    """
    n, mean, variance = chunk.counts.n, chunk.counts.mean, chunk.counts.variance
    ratio = variance / np.where(mean > 0.0, mean, 1.0)
    far = (ratio - 1.0) * np.sqrt((n - 1.0) / 2.0) <= -3.0
    return np.asarray((n > 1) & (mean > 0.0) & (variance < 0.9 * chunk.derived["variance"]) & far)


def _underdispersed(facts: Facts) -> list[Verdict]:
    mean, variance, fitted = facts.histogram.mean, facts.histogram.variance, facts.derived["variance"]
    message = (
        f"The variance ({variance:.4g}) is well below the mean ({mean:.4g}) and the fitted variance ({fitted:.4g}): "
        "the counts are underdispersed, and this family does not follow that. Its standard errors are too large."
    )
    return [Verdict("data.underdispersed", message)]


OVERALL = Rule(_rejected, _overall, "misfit.chi_square")
ZEROS = Rule(_zero_share_off, _zeros, "misfit.zeros")
TAIL = Rule(_tail_heavier, _tail, "misfit.tail")
UNDERDISPERSED = Rule(_less_spread, _underdispersed, "data.underdispersed")
