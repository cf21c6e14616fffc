"""What a comparison says: ties, misfits, how much any model could still gain, how many components."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from distfit_counts.comparison import Ceiling, Components, Ranked
from distfit_counts.families.spec import WRAPPERS, parse
from distfit_counts.result import Verdict
from distfit_counts.settings import TIE

# Log-likelihood units that are nothing at all: the ceiling itself is known only up to its gap.
_NOTHING = 1e-5


def ranking_verdicts(
    n: int,
    candidates: Sequence[Ranked],
    components: Sequence[Components],
    ceiling: Ceiling | None,
    asked: Collection[str],
) -> tuple[Verdict, ...]:
    """What a reader must know before taking the first row for the answer, of ``n`` observations.

    ``asked``: the families that were to be compared; others are what the best of these is at a boundary.
    """
    found = [
        *_small(n, candidates),
        *_no_zeros(candidates),
        *_joined(candidates, asked),
        *_tie(candidates),
        *_by_aic(candidates),
    ]
    found += [*_misfit(candidates), *_ceiling(n, candidates, ceiling)]
    found += [verdict for group in components for verdict in _components(n, group, candidates, ceiling)]
    return tuple(found)


def _small(n: int, candidates: Sequence[Ranked]) -> list[Verdict]:
    """The remark of the single fits, once: too few observations for some of the families."""
    codes = ("sample.small", "sample.too_small")
    rough = [c.family for c in candidates if any(code in codes for code in c.codes)]
    if not rough:
        return []
    simulated = candidates[0].simulated
    advice = "; --gof-replicates 999 simulates the X² p-values"
    p_values = "likelihood-ratio p-values" if simulated else "p-values"
    message = (
        f"{n} observation{'s are' if n != 1 else ' is'} few for {_listed(rough)}: AIC, BIC and the {p_values} rest on "
        f"large samples. Differences that are not large say little{'' if simulated else advice}."
    )
    return [Verdict("sample.small", message)]


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _no_zeros(candidates: Sequence[Ranked]) -> list[Verdict]:
    """What to ask where the best family has no zeros, as the counts have none."""
    best = candidates[0].family
    if parse(best).lowest == 0:
        return []
    message = (
        f"No zero was recorded, and {best} has none. Are units without events missing from these data? Then it "
        "describes those that are there, not all."
    )
    return [Verdict("compare.no_zeros", message)]


def _joined(candidates: Sequence[Ranked], asked: Collection[str]) -> list[Verdict]:
    """The model that the best family is at a boundary, where it was not asked for itself."""
    return [
        Verdict(
            "compare.joined",
            f"{own.family} is what {_listed(same)} {'is' if len(same) == 1 else 'are'} on these counts, at a boundary, "
            "and has fewer parameters: it is compared too.",
            reassuring=True,
        )
        for own in candidates
        if own.family not in asked and (same := _at(own.family, candidates))
    ]


def _at(spec: str, candidates: Sequence[Ranked]) -> list[str]:
    """The families that are ``spec`` at a boundary."""
    return [c.family for c in candidates if c.family != spec and parse(c.equivalent).plain().spec == spec]


def _by_aic(candidates: Sequence[Ranked]) -> list[Verdict]:
    """Whether AIC, which charges less for parameters, prefers another family than BIC."""
    best, first = candidates[0], min(candidates, key=lambda c: c.aic)
    if not first.aic < best.aic - _NOTHING:
        return []
    message = (
        f"AIC prefers {first.family} (lower by {best.aic - first.aic:.3g}), BIC {best.family} (lower by "
        f"{first.bic - best.bic:.3g}): AIC looks for the best prediction, BIC for the family that the counts come from."
    )
    return [Verdict("compare.aic", message)]


def _tie(candidates: Sequence[Ranked]) -> list[Verdict]:
    best = candidates[0]
    # Where zeros are as good as impossible, a family truncated at them is the same model.
    same = WRAPPERS["zt"](parse(best.family)).spec
    tied = [c.family for c in candidates[1:] if c.delta < TIE and c.family != same]
    if not tied:
        return []
    message = (
        f"{_listed([best.family, *tied])} are within {TIE:g} BIC: the data do not prefer one. Fewer parameters, or "
        "what is known about the counts, must decide."
    )
    return [Verdict("compare.tie", message)]


def _misfit(candidates: Sequence[Ranked]) -> list[Verdict]:
    best = candidates[0]
    if "misfit.chi_square" not in best.codes:
        return []
    message = (
        f"Even the best does not fit: for {best.family} X² = {best.chi_square:.4g} on {best.chi_square_df:.0f} df. The "
        "best of these families is not a good one: look at where it fails (distfit fit)."
    )
    return [Verdict("compare.misfit", message)]


def _ceiling(n: int, candidates: Sequence[Ranked], ceiling: Ceiling | None) -> list[Verdict]:
    if ceiling is None:
        return []
    beyond = _beyond_mixtures(candidates, ceiling)
    best = candidates[0]
    if beyond or not parse(best.family).poisson_mixture:
        return beyond
    left = max(ceiling.log_likelihood + ceiling.gap - best.log_likelihood, 0.0)
    if left < _NOTHING:
        message = f"No Poisson mixture has a higher log-likelihood than {best.family}."
        return [Verdict("compare.ceiling", message, reassuring=True)]
    # What BIC charges for one Poisson more: a weight and a rate.
    price = math.log(n)
    more = "No Poisson mixture can raise the log-likelihood of"
    if left <= price:
        message = f"{more} {best.family} by more than {left:.3g}; BIC charges {price:.3g} for a further component."
        return [Verdict("compare.ceiling", message, reassuring=True)]
    message = (
        f"The best Poisson mixture of all lies {left:.3g} log-likelihood units above {best.family}, and BIC charges "
        f"only {price:.3g} for a further component: a mixture that is not in the list may be better."
    )
    return [Verdict("compare.ceiling", message)]


def _beyond_mixtures(candidates: Sequence[Ranked], ceiling: Ceiling) -> list[Verdict]:
    """Families above the ceiling that BIC prefers to every Poisson mixture fitted by more than a tie.

    To lie above the ceiling is no test: a hurdle, with a parameter more, does so by chance in half of all samples of a
    Poisson. A lower BIC as well, by 2, is a likelihood ratio of log n + 2: p = 0.007 for n = 200.
    """
    mixtures = [c for c in candidates if parse(c.family).poisson_mixture]
    if not mixtures:
        return []
    first = min(mixtures, key=lambda c: c.bic)
    top = ceiling.log_likelihood + ceiling.gap + 0.01
    rivals = [c for c in candidates if c.log_likelihood > top and c.bic < first.bic - TIE]
    if not rivals:
        return []
    one = len(rivals) == 1
    message = (
        f"{_listed([c.family for c in rivals])} {'is' if one else 'are'} more likely than any Poisson mixture can "
        f"be, and {'has' if one else 'have'} a BIC lower by {first.bic - max(c.bic for c in rivals):.3g}"
        f"{'' if one else ' and more'} than that of {first.family}: the counts do not look like a Poisson with a "
        "varying rate (they have fewer zeros, or less spread, than such counts have)."
    )
    return [Verdict("compare.no_poisson_mixture", message)]


def _components(n: int, group: Components, candidates: Sequence[Ranked], ceiling: Ceiling | None) -> list[Verdict]:
    by_test = "" if group.by_test is None else f", the bootstrap likelihood ratio K = {group.by_test}"
    answers = {group.by_bic, group.by_icl} | ({group.by_test} if group.by_test is not None else set())
    agree = len(answers) == 1
    message = (
        f"Components of {group.component}: BIC chooses K = {group.by_bic}, ICL K = {group.by_icl}{by_test} (tried "
        f"{', '.join(map(str, group.candidates))})."
    )
    if group.by_bic != group.by_icl:
        message += " ICL counts only components that can be told apart; BIC also those that mend the shape."
    if group.by_test not in (None, group.by_bic):
        message += " The test asks whether a further component is there at all; BIC whether it pays for its parameters."
    largest = max(group.candidates)
    exhausted = _exhausted(n, group, candidates, ceiling)
    open_ended = max(answers) == largest and exhausted is None
    if open_ended:
        message += f" K = {largest} is the largest tried: try {largest + 1}*{group.component} too."
    elif max(answers) == largest:
        message += f" K = {largest} is the largest tried; no Poisson mixture gains more than {exhausted:.3g} over it."
    return [Verdict("compare.components", message, reassuring=agree and not open_ended)]


def _exhausted(n: int, group: Components, candidates: Sequence[Ranked], ceiling: Ceiling | None) -> float | None:
    """What the ceiling leaves to gain over the largest number tried, where a component more would have to gain more."""
    largest = max(group.candidates)
    more = parse(f"{largest + 1}*{group.component}")
    if ceiling is None or not more.poisson_mixture:
        return None
    fit = next(c for c in candidates if c.family == group.candidates[largest])
    left = max(ceiling.log_likelihood + ceiling.gap - fit.log_likelihood, 0.0)
    # A test may find more components than BIC pays for, but hardly by a likelihood ratio of 2.
    price = 0.5 * math.log(n) * (more.n_parameters - fit.n_parameters) if group.by_test != largest else 1.0
    return left if left <= price else None
