"""The intervals asked for, put in place of Wald's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isnan, nan
from types import MappingProxyType

from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.inference.intervals.bootstrap import Bootstrap
from distfit_counts.inference.likelihood.profile import Profile
from distfit_counts.optimise.ending import INTERIOR
from distfit_counts.result import Estimate


def with_profile(judgement: Judgement, profile: Profile, row: int) -> dict[str, Estimate]:
    """Estimates with profile intervals; one-sided where the estimate lies at a boundary."""
    names, labels = judgement.solution.family.names, _labels(judgement, row)
    found = {}
    for name, e in judgement.estimates(row).items():
        place = names.index(labels[name])
        # Where no value is defined (the rate of a component without weight) there is nothing to enclose.
        lower, upper = float(profile.lower[row, place]), float(profile.upper[row, place])
        found[name] = e if isnan(e.estimate) else replace(e, lower=lower, upper=upper)
    return found


def _labels(judgement: Judgement, row: int) -> dict[str, str]:
    """Which of the profile's parameters is which, once mixture components are sorted.

    The profile follows the best point in the interior, whose components may be numbered otherwise than those of the
    simpler family at the supremum; only where a part has vanished does it come from there.
    """
    solution = judgement.solution
    chosen = solution.chosen[row]
    if chosen != INTERIOR and any(isnan(value) for value in solution.nested[chosen][0].fixed.values()):
        return judgement.labels(row)
    return solution.family.canonical({name: float(value[row]) for name, value in solution.best_values.items()})


class Bootstrapped(dict[str, Estimate]):
    """Estimates by name. ``still``: those that (nearly) all replicates agree on, which have no interval.

    ``lacking``: in how many of the ``replicates`` a parameter has no value, where it has none in some.
    """

    still: tuple[str, ...] = ()
    lacking: Mapping[str, int] = MappingProxyType({})
    replicates: int = 0


def with_bootstrap(judgement: Judgement, bootstrap: Bootstrap, row: int, level: float) -> Bootstrapped:
    """Estimates with percentile intervals and the standard deviation over the replicates.

    Where the interval would have no width there is neither, as at a boundary there is none of Wald's: that no replicate
    moved says that resampling cannot move the estimate, not that it is exact.
    """
    lower, upper = bootstrap.interval(level)
    std_error, still = bootstrap.std_error, bootstrap.still(level)
    found, defined = Bootstrapped(), bootstrap.defined
    found.replicates = len(bootstrap.values)
    found.lacking = {
        name: found.replicates - int(known)
        for (name, e), known in zip(judgement.estimates(row).items(), defined, strict=True)
        if known < found.replicates and not isnan(e.estimate)
    }
    for i, (name, e) in enumerate(judgement.estimates(row).items()):
        ends = replace(e, lower=float(lower[i]), upper=float(upper[i]), std_error=float(std_error[i]))
        none = replace(e, lower=nan, upper=nan, std_error=nan)
        found[name] = e if isnan(e.estimate) else none if still[i] or isnan(lower[i]) else ends
        found.still += (name,) if still[i] and not isnan(e.estimate) else ()
    return found
