"""All verdicts of a fit, the gravest first."""

from __future__ import annotations

from distfit_counts.inference.verdicts import boundary, components, convergence, cumulative, misfit, replicates, sample
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.settled import settled
from distfit_counts.result import Verdict

_ALL = (
    boundary.boundaries,
    misfit.underdispersed,
    boundary.not_identified,
    replicates.no_spread,
    replicates.undefined,
    convergence.not_converged,
    convergence.rarely_best,
    convergence.reached_once,
    convergence.disagree,
    convergence.nearly_equal,
    misfit.overall,
    cumulative.drift,
    misfit.zeros,
    misfit.tail,
    components.empty,
    components.duplicate,
    boundary.simpler_suffices,
    sample.size,
    components.certificate,
)


def verdicts_of(facts: Facts) -> tuple[Verdict, ...]:
    """What a reader must know before using the numbers of this column."""
    return settled(tuple(dict.fromkeys(verdict for draw in _ALL for verdict in draw(facts))))
