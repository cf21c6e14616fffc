"""Whether the optimum was reached, by how many starts, and what else lies near it."""

from __future__ import annotations

from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.result import Verdict

# Differences in log-likelihood below this are of no consequence: a flat ridge, not another answer.
_SAME = 0.01
# Log-likelihood units within which two optima are about equally well supported: a factor of e^2 in likelihood.
_NEARLY = 2.0

_REASONS = {
    "max_steps": "The steps ran out before the gradient vanished; raise --max-steps.",
    "stalled": "No step lowers the negative log-likelihood, yet the gradient is not zero.",
    "not_finite": "The likelihood is not finite at any start: the family cannot produce these counts.",
    "saddle": "The gradient vanishes at a saddle, not at a maximum: the Hessian has a negative eigenvalue. Use newton.",
}


def not_converged(facts: Facts) -> list[Verdict]:
    """Why the fit counts as not converged."""
    solution = facts.judgement.solution
    if solution.converged(facts.row):
        return []
    status = solution.status_text(facts.row)
    return [Verdict(f"fit.{status}", _REASONS[status])]


def rarely_best(facts: Facts) -> list[Verdict]:
    """The best optimum was reached once or never by the restarts."""
    own = facts.restarts[: facts.n_restarts]
    best = min(restart.nll for restart in facts.restarts)
    reached = sum(restart.basin == 1 or restart.nll - best <= _SAME for restart in own)
    if len(own) < 3 or reached > 1:
        return []
    gap = min(restart.nll - best for restart in own if restart.nll - best > _SAME)
    if reached:
        message = f"Only one of {len(own)} restarts reached the best optimum; the next best ends {gap:.4g} "
    else:
        message = (
            f"None of {len(own)} restarts reached the best optimum: it was found from the solution of a simpler "
            f"family. The best of them ends {gap:.4g} "
        )
    return [Verdict("restarts.rarely_best", f"{message}log-likelihood units lower. Raise --restarts to be surer.")]


def reached_once(facts: Facts) -> list[Verdict]:
    """Too few starts for two of them to agree."""
    starts = facts.restarts
    if facts.n_restarts >= 3 or sum(restart.basin == 1 for restart in starts) > 1 or not facts.estimates:
        return []
    of = "the only start" if len(starts) == 1 else f"one of {len(starts)} starts"
    message = f"The optimum was reached once, from {of}: nothing confirms it. Raise --restarts to be surer."
    return [Verdict("restarts.reached_once", message)]


def disagree(facts: Facts) -> list[Verdict]:
    """More than half of the restarts ended elsewhere, though several agree on the best."""
    own = facts.restarts[: facts.n_restarts]
    best = min(restart.nll for restart in facts.restarts)
    elsewhere = [restart.nll for restart in own if restart.nll - best > _SAME]
    if len(own) - len(elsewhere) < 2 or 2 * len(elsewhere) <= len(own):
        return []
    low, high = min(elsewhere) - best, max(elsewhere) - best
    how_far = f"{low:.3g}" if high - low < 0.05 * high else f"{low:.3g} to {high:.3g}"
    message = (
        f"{len(elsewhere)} of {len(own)} restarts ended at another optimum, {how_far} log-likelihood units lower: the "
        "likelihood has several peaks, and one start alone would not do."
    )
    return [Verdict("restarts.disagree", message)]


def nearly_equal(facts: Facts) -> list[Verdict]:
    """Another optimum that the data support about as well: the parameters are not what they seem to be."""
    best = min(restart.nll for restart in facts.restarts)
    rivals = [r for r in facts.restarts if _SAME < r.nll - best < _NEARLY and r.status == "converged"]
    if not rivals or facts.judgement.chain(facts.row):
        return []
    rival = min(rivals, key=lambda restart: restart.nll)
    values = ", ".join(f"{name} = {value:.4g}" for name, value in rival.estimate.items())
    message = (
        f"Another optimum is only {rival.nll - best:.3g} log-likelihood units lower, at {values}: the data hardly "
        "choose between the two."
    )
    return [Verdict("optimum.nearly_equal", message)]
