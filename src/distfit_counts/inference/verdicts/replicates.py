"""Where the bootstrap has nothing to say: replicates that all give the same estimate."""

from __future__ import annotations

from math import isnan

from distfit_counts.inference.intervals.chosen import Bootstrapped
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.result import Verdict


def no_spread(facts: Facts) -> list[Verdict]:
    """Parameters that the replicates do not move, and why."""
    still = facts.estimates.still if isinstance(facts.estimates, Bootstrapped) else ()
    if not still:
        return []
    defined = [name for name, e in facts.estimates.items() if not isnan(e.estimate)]
    if len(still) == len(defined) and facts.histogram.distinct == 1:
        why = "there is one observation" if facts.histogram.n == 1 else "all counts are the same"
    else:
        why = "the replicates lie at the same boundary"
    which = f"{' and '.join(still)} {'is' if len(still) == 1 else 'are'}"
    message = (
        f"The bootstrap cannot tell how sure {which}: {why}, so that "
        "(nearly) every replicate has the same estimate. --ci profile gives an interval there."
    )
    return [Verdict("bootstrap.no_spread", message)]
