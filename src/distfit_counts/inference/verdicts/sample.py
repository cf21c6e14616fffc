"""Whether there are enough observations for what is said."""

from __future__ import annotations

import math

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
        return [Verdict("sample.small", f"{n} observations for {p} parameter{'s' * (p > 1)}: {_rough(facts)}")]
    return []


def _rough(facts: Facts) -> str:
    """What rests on large samples here, and what to ask for that has not been asked for."""
    options = facts.settings
    asymptotic = any(math.isfinite(test.p_value) for test in (*facts.tests, *facts.goodness.tests))
    wald = options.ci == "wald" and any(math.isfinite(e.lower) for e in facts.estimates.values())
    # Likelihood ratios and score tests stay asymptotic when the goodness of fit is simulated.
    what = "p-values" if not options.gof_replicates else "p-values that are not simulated"
    simulated = bool(options.gof_replicates) and not any(math.isfinite(test.p_value) for test in facts.tests)
    rough = [*([what] if asymptotic and not simulated else []), *(["Wald intervals"] if wald else [])]
    better = [*(["--ci profile"] if wald else []), *(["--gof-replicates 999"] if not options.gof_replicates else [])]
    said = f"the {' and '.join(rough)} are rough" if rough else "no statement about them can be sharp"
    if not better:
        return f"{said}; more data, or a family with fewer parameters, would help."
    return f"{said}. {' and '.join(better)} do{'es' * (len(better) == 1)} not rest on large samples alone."
