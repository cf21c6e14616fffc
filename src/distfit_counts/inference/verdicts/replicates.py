"""Where the bootstrap has nothing to say, or less: replicates with the same estimate, or without a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.intervals.chosen import Bootstrapped
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Verdict
from distfit_counts.settings import fewest_replicates


def _no_spread(facts: Facts) -> list[Verdict]:
    """Parameters that the replicates do not move, and why."""
    still = facts.estimates.still if isinstance(facts.estimates, Bootstrapped) else ()
    if not still:
        return []
    which = f"{' and '.join(still)} {'is' if len(still) == 1 else 'are'}"
    message = (
        f"The bootstrap cannot tell how sure {which}: {_why(facts, still)}, so that "
        "(nearly) every replicate has the same estimate. --ci profile gives an interval there."
    )
    return [Verdict("bootstrap.no_spread", message)]


def _why(facts: Facts, still: Sequence[str]) -> str:
    histogram, estimates = facts.histogram, facts.estimates
    if len(still) == sum(not isnan(e.estimate) for e in estimates.values()) and histogram.distinct == 1:
        return "there is one observation" if histogram.n == 1 else "all counts are the same"
    inside = [name for name in still if estimates[name].boundary is None]
    at_boundary = "the replicates lie at the same boundary"
    if not inside:
        return at_boundary
    values = histogram.values[histogram.values > 0]
    moved = f"no replicate moves {' and '.join(inside)}"
    if len(values) == 1:
        moved += f" (every count above 0 is {values[0]:,})"
    return moved if len(inside) == len(still) else f"{moved}, and for the others {at_boundary}"


def _undefined(facts: Facts) -> list[Verdict]:
    """Parameters that some replicates do not have: their intervals rest on the others, if there are enough."""
    found = facts.estimates if isinstance(facts.estimates, Bootstrapped) else Bootstrapped()
    if not found.lacking:
        return []
    total, fewest = found.replicates, fewest_replicates(facts.settings.level)
    listed = ", ".join(f"{name} in {lack:,}" for name, lack in found.lacking.items())
    few = [name for name, lack in found.lacking.items() if total - lack < fewest]
    rest = "The intervals rest on the others, and say nothing of samples like those."
    if few:
        rest = f"Too few are left for an interval of {' and '.join(few)} ({fewest} are needed)."
        if len(few) < len(found.lacking):
            rest += " The other intervals rest on the replicates that are left."
    message = (
        f"Of {total:,} replicates some lack a parameter ({listed}): there its part of the model has vanished (a "
        f"component died or holds only zeros). {rest}"
    )
    return [Verdict("bootstrap.undefined", message)]


def _bootstrapped(chunk: Chunk) -> Bools:
    return np.full(len(chunk.rows), chunk.settings.ci == "bootstrap")


NO_SPREAD = Rule(_bootstrapped, _no_spread)
UNDEFINED = Rule(_bootstrapped, _undefined)
