"""Where the cumulative distribution departs from the model, though no single bin does."""

from __future__ import annotations

import numpy as np

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.p_values import p_equals, rejects
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Verdict


def _simulated(chunk: Chunk) -> Bools:
    return np.full(len(chunk.rows), chunk.settings.gof_replicates > 0)


def _drift(facts: Facts) -> list[Verdict]:
    """KS, Cramér–von Mises or Anderson–Darling rejects, by simulation, and Pearson's X² does not."""
    pearson = facts.goodness.tests[0]
    if rejects(pearson.p_value, facts.settings.gof_replicates):
        return []
    by_code = {test.code: test for test in facts.goodness.tests}
    cumulative = [by_code[code] for code in ("kolmogorov_smirnov", "cramer_von_mises", "anderson_darling")]
    against = [test for test in cumulative if rejects(test.p_value, facts.settings.gof_replicates)]
    if not against:
        return []
    which = ", ".join(f"{test.title} {p_equals(test.p_value)}" for test in against)
    says = "has too few bins" if pearson.p_value != pearson.p_value else f"does not ({p_equals(pearson.p_value)})"
    message = (
        f"The counts do not follow this family: {which}, where X² {says}. Each count is off by little, but "
        "neighbours are off the same way: look at the cumulative shares (distfit plot --kind qq)."
    )
    return [Verdict("misfit.cumulative", message)]


DRIFT = Rule(_simulated, _drift)
