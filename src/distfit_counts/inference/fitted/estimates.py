"""From a solution to the numbers of its columns: estimates, boundaries resolved, derived values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family, Limit, Values
from distfit_counts.families.labels import relabelled, taken
from distfit_counts.inference.fitted.numbers import BOUNDARY
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.intervals.wald import Wald, flat_directions, wald
from distfit_counts.optimise.ending import INTERIOR
from distfit_counts.optimise.problem import natural
from distfit_counts.optimise.solve import Solution
from distfit_counts.result import Estimate

NAN = float("nan")
Ints = npt.NDArray[np.int64]
_BOUNDARY = {number: word for word, number in BOUNDARY.items()}


@dataclass(frozen=True, eq=False)
class Estimates:
    """Of C columns, under the family's own names, mixture components sorted: ``numbers`` [C, P', 4] (estimate, standard
    error, lower, upper) and ``boundary`` [C, P'], 0 for none, −1 for the lower end of the range and 1 for the upper.

    ``order`` [C, P']: the place that each was taken from.
    """

    names: tuple[str, ...]
    numbers: Array
    boundary: Ints
    order: Ints

    def of(self, rows: Ints) -> Estimates:
        """Those of some columns."""
        return Estimates(self.names, self.numbers[rows], self.boundary[rows], self.order[rows])

    def at(self, row: int) -> dict[str, Estimate]:
        """Those of one column, by name."""
        found = {}
        for name, numbers, end in zip(self.names, self.numbers[row].tolist(), self.boundary[row].tolist(), strict=True):
            estimate, std_error, lower, upper = numbers
            found[name] = Estimate(estimate, std_error, lower, upper, _BOUNDARY[end])
        return found


@dataclass(frozen=True, eq=False)
class Group:
    """Columns whose supremum lies in the same model, that of ``judgement``, behind the limits of ``chain``.

    ``at`` [G]: which of the columns asked for; ``rows`` [G]: their rows of the solution.
    """

    chain: tuple[Limit, ...]
    judgement: Judgement
    at: Ints
    rows: Ints

    @property
    def family(self) -> Family:
        return self.judgement.solution.family

    @cached_property
    def values(self) -> dict[str, Array]:
        """Natural values [G] of the model by name, mixture components sorted."""
        own = taken(self.judgement.values[self.rows], self._order)
        return {name: own[:, i] for i, name in enumerate(self.family.names)}

    @cached_property
    def _order(self) -> Ints:
        return relabelled(self.family, self.judgement.values[self.rows])

    def correlation(self, i: int) -> dict[str, dict[str, float]]:
        """Correlations of the estimates of column ``i`` of the group, under the names of the model."""
        names, order = self.family.names, self._order[i]
        lines = self.judgement.wald.correlation[self.rows[i]][order][:, order].tolist()
        return {a: dict(zip(names, line, strict=True)) for a, line in zip(names, lines, strict=True)}

    def at_values(self, i: int) -> dict[str, float]:
        """Those of column ``i`` of the group."""
        return {name: float(value[i]) for name, value in self.values.items()}

    def pmf(self, i: int) -> Pmf:
        """P(Y = k) of the model of column ``i`` of the group."""
        return Pmf.of(self.family, self.at_values(i))

    def gained(self, family: Family) -> list[str]:
        """Parameters of the model that ``family``, from which its limits lead here, has no name for."""
        own = [name for limit in self.chain for name in limit.family.names if name not in limit.carried.values()]
        return [name for name in dict.fromkeys(own) if name in self.family.names and name not in family.names]

    @cached_property
    def mean(self) -> Array:
        return self._each(self.family.mean)

    @cached_property
    def variance(self) -> Array:
        return self._each(self.family.variance)

    @cached_property
    def prob_zero(self) -> Array:
        """P(Y = 0) [G]."""
        return np.exp(self._each(self.family.log_prob_zero))

    def _each(self, formula: Callable[[Values], Any]) -> Array:
        # A point mass has the same moments everywhere; P(Y = 0) = 0 has no logarithm.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.broadcast_to(np.asarray(formula(self.values), dtype=np.float64), self.at.shape)


@dataclass(frozen=True, eq=False)
class Judgement:
    """A solution with standard errors and intervals of ``level``, and the judgements of the simpler families at its
    boundary; each is computed when it is first asked for.
    """

    solution: Solution
    level: float

    @cached_property
    def values(self) -> Array:
        """Natural values [C, P'] of the best point in the interior."""
        return natural(self.solution.family, self.solution.best_theta, self.solution.scale)

    @cached_property
    def wald(self) -> Wald:
        family, solution = self.solution.family, self.solution
        if family.parameters:
            theta = solution.best_theta
            return wald(family, theta, solution.hessian, solution.batch.n, solution.scale, self.level)
        none = self.values
        return Wald(none, none, none, none.astype(bool), np.zeros((len(none), 0, 0)))

    @cached_property
    def nested(self) -> list[tuple[Limit, Judgement]]:
        return [(limit, Judgement(inner, self.level)) for limit, inner in self.solution.nested]

    def groups(self, rows: Ints) -> list[Group]:
        """The columns ``rows`` by the model in which their supremum lies, boundaries resolved."""
        return [Group(chain, j, at, rows[at]) for chain, j, at in self._groups(rows, np.arange(len(rows)))]

    def _groups(self, rows: Ints, at: Ints) -> Iterator[tuple[tuple[Limit, ...], Judgement, Ints]]:
        chosen = self.solution.chosen[rows[at]]
        inside = at[chosen == INTERIOR]
        if len(inside):
            yield (), self, inside
        for i, (limit, inner) in enumerate(self.nested):
            for chain, judgement, there in inner._groups(rows, at[chosen == i]) if (chosen == i).any() else ():
                yield (limit, *chain), judgement, there

    @cached_property
    def all_estimates(self) -> Estimates:
        """The estimates of all columns."""
        numbers, boundary = self._unsorted
        order = relabelled(self.solution.family, numbers[:, :, 0])
        return Estimates(self.solution.family.names, taken(numbers, order), taken(boundary, order), order)

    @cached_property
    def _unsorted(self) -> tuple[Array, Ints]:
        family = self.solution.family
        numbers = np.stack([self.values, self.wald.std_error, self.wald.lower, self.wald.upper], axis=-1)
        boundary = np.zeros(self.values.shape, dtype=np.int64)
        for i, (limit, inner) in enumerate(self.nested):
            here = self.solution.chosen == i
            if not here.any():
                continue
            theirs, ends = inner._unsorted
            for j, name in enumerate(family.names):
                if name in limit.fixed:
                    # At the end of its range: no standard error, no interval (one of zero width would be a lie).
                    numbers[here, j] = [limit.fixed[name], NAN, NAN, NAN]
                    boundary[here, j] = _end(limit.fixed[name])
                else:
                    place = inner.solution.family.names.index(limit.carried[name])
                    numbers[here, j], boundary[here, j] = theirs[here, place], ends[here, place]
        return numbers, boundary

    def estimates(self, row: int) -> dict[str, Estimate]:
        """Estimates under the family's own names, mixture components sorted."""
        return self.all_estimates.at(row)

    def labels(self, row: int) -> dict[str, str]:
        """The relabelling that sorts this column's equal mixture components."""
        names = self.solution.family.names
        return {name: names[i] for name, i in zip(names, self.all_estimates.order[row], strict=True)}

    def reduced(self, row: int) -> tuple[Family, dict[str, float]]:
        """Family and values of the model at the supremum."""
        (group,) = self.groups(np.array([row]))
        return group.family, {name: float(value[0]) for name, value in group.values.items()}

    def flat_directions(self, row: int) -> list[list[str]]:
        """For each flat direction of the Hessian, how it moves the parameters: ["pi up", "rate up"]."""
        (group,) = self.groups(np.array([row]))
        solution = group.judgement.solution
        return flat_directions(solution.family, solution.hessian[row], float(solution.batch.n[row]))


def _end(value: float) -> int:
    return 0 if np.isnan(value) else -1 if value == 0.0 else 1
