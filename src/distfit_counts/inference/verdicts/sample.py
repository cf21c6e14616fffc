"""Whether there are enough observations for what is said."""

from __future__ import annotations

import math

import numpy as np

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Verdict

# Observations per parameter below which Wald's intervals are known to miss, and G² to reject too often
# (docs/calibration.md).
_PER_PARAMETER = 30


def _too_small(chunk: Chunk) -> Bools:
    """Too few observations for any statement."""
    return np.asarray(chunk.counts.n <= chunk.family.n_parameters + 1)


def _none_left(facts: Facts) -> list[Verdict]:
    n, p = facts.histogram.n, facts.chunk.family.n_parameters
    few = "1 observation is" if n == 1 else f"{n} observations are"
    many = "1 parameter" if p == 1 else f"{p} parameters"
    message = f"{few} too few for {many}: AICc is undefined, and so is any certainty."
    return [Verdict("sample.too_small", message)]


def _small(chunk: Chunk) -> Bools:
    """Too few for the large-sample theory behind what is said."""
    estimated = np.zeros(len(chunk.rows), dtype=bool)
    for group in chunk.groups:
        # Where nothing is estimated (all counts are zero) nothing is rough.
        estimated[group.at] = bool(group.family.parameters)
    return (chunk.counts.n < _PER_PARAMETER * chunk.family.n_parameters) & estimated & ~_too_small(chunk)


def _not_sharp(facts: Facts) -> list[Verdict]:
    n, p = facts.histogram.n, facts.chunk.family.n_parameters
    return [Verdict("sample.small", f"{n} observations for {p} parameter{'s' * (p > 1)}: {_rough(facts)}")]


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


def _values_of_frequencies(chunk: Chunk) -> Bools:
    """The values of a frequency table, once each, which another column counts."""
    return np.array([histogram.frequencies is not None for histogram in chunk.histograms])


def _not_weighted(facts: Facts) -> list[Verdict]:
    histogram = facts.histogram
    message = (
        f"The counts are {histogram.values[0]} to {histogram.values[-1]}, once each, as in a table of frequencies: "
        f"if {histogram.frequencies} says how often each occurs, fit with --weights {histogram.frequencies}."
    )
    return [Verdict("data.frequency_table", message)]


FREQUENCY_TABLE = Rule(_values_of_frequencies, _not_weighted, "data.frequency_table")
TOO_SMALL = Rule(_too_small, _none_left, "sample.too_small")
SMALL = Rule(_small, _not_sharp, "sample.small")
