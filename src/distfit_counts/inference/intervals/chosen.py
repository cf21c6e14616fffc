"""The intervals asked for, put in place of Wald's."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.inference.intervals.bootstrap import Bootstrap
from distfit_counts.inference.likelihood.profile import Profile
from distfit_counts.optimise.solve import INTERIOR
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


def with_bootstrap(judgement: Judgement, bootstrap: Bootstrap, row: int, level: float) -> dict[str, Estimate]:
    """Estimates with percentile intervals and the standard deviation over the replicates."""
    lower, upper = bootstrap.interval(level)
    std_error = bootstrap.std_error
    found = {}
    for i, (name, e) in enumerate(judgement.estimates(row).items()):
        ends = replace(e, lower=float(lower[i]), upper=float(upper[i]), std_error=float(std_error[i]))
        found[name] = e if isnan(e.estimate) else ends
    return found
