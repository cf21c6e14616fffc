"""Whether there are enough observations for what is said."""

from __future__ import annotations

from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.result import Verdict

# Observations per parameter below which Wald's intervals are known to miss (docs/calibration.md).
_PER_PARAMETER = 20


def size(facts: Facts) -> list[Verdict]:
    """Too few observations for any statement, or for the large-sample theory behind it."""
    n, p = facts.histogram.n, facts.judgement.solution.family.n_parameters
    if n <= p + 1:
        few = "1 observation is" if n == 1 else f"{n} observations are"
        many = "1 parameter" if p == 1 else f"{p} parameters"
        message = f"{few} too few for {many}: AICc is undefined, and so is any certainty."
        return [Verdict("sample.too_small", message)]
    # Where nothing is estimated (all counts are zero) nothing is rough.
    if n < _PER_PARAMETER * p and facts.judgement.reduced(facts.row)[1]:
        message = (
            f"{n} observations for {p} parameter{'s' * (p > 1)}: the p-values and Wald intervals are rough. "
            "--ci profile and --gof-replicates 999 do not rest on large samples alone."
        )
        return [Verdict("sample.small", message)]
    return []
