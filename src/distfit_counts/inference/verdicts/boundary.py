"""Which boundary was hit, which parameter the data do not determine, and which simpler family is the same model."""

from __future__ import annotations

import numpy as np

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.p_values import p_equals
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Verdict

# A likelihood ratio with a larger p-value says nothing against the simpler family.
_NO_BETTER = 0.1


def _boundaries(facts: Facts) -> list[Verdict]:
    """The limits passed on the way to the model at the supremum."""
    chain = facts.chain
    simpler = chain[-1].family.plain()
    advice = f" The same model with fewer parameters: {simpler.spec}{_new(facts)}." if simpler.parameters else ""
    last = Verdict(chain[-1].code, chain[-1].reason + _divisor(facts, chain[-1].code) + advice)
    return [*(Verdict(limit.code, limit.reason) for limit in chain[:-1]), last]


def _new(facts: Facts) -> str:
    """The values of the model where parameters are its own under names that mean something else in the family."""
    group, i = facts.group
    own = [name for name in group.family.names if name not in facts.chain[-1].carried.values()]
    if not any(name in facts.chunk.family.names for name in own):
        return ""
    return " with " + ", ".join(f"{name} = {value:.5g}" for name, value in group.at_values(i).items())


def _divisor(facts: Facts, code: str) -> str:
    """Why counts whose variance exceeds their mean are not overdispersed: the likelihood divides by n, not n − 1."""
    if facts.chunk.family.spec != "nb" or code != "nb.poisson_limit":
        return ""
    h = facts.histogram
    shown = h.variance / h.mean
    decisive = shown * (h.n - 1) / h.n
    if not decisive <= 1.0 < shown:
        return ""
    return f" (Variance/mean is {shown:.5g} with divisor n − 1, but {decisive:.5g} with n, which decides.)"


def _flat(chunk: Chunk) -> Bools:
    """The likelihood is flat along some parameter: an eigenvalue of the information is zero."""
    found = np.zeros(len(chunk.rows), dtype=bool)
    for group in chunk.groups:
        found[group.at] = group.judgement.wald.flat[group.rows].any(axis=1)
    return found


def _not_identified(facts: Facts) -> list[Verdict]:
    group, judgement = facts.group[0], facts.group[0].judgement
    names = [name for name, flat in zip(group.family.names, judgement.wald.flat[facts.row], strict=True) if flat]
    moves = [" and ".join(direction) for direction in judgement.flat_directions(facts.row)]
    how = f" (moving {'; or '.join(moves)} changes nothing)" if moves else ""
    message = (
        f"The likelihood is flat along {', '.join(names)}{how}: many values fit equally well. No standard error exists "
        "for them; use a family with fewer parameters."
    )
    return [Verdict("parameter.not_identified", message)]


def _no_worse(chunk: Chunk) -> list[Bools]:
    """For each simpler family, where the likelihood ratio cannot tell it from the one fitted (not where it is it)."""
    inside = chunk.converged & ~chunk.at_limit
    return [inside & (test.p_value > _NO_BETTER) for test in chunk.tests if test.code.startswith("lr.")]


def _some_suffices(chunk: Chunk) -> Bools:
    return np.asarray(np.any([np.zeros(len(chunk.rows), dtype=bool), *_no_worse(chunk)], axis=0))


def _simpler_suffices(facts: Facts) -> list[Verdict]:
    tests = [test for test in facts.chunk.tests if test.code.startswith("lr.")]
    found = [test.at(facts.at) for test, here in zip(tests, _no_worse(facts.chunk), strict=True) if here[facts.at]]
    return [
        Verdict(
            "simpler.suffices",
            f"{test.title}: the likelihood ratio is only {test.statistic:.3g} ({p_equals(test.p_value)}): these counts "
            "do not tell the two apart.",
        )
        for test in found
    ]


BOUNDARIES = Rule(lambda chunk: chunk.at_limit, _boundaries)
NOT_IDENTIFIED = Rule(_flat, _not_identified, "parameter.not_identified")
SIMPLER_SUFFICES = Rule(_some_suffices, _simpler_suffices)
