"""Whether the optimum was reached, by how many starts, and what else lies near it."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.family import Family
from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.fitted.reached import reached
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.optimise.minimise import CONVERGED, RETIRED
from distfit_counts.optimise.starts import SEGMENTS
from distfit_counts.result import Verdict
from distfit_counts.settings import SAME_OPTIMUM

# Differences in log-likelihood below this are of no consequence: a flat ridge, not another answer.
_SAME = 0.01
# Log-likelihood units within which two optima are about equally well supported: a factor of e^2 in likelihood.
_NEARLY = 2.0

# Why a fit counts as not converged, by its status.
REASONS = {
    "max_steps": "The steps ran out before the gradient vanished; raise --max-steps.",
    "stalled": "No step lowers the negative log-likelihood, yet the gradient is not zero.",
    "not_finite": "The likelihood is not finite at any start: the family cannot produce these counts.",
    "inconsistent": "The log-likelihood that the search reached is not that of the estimates shown, which is what is "
    "reported: an error of distfit. Do not use this fit, and please report it.",
    "saddle": "The gradient vanishes at a saddle, not at a maximum: the Hessian has a negative eigenvalue. Use newton.",
}


def _not_converged(facts: Facts) -> list[Verdict]:
    """Why the fit counts as not converged."""
    status = facts.chunk.status[facts.at]
    return [Verdict(f"fit.{status}", REASONS[status])]


def _followed(chunk: Chunk) -> Bools:
    """Which of the restarts [C, R] were followed to their end."""
    status = chunk.judgement.solution.status[chunk.rows, : chunk.settings.restarts]
    return np.asarray(status != RETIRED)


def _at_best(chunk: Chunk) -> Bools:
    """Which of the starts [C, S] are at the best optimum, or on a flat ridge with it."""
    return np.asarray((chunk.basin == 1) | (chunk.above_best <= _SAME))


def _reached(chunk: Chunk) -> Bools:
    """Which of the restarts [C, R] reached the best optimum."""
    return _followed(chunk) & _at_best(chunk)[:, : chunk.settings.restarts]


def _elsewhere(chunk: Chunk) -> Bools:
    """Which of the restarts [C, R] ended at another optimum."""
    return _followed(chunk) & ~_at_best(chunk)[:, : chunk.settings.restarts]


def _once_or_never(chunk: Chunk) -> Bools:
    """The best optimum was reached once or never by three restarts or more, all of them followed: of one that retired
    from a race nobody knows where it would have ended.
    """
    followed = _followed(chunk)
    return np.asarray((_reached(chunk).sum(axis=1) <= 1) & followed.all(axis=1) & (followed.shape[1] >= 3))


def _rarely_best(facts: Facts) -> list[Verdict]:
    chunk, at, number = facts.chunk, facts.at, facts.chunk.settings.restarts
    gap = chunk.above_best[at, :number][_elsewhere(chunk)[at]].min()
    if _reached(chunk)[at].any():
        message = f"Only one of {number} restarts reached the best optimum; the next best ends {gap:.4g} "
    else:
        solution = chunk.judgement.solution
        segments = solution.origins[int(solution.best[facts.row])] == SEGMENTS
        where = "the runs into which the counts are best cut" if segments else "the solution of a simpler family"
        message = (
            f"None of {number} restarts reached the best optimum: it was found from {where}. The best of them ends "
            f"{gap:.4g} "
        )
    return [Verdict("restarts.rarely_best", f"{message}log-likelihood units lower. Raise --restarts to be surer.")]


def _unconfirmed(chunk: Chunk) -> Bools:
    """Too few starts for two of them to agree."""
    few = chunk.settings.restarts < 3 and bool(chunk.family.parameters)
    return np.asarray(((chunk.basin == 1).sum(axis=1) <= 1) & few)


def _reached_once(facts: Facts) -> list[Verdict]:
    starts = facts.chunk.basin.shape[1]
    of = "the only start" if starts == 1 else f"one of {starts} starts"
    message = f"The optimum was reached once, from {of}: nothing confirms it. Raise --restarts to be surer."
    return [Verdict("restarts.reached_once", message)]


def _mostly_elsewhere(chunk: Chunk) -> Bools:
    """More than half of the restarts ended elsewhere, though several agree on the best."""
    reached, others = _reached(chunk), _elsewhere(chunk).sum(axis=1)
    return np.asarray((reached.sum(axis=1) >= 2) & (2 * others > reached.shape[1]))


def _disagree(facts: Facts) -> list[Verdict]:
    chunk, at = facts.chunk, facts.at
    elsewhere = _elsewhere(chunk)[at]
    above = chunk.above_best[at, : len(elsewhere)][elsewhere]
    low, high = above.min(), above.max()
    how_far = f"{low:.3g}" if high - low < 0.05 * high else f"{low:.3g} to {high:.3g}"
    # Some may have retired from a race; where those would have ended nobody knows.
    least = "" if _followed(chunk)[at].all() else "At least "
    message = (
        f"{least}{len(above)} of {len(elsewhere)} restarts ended at another optimum, {how_far} log-likelihood units "
        "lower: the likelihood has several peaks, and one start alone would not do."
    )
    return [Verdict("restarts.disagree", message)]


def _rivals(chunk: Chunk) -> Bools:
    """Starts [C, S] that ended at another optimum that the data support about as well."""
    near = ~_at_best(chunk) & (chunk.above_best < _NEARLY)
    return np.asarray(near & (chunk.judgement.solution.status[chunk.rows] == CONVERGED) & ~chunk.at_limit[:, None])


def _nearly_equal(facts: Facts) -> list[Verdict]:
    """The parameters are not what they seem to be."""
    above = facts.chunk.above_best[facts.at]
    rival = int(np.argmin(np.where(_rivals(facts.chunk)[facts.at], above, np.inf)))
    simpler = _simpler_at(facts, float(facts.chunk.nll[facts.at, rival]))
    values = ", ".join(f"{name} = {value:.4g}" for name, value in facts.restarts[rival].estimate.items())
    where = f"at {values}" if simpler is None else f"where {facts.chunk.family.spec} is {simpler.spec}"
    message = (
        f"Another optimum is only {above[rival]:.3g} log-likelihood units lower, {where}: the data hardly "
        "choose between the two."
    )
    return [Verdict("optimum.nearly_equal", message)]


def _simpler_at(facts: Facts, nll: float) -> Family | None:
    """The simpler family whose maximum a start has reached that ended at ``nll``: parameters there mean nothing, such
    as the rate of a component of weight 1e-15.
    """
    n = facts.histogram.n
    for _, inner in facts.chunk.judgement.solution.nested:
        if abs(n * float(inner.supremum[facts.row]) - nll) <= SAME_OPTIMUM:
            return reached(inner, facts.row)[-1].family.plain()
    return None


NOT_CONVERGED = Rule(lambda chunk: ~chunk.converged, _not_converged)
RARELY_BEST = Rule(_once_or_never, _rarely_best, "restarts.rarely_best")
REACHED_ONCE = Rule(_unconfirmed, _reached_once, "restarts.reached_once")
DISAGREE = Rule(_mostly_elsewhere, _disagree, "restarts.disagree")
NEARLY_EQUAL = Rule(lambda chunk: np.asarray(_rivals(chunk).any(axis=1)), _nearly_equal, "optimum.nearly_equal")
