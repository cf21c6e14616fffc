"""What a comparison says: ties, misfits, how much any model could still gain, how many components."""

from __future__ import annotations

from collections.abc import Sequence

from distfit_counts.comparison import Candidate, Ceiling, Components
from distfit_counts.families.spec import parse
from distfit_counts.result import Verdict
from distfit_counts.settings import TIE

_REJECTED = 0.01


def ranking_verdicts(
    candidates: Sequence[Candidate], components: Sequence[Components], saturated: float, ceiling: Ceiling | None
) -> tuple[Verdict, ...]:
    """What a reader must know before taking the first row for the answer."""
    found = [*_small(candidates), *_tie(candidates), *_misfit(candidates), *_ceiling(candidates, ceiling)]
    found += [verdict for group in components for verdict in _components(group)]
    return tuple(found)


def _small(candidates: Sequence[Candidate]) -> list[Verdict]:
    """The remark of the single fits, once: too few observations for some of the families."""
    codes = ("sample.small", "sample.too_small")
    rough = [c.fit.family for c in candidates if any(verdict.code in codes for verdict in c.fit.verdicts)]
    if not rough:
        return []
    n = candidates[0].fit.n
    message = (
        f"{n} observation{'s are' if n != 1 else ' is'} few for {_listed(rough)}: AIC, BIC and the p-values rest on "
        "large samples. Differences that are not large say little; --gof-replicates 999 simulates the X² p-values."
    )
    return [Verdict("sample.small", message)]


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _tie(candidates: Sequence[Candidate]) -> list[Verdict]:
    best = candidates[0].fit
    tied = [c.fit.family for c in candidates[1:] if c.delta < TIE]
    if not tied:
        return []
    message = (
        f"{_listed([best.family, *tied])} are within {TIE:g} BIC: the data do not prefer one. Fewer parameters, or "
        "what is known about the counts, must decide."
    )
    return [Verdict("compare.tie", message)]


def _misfit(candidates: Sequence[Candidate]) -> list[Verdict]:
    best = candidates[0].fit
    test = best.goodness.tests[0]
    if not test.p_value < _REJECTED:
        return []
    message = (
        f"Even the best does not fit: for {best.family} X² = {test.statistic:.4g} on {test.df:.0f} df. The best of "
        "these families is not a good one: look at where it fails (distfit fit)."
    )
    return [Verdict("compare.misfit", message)]


def _ceiling(candidates: Sequence[Candidate], ceiling: Ceiling | None) -> list[Verdict]:
    if ceiling is None:
        return []
    best = candidates[0].fit
    left = ceiling.log_likelihood + ceiling.gap - best.log_likelihood
    rival = [c.fit for c in candidates if c.fit.log_likelihood > ceiling.log_likelihood + ceiling.gap + 0.01]
    if parse(best.family).poisson_mixture and not rival:
        message = f"No Poisson mixture can raise the log-likelihood of {best.family} by more than {left:.3g}."
        return [Verdict("compare.ceiling", message, reassuring=True)]
    if not rival:
        return []
    message = (
        f"{', '.join(fit.family for fit in rival)} fit better than any Poisson mixture can: the counts are not a "
        "Poisson with a varying rate (they have fewer zeros, or less spread, than such counts have)."
    )
    return [Verdict("compare.no_poisson_mixture", message)]


def _components(group: Components) -> list[Verdict]:
    by_test = "" if group.by_test is None else f", the bootstrap likelihood ratio K = {group.by_test}"
    answers = {group.by_bic, group.by_icl} | ({group.by_test} if group.by_test is not None else set())
    agree = len(answers) == 1
    message = (
        f"Components of {group.component}: BIC chooses K = {group.by_bic}, ICL K = {group.by_icl}{by_test} (tried "
        f"{', '.join(map(str, group.candidates))})."
    )
    if not agree:
        message += " ICL counts only components that can be told apart; BIC also those that mend the shape."
    return [Verdict("compare.components", message, reassuring=agree)]
