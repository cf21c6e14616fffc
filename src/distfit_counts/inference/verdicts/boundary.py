"""Which boundary was hit, which parameter the data do not determine, and which simpler family is the same model."""

from __future__ import annotations

from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.p_values import p_equals
from distfit_counts.result import Verdict

# A likelihood ratio with a larger p-value says nothing against the simpler family.
_NO_BETTER = 0.1


def boundaries(facts: Facts) -> list[Verdict]:
    """The limits passed on the way to the model at the supremum."""
    chain = facts.judgement.chain(facts.row)
    if not chain:
        return []
    simpler = chain[-1].family.plain()
    advice = f" The same model with fewer parameters: {simpler.spec}." if simpler.parameters else ""
    last = Verdict(chain[-1].code, chain[-1].reason + _divisor(facts, chain[-1].code) + advice)
    return [*(Verdict(limit.code, limit.reason) for limit in chain[:-1]), last]


def _divisor(facts: Facts, code: str) -> str:
    """Why counts whose variance exceeds their mean are not overdispersed: the likelihood divides by n, not n − 1."""
    h = facts.histogram
    if facts.judgement.solution.family.spec != "nb" or code != "nb.poisson_limit":
        return ""
    shown = h.variance / h.mean
    decisive = shown * (h.n - 1) / h.n
    if not decisive <= 1.0 < shown:
        return ""
    return f" (Variance/mean is {shown:.5g} with divisor n − 1, but {decisive:.5g} with n, which decides.)"


def not_identified(facts: Facts) -> list[Verdict]:
    """Parameters along which the likelihood is flat: an eigenvalue of the information is zero."""
    names = facts.judgement.flat(facts.row)
    if not names:
        return []
    moves = [" and ".join(direction) for direction in facts.judgement.flat_directions(facts.row)]
    how = f" (moving {'; or '.join(moves)} changes nothing)" if moves else ""
    message = (
        f"The likelihood is flat along {', '.join(names)}{how}: many values fit equally well. No standard error exists "
        "for them; use a family with fewer parameters."
    )
    return [Verdict("parameter.not_identified", message)]


def simpler_suffices(facts: Facts) -> list[Verdict]:
    """Simpler families that the likelihood ratio cannot tell from the one fitted (not those that it is)."""
    if facts.judgement.chain(facts.row) or not facts.judgement.solution.converged(facts.row):
        return []
    return [
        Verdict(
            "simpler.suffices",
            f"{test.title}: the likelihood ratio is only {test.statistic:.3g} ({p_equals(test.p_value)}): these counts "
            "do not tell the two apart.",
        )
        for test in facts.tests
        if test.code.startswith("lr.") and test.p_value > _NO_BETTER
    ]
