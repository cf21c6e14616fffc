"""Numbers into sentences, each with a stable code."""

from __future__ import annotations

from collections.abc import Sequence

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.estimates import Judgement
from distfit_counts.result import Restart, Verdict
from distfit_counts.settings import SAME_OPTIMUM


def verdicts_of(
    judgement: Judgement,
    row: int,
    restarts: Sequence[Restart],
    histogram: Histogram,
    n_restarts: int,
    fitted_variance: float,
) -> tuple[Verdict, ...]:
    """What a reader must know before using the numbers of this column."""
    found = _boundaries(judgement, row)
    found += _underdispersed(histogram, fitted_variance)
    found += _not_identified(judgement, row)
    found += _not_converged(judgement, row)
    found += _restarts(restarts[:n_restarts])
    n, p = histogram.n, judgement.solution.family.n_parameters
    if n <= p + 1:
        few = "1 observation is" if n == 1 else f"{n} observations are"
        many = "1 parameter" if p == 1 else f"{p} parameters"
        message = f"{few} too few for {many}: AICc is undefined, and so is any certainty."
        found.append(Verdict("sample.too_small", message))
    return tuple(dict.fromkeys(found))


def _boundaries(judgement: Judgement, row: int) -> list[Verdict]:
    chain = judgement.chain(row)
    if not chain:
        return []
    simpler = chain[-1].family.plain()
    advice = f" The same model with fewer parameters: {simpler.spec}." if simpler.parameters else ""
    last = Verdict(chain[-1].code, chain[-1].reason + advice)
    return [*(Verdict(limit.code, limit.reason) for limit in chain[:-1]), last]


def _underdispersed(histogram: Histogram, fitted: float) -> list[Verdict]:
    """(n-1) variance/mean is about chi-square with n-1 degrees for a Poisson: three deviations below are no chance."""
    mean, variance, n = histogram.mean, histogram.variance, histogram.n
    # Truncation and hurdles may lower the variance and fit: then there is nothing to say.
    if n < 2 or mean == 0.0 or not variance < 0.9 * fitted or (variance / mean - 1.0) * ((n - 1) / 2.0) ** 0.5 > -3.0:
        return []
    message = (
        f"The variance ({variance:.4g}) is well below the mean ({mean:.4g}) and the fitted variance ({fitted:.4g}): "
        "the counts are underdispersed, and this family does not follow that. Its standard errors are too large."
    )
    return [Verdict("data.underdispersed", message)]


def _not_identified(judgement: Judgement, row: int) -> list[Verdict]:
    names = judgement.flat(row)
    if not names:
        return []
    message = (
        f"The likelihood is flat along {', '.join(names)}: many values fit equally well. No standard error exists "
        "for them; use a family with fewer parameters."
    )
    return [Verdict("parameter.not_identified", message)]


def _not_converged(judgement: Judgement, row: int) -> list[Verdict]:
    solution = judgement.solution
    if solution.converged(row):
        return []
    status = solution.status_text(row)
    reason = {
        "max_steps": "The steps ran out before the gradient vanished; raise --max-steps.",
        "stalled": "No step lowers the negative log-likelihood, yet the gradient is not zero.",
        "not_finite": "The likelihood is not finite at any start: the family cannot produce these counts.",
    }
    return [Verdict(f"fit.{status}", reason[status])]


def _restarts(restarts: Sequence[Restart]) -> list[Verdict]:
    reached = sum(restart.basin == 1 for restart in restarts)
    if len(restarts) < 3 or reached > 1:
        return []
    best = min(restart.nll for restart in restarts)
    others = [restart.nll - best for restart in restarts if restart.nll - best > SAME_OPTIMUM]
    gap = f"; the next best ends {min(others):.4g} log-likelihood units lower" if others and reached else ""
    count = "one" if reached else "none"
    message = f"Only {count} of {len(restarts)} restarts reached the best optimum{gap}. Raise --restarts to be surer."
    if not reached:
        message = (
            f"None of {len(restarts)} restarts reached the best optimum: it was found from the solution of a simpler "
            "family. Raise --restarts to be surer."
        )
    return [Verdict("restarts.rarely_best", message)]
