"""Columns judged together: whatever is known of them as arrays, each computed when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.inference.fitted.estimates import Estimates, Group, Judgement
from distfit_counts.inference.fitted.reached import log_pmfs
from distfit_counts.inference.fitted.restarts import Places, basins, places
from distfit_counts.inference.goodness.statistics import Goodnesses, goodnesses
from distfit_counts.inference.hypotheses.simpler import tests_of
from distfit_counts.inference.hypotheses.tested import Tested
from distfit_counts.inference.likelihood.profile import Profile
from distfit_counts.inference.observed import Observed
from distfit_counts.optimise.minimise import CONVERGED, STATUS
from distfit_counts.settings import FitSettings

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Chunk:
    """C columns of one solution, in its ``rows`` [C], with their counts; their ``profile`` intervals, if asked for."""

    judgement: Judgement
    rows: Ints
    histograms: Sequence[Histogram]
    settings: FitSettings
    profile: Profile | None = None

    @property
    def family(self) -> Family:
        return self.judgement.solution.family

    @cached_property
    def counts(self) -> Observed:
        return Observed.rows(self.judgement.solution.batch, self.rows)

    @cached_property
    def groups(self) -> list[Group]:
        """The columns by the model in which their supremum lies."""
        return self.judgement.groups(self.rows)

    @cached_property
    def group_of(self) -> list[tuple[Group, int]]:
        """Every column's group, and its place there."""
        found: list[tuple[Group, int]] = [(self.groups[0], 0)] * len(self.rows)
        for group in self.groups:
            for i, at in enumerate(group.at.tolist()):
                found[at] = (group, i)
        return found

    @cached_property
    def estimates(self) -> Estimates:
        """Wald's; those of one column by other intervals: ``Facts.estimates``."""
        return self.judgement.all_estimates.of(self.rows)

    @cached_property
    def derived(self) -> dict[str, Array]:
        """Moments, P(Y = 0), and the family's values [C] under the names of other tools."""
        found = {name: self._of_groups(name) for name in ("mean", "variance", "prob_zero")}
        own = dict(zip(self.family.names, self.estimates.numbers[:, :, 0].T, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            named = self.family.derived(own)
        return found | {name: np.asarray(value) for name, value in named.items()}

    @cached_property
    def log_pmf(self) -> Array:
        """log P(Y = k) [C, V] of the counts, under the model of each column."""
        found = np.empty(self.counts.k.shape)
        for group in self.groups:
            found[group.at] = log_pmfs(group.family, group.values, self.counts.k[group.at])
        return found

    @cached_property
    def log_likelihood(self) -> Array:
        """[C]; at a boundary the supremum."""
        return -self.best_nll + 0.0  # + 0.0: never -0.0

    @cached_property
    def best_nll(self) -> Array:
        """Negative log-likelihood [C] of all observations, at the supremum."""
        return np.asarray(self.judgement.solution.supremum[self.rows] * self.counts.n)

    @cached_property
    def nll(self) -> Array:
        """Negative log-likelihood [C, S] of all observations, where each start ended."""
        return np.asarray(self.judgement.solution.value[self.rows] * self.counts.n[:, None])

    @cached_property
    def basin(self) -> Ints:
        """Which optimum each start [C, S] reached, 1 the supremum's."""
        return basins(self.nll, self.best_nll)

    @cached_property
    def order(self) -> tuple[Places, Places]:
        """From which places [C, S, P'] the values come with which each start began, and with which it ended."""
        solution, rows = self.judgement.solution, self.rows
        began, ended = (places(self.family, of[rows], solution.scale[rows]) for of in (solution.start, solution.theta))
        return began, ended

    @cached_property
    def above_best(self) -> Array:
        """How far above the best start each one [C, S] ended, in log-likelihood units; NaN where none is finite."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.nll - self.nll.min(axis=1, keepdims=True))

    @cached_property
    def at_limit(self) -> Bools:
        """Whether the supremum lies at a boundary [C]."""
        found = np.zeros(len(self.rows), dtype=bool)
        for group in self.groups:
            found[group.at] = bool(group.chain)
        return found

    @property
    def equivalent(self) -> list[str]:
        """The family of the model [C] at the supremum."""
        specs = {id(group): group.family.spec for group in self.groups}
        return [specs[id(group)] for group, _ in self.group_of]

    @cached_property
    def final_status(self) -> Ints:
        """The status [C] of the best start of the model at the supremum."""
        found = np.empty(len(self.rows), dtype=np.int64)
        for group in self.groups:
            solution = group.judgement.solution
            found[group.at] = solution.status[group.rows, solution.best[group.rows]]
        return found

    @cached_property
    def converged(self) -> Bools:
        return np.asarray(self.final_status == CONVERGED)

    @cached_property
    def status(self) -> list[str]:
        """``converged``, ``boundary`` (at a limit, and converged there), or why not."""
        words = np.array([STATUS[i] for i in range(len(STATUS))])[self.final_status]
        found: list[str] = np.where(self.converged & self.at_limit, "boundary", words).tolist()
        return found

    @cached_property
    def goodness(self) -> Goodnesses:
        return goodnesses(self.judgement, self.groups, self.counts, self.histograms, self.settings)

    @cached_property
    def tests(self) -> list[Tested]:
        """Against simpler families."""
        return tests_of(self.judgement.solution, self.rows, self.counts)

    def _of_groups(self, name: str) -> Array:
        found = np.empty(len(self.rows))
        for group in self.groups:
            found[group.at] = getattr(group, name)
        return found
