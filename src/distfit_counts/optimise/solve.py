"""One family on one batch of columns, together with the simpler families at its boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Case, Family, Limit
from distfit_counts.optimise.ending import INTERIOR, Ints, checked, finished, supremum
from distfit_counts.optimise.minimise import CONVERGED, INCONSISTENT, STATUS, minimise
from distfit_counts.optimise.problem import Batch, Objective, by_definition, natural
from distfit_counts.optimise.race import Race
from distfit_counts.optimise.starts import (
    SEGMENTS,
    case_starts,
    further_starts,
    nested_starts,
    numbered,
    own_starts,
    warm_start,
)
from distfit_counts.settings import MAX_STEPS as DEFAULT_STEPS
from distfit_counts.settings import FitSettings


@dataclass(frozen=True, eq=False)
class Solution:
    """What was found for every column. C columns, S starts (the restarts, then those from simpler families).

    ``theta`` and ``start`` [C, S, P], ``value`` (mean NLL), ``gradient_norm``, ``steps``, ``status`` [C, S];
    ``best`` [C] the index of the best start, ``hessian`` [C, P, P] there; ``chosen`` [C]
    the limit at which the supremum lies or INTERIOR; ``supremum`` [C] its mean NLL.
    """

    family: Family
    batch: Batch
    scale: Array
    origins: list[str]
    start: Array
    theta: Array
    value: Array
    gradient_norm: Array
    steps: Ints
    status: Ints
    best: Ints
    hessian: Array
    nested: list[tuple[Limit, Solution]]
    chosen: Ints
    supremum: Array
    trace: list[tuple[torch.Tensor, ...]] = field(default_factory=list, repr=False)
    # Of a race, the starts [C, S] that joined a better one after their ``steps``, and ended where that one did.
    joined: npt.NDArray[np.bool_] | None = None

    @property
    def best_theta(self) -> Array:
        return self.theta[np.arange(len(self.best)), self.best]

    @property
    def best_values(self) -> dict[str, Array]:
        """Natural values [C] of the best point in the interior."""
        values = natural(self.family, self.best_theta, self.scale)
        return {name: values[:, i] for i, name in enumerate(self.family.names)}

    def converged(self, column: int) -> bool:
        if self.chosen[column] != INTERIOR:
            inner: Solution = self.nested[self.chosen[column]][1]
            return inner.converged(column)
        return bool(self.status[column, self.best[column]] == CONVERGED)

    def consistent(self, column: int) -> bool:
        """Whether the log-likelihood is that of the estimates, by the definition of the family."""
        return self.status_text(column) != STATUS[INCONSISTENT]

    def status_text(self, column: int) -> str:
        """``converged``, ``boundary`` (at a limit, and converged there), or why not."""
        if self.chosen[column] != INTERIOR:
            inner = self.nested[self.chosen[column]][1].status_text(column)
            return "boundary" if inner == "converged" else inner
        return STATUS[int(self.status[column, self.best[column]])]

    def n_effective(self) -> Ints:
        """Number of parameters of the model at the supremum, [C]."""
        count = np.full(len(self.best), self.family.n_parameters)
        for i, (_, solution) in enumerate(self.nested):
            count = np.where(self.chosen == i, solution.n_effective(), count)
        return count


# The family whose starts run, how many of them have ended, and how many there are.
Progress = Callable[[Family, int, int], None]


def with_limits(families: Iterable[Family]) -> set[Family]:
    """``families`` and all simpler ones that are solved for them."""
    found: set[Family] = set()
    for family in families:
        if family not in found:
            found |= {family} | with_limits(limit.family for limit in family.limits())
    return found


class Share:
    """Share of solving ``families``, the simpler ones included, that is done; it never falls."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._in_all, self._begun, self._share = len(with_limits(families)), set[Family](), 0.0

    def __call__(self, family: Family, done: int, total: int) -> float:
        """One family is solved after the other: those that have begun before this one have ended."""
        self._begun.add(family)
        ended = len(self._begun) - 1 + done / max(total, 1)
        self._share = min(max(self._share, ended / self._in_all), 1.0)
        return self._share


Warm = Mapping[Family, Mapping[str, float]]


def solve(
    family: Family,
    batch: Batch,
    settings: FitSettings,
    known: dict[Family, Solution],
    progress: Progress | None = None,
    warm: Warm | None = None,
    race: bool = False,
) -> Solution:
    """Fit ``family`` to every column of ``batch``; ``known`` keeps the families already fitted to it.

    ``warm``: for some of the families, natural values near which the columns' solutions are expected. ``race``: do not
    follow every start to its end; the paths that a trace shows, and those of first-order methods, are followed anyway.

    The simpler families go first, those at the boundary and those inside: their solutions are starts, and their maxima
    are lower bounds, so that the likelihood of a family is never below that of a family it contains.
    """
    if family in known:
        return known[family]
    within = replace(settings, restarts=1)
    nested = [(limit, solve(limit.family, batch, within, known, progress, warm, race)) for limit in family.limits()]
    solution = (
        _descend(family, batch, settings, nested, _inside(family, batch, within, known, {}), progress, warm, race)
        if family.parameters
        else _evaluate(family, batch)
    )
    known[family] = solution
    return solution


