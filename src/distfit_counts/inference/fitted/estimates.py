"""From a solution to the numbers of a column: estimates, boundaries resolved, derived values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family, Limit
from distfit_counts.inference.intervals.wald import Wald, flat_directions, wald
from distfit_counts.optimise.problem import natural
from distfit_counts.optimise.solve import INTERIOR, Solution
from distfit_counts.result import Estimate

NAN = float("nan")


@dataclass(frozen=True)
class Judgement:
    """A solution with standard errors, and the judgements of the simpler families at its boundary."""

    solution: Solution
    values: Array
    wald: Wald
    nested: list[tuple[Limit, Judgement]]

    def chain(self, row: int) -> list[Limit]:
        """The limits passed on the way from the family to the model at the supremum."""
        chosen = self.solution.chosen[row]
        if chosen == INTERIOR:
            return []
        limit, inner = self.nested[chosen]
        return [limit, *inner.chain(row)]

    def resolved(self, row: int) -> Solution:
        """The solution of the model at the supremum."""
        chosen = self.solution.chosen[row]
        return self.solution if chosen == INTERIOR else self.nested[chosen][1].resolved(row)

    def estimates(self, row: int) -> dict[str, Estimate]:
        """Estimates under the family's own names, mixture components sorted."""
        found = self._unsorted(row)
        labels = self.solution.family.canonical({name: e.estimate for name, e in found.items()})
        return {name: found[labels[name]] for name in self.solution.family.names}

    def correlation(self, row: int) -> dict[str, dict[str, float]]:
        """Correlations of the estimates of the model at the supremum, under that family's names."""
        judgement = self._judgement_of(row)
        names = judgement.solution.family.names
        labels = judgement.solution.family.canonical(
            {name: float(judgement.values[row, i]) for i, name in enumerate(names)}
        )
        order = [names.index(labels[name]) for name in names]
        matrix = judgement.wald.correlation[row][np.ix_(order, order)]
        return {
            a: {b: float(value) for b, value in zip(names, line, strict=True)}
            for a, line in zip(names, matrix, strict=True)
        }

    def reduced(self, row: int) -> tuple[Family, dict[str, float]]:
        """Family and values of the model at the supremum."""
        chosen = self.solution.chosen[row]
        if chosen != INTERIOR:
            inner: Judgement = self.nested[chosen][1]
            return inner.reduced(row)
        family = self.solution.family
        values = {name: float(self.values[row, i]) for i, name in enumerate(family.names)}
        labels = family.canonical(values)
        return family, {name: values[labels[name]] for name in family.names}

    def derived(self, row: int) -> dict[str, float]:
        """Moments and P(Y = 0) of the model, and the family's values under the names of other tools."""
        family, values = self.reduced(row)
        moments = {"mean": family.mean(values), "variance": family.variance(values)}
        moments["prob_zero"] = np.exp(family.log_prob_zero(values))
        own = {name: np.float64(e.estimate) for name, e in self.estimates(row).items()}
        with np.errstate(divide="ignore", invalid="ignore"):
            named = self.solution.family.derived(own)
        # What the limit has and the family has no name for: the log-series' q.
        gained = {name: values[name] for name in self._gained(row)}
        return {name: float(value) for name, value in (moments | named | gained).items()}

    def flat(self, row: int) -> list[str]:
        """Parameters that the data do not identify at an interior maximum."""
        resolved = self.resolved(row)
        judgement = self if resolved is self.solution else self._judgement_of(row)
        return [name for i, name in enumerate(resolved.family.names) if judgement.wald.flat[row, i]]

    def flat_directions(self, row: int) -> list[list[str]]:
        """For each flat direction of the Hessian, how it moves the parameters: ["pi up", "rate up"]."""
        judgement = self._judgement_of(row)
        solution = judgement.solution
        return flat_directions(solution.family, solution.hessian[row], float(solution.batch.n[row]))

    def _judgement_of(self, row: int) -> Judgement:
        chosen = self.solution.chosen[row]
        return self if chosen == INTERIOR else self.nested[chosen][1]._judgement_of(row)

    def labels(self, row: int) -> dict[str, str]:
        """The relabelling that sorts this column's equal mixture components."""
        return self.solution.family.canonical({name: e.estimate for name, e in self._unsorted(row).items()})

    def _gained(self, row: int) -> list[str]:
        gained: list[str] = []
        for limit in self.chain(row):
            carried = set(limit.carried.values())
            gained += [name for name in limit.family.names if name not in carried and name not in gained]
        names = set(self.reduced(row)[0].names)
        return [name for name in gained if name in names and name not in self.solution.family.names]

    def _unsorted(self, row: int) -> dict[str, Estimate]:
        family, chosen = self.solution.family, self.solution.chosen[row]
        if chosen != INTERIOR:
            limit, judgement = self.nested[chosen]
            inner = judgement._unsorted(row)
            return {
                name: _pinned(limit.fixed[name]) if name in limit.fixed else inner[limit.carried[name]]
                for name in family.names
            }
        arrays = (self.values, self.wald.std_error, self.wald.lower, self.wald.upper)
        return {name: _estimate([float(array[row, i]) for array in arrays]) for i, name in enumerate(family.names)}


def judge(solution: Solution, level: float) -> Judgement:
    """Standard errors and intervals of every column, for the family and for the simpler ones inside it."""
    family, theta = solution.family, solution.best_theta
    values = natural(family, theta, solution.scale)
    nested = [(limit, judge(inner, level)) for limit, inner in solution.nested if family.parameters]
    if family.parameters:
        intervals = wald(family, theta, solution.hessian, solution.batch.n, solution.scale, level)
    else:
        none = np.zeros((len(values), 0, 0))
        intervals = Wald(values, values, values, values.astype(bool), none)
    return Judgement(solution, values, intervals, nested)


def _estimate(numbers: list[float]) -> Estimate:
    estimate, std_error, lower, upper = numbers
    return Estimate(estimate, std_error, lower, upper)


def _pinned(value: float) -> Estimate:
    """A parameter at the end of its range: no standard error, no interval (one of zero width would be a lie)."""
    boundary = None if np.isnan(value) else ("lower" if value == 0.0 else "upper")
    return Estimate(value, NAN, NAN, NAN, boundary)