def _inside(
    family: Family, batch: Batch, settings: FitSettings, known: dict[Family, Solution], seen: dict[Family, Solution]
) -> list[tuple[Case, Mapping[str, Array]]]:
    """The solutions of the special cases of ``family``, natural values [C]; ``seen`` keeps them.

    Those that are not ``known`` are only followed from their own starts and special cases: their limits are special
    cases of limits of ``family``.
    """
    found: list[tuple[Case, Mapping[str, Array]]] = []
    for case in family.special_cases():
        simpler = case.family
        if simpler not in known and simpler not in seen:
            inner = _inside(simpler, batch, settings, known, seen)
            seen[simpler] = _descend(simpler, batch, settings, [], inner, None, None, race=True)
        found.append((case, (known if simpler in known else seen)[simpler].best_values))
    return found


def _descend(
    family: Family,
    batch: Batch,
    settings: FitSettings,
    nested: list[tuple[Limit, Solution]],
    cases: list[tuple[Case, Mapping[str, Array]]],
    progress: Progress | None,
    warm: Warm | None,
    race: bool,
) -> Solution:
    columns = len(batch.n)
    own, scale = own_starts(family, batch, settings.restarts, settings.seed)
    extra, sources = nested_starts(family, batch, scale, [(limit, s.best_values) for limit, s in nested])
    runs = further_starts(family, batch, scale)
    inner = case_starts(family, scale, cases)
    near = warm_start(family, scale, warm[family]) if warm and family in warm else extra[:, :0]
    start = np.concatenate([own, runs, extra, inner, near], axis=1)
    starts = start.shape[1]
    racing = race and settings.optimizer == "newton" and not settings.trace
    if racing:
        start = numbered(family, start, scale)
    column = torch.arange(columns).repeat_interleave(starts)
    objective = Objective(family, batch, scale, settings.device)
    total = len(column)
    race_of_starts = Race(column, objective.n) if racing else None
    minimum = minimise(
        objective,
        torch.from_numpy(start.reshape(total, -1)),
        column,
        settings.optimizer,
        settings.tolerance,
        settings.max_steps or DEFAULT_STEPS[settings.optimizer],
        settings.learning_rate,
        settings.trace,
        None if progress is None else lambda done: progress(family, done, total),
        race_of_starts,
    )
    ending = finished(minimum, objective, column, batch.n, settings)
    theta = minimum.theta.numpy().reshape(columns, starts, -1)
    at_best = theta[np.arange(columns), ending.best]
    ending = checked(ending, by_definition(family, batch, at_best, scale), batch.n)
    limits = [solution.supremum for _, solution in nested]
    sizes = [solution.n_effective() for _, solution in nested]
    chosen, lowest = supremum(ending.best_value, batch.n, np.array(limits), np.array(sizes))
    return Solution(
        family=family,
        batch=batch,
        scale=scale,
        origins=[
            "moments",
            *["random"] * (settings.restarts - 1),
            *[SEGMENTS] * runs.shape[1],
            *sources,
            *[case.family.spec for case, _ in cases],
            *["warm"] * near.shape[1],
        ],
        start=start,
        theta=theta,
        value=ending.value,
        gradient_norm=ending.gradient_norm,
        steps=minimum.steps.numpy().reshape(columns, starts),
        status=ending.status,
        best=ending.best,
        hessian=ending.hessian,
        nested=nested,
        chosen=chosen,
        supremum=lowest,
        trace=list(minimum.trace),
        joined=None if race_of_starts is None else race_of_starts.joined.numpy().reshape(columns, starts),
    )


def _evaluate(family: Family, batch: Batch) -> Solution:
    """A family without parameters: nothing to fit, only a likelihood (0 or -infinity)."""
    columns = len(batch.n)
    log_prob = family.log_prob({}, torch.from_numpy(batch.k)).numpy()
    value = -np.where(batch.w > 0, log_prob, 0.0).sum(axis=1)
    none = np.zeros((columns, 1, 0))
    zero = np.zeros((columns, 1))
    return Solution(
        family=family,
        batch=batch,
        scale=none[:, 0],
        origins=["moments"],
        start=none,
        theta=none,
        value=value[:, None],
        gradient_norm=zero,
        steps=zero.astype(np.int64),
        status=np.full((columns, 1), CONVERGED),
        best=np.zeros(columns, dtype=np.int64),
        hessian=np.zeros((columns, 0, 0)),
        nested=[],
        chosen=np.full(columns, INTERIOR),
        supremum=value,
    )
