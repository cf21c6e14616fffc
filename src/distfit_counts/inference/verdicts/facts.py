"""What verdicts are drawn from, and fits are made of: everything known about one column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.family import Limit
from distfit_counts.inference.chunk import Chunk
from distfit_counts.inference.fitted.estimates import Group
from distfit_counts.inference.fitted.restarts import restarts_of
from distfit_counts.inference.intervals.bootstrap import bootstrap
from distfit_counts.inference.intervals.chosen import with_bootstrap, with_profile
from distfit_counts.result import Estimate, Goodness, HypothesisTest, Reduced, Restart
from distfit_counts.settings import FitSettings


@dataclass(frozen=True, eq=False)
class Facts:
    """Column ``at`` of ``chunk``. Each fact is put together when it is first asked for."""

    chunk: Chunk
    at: int

    @property
    def settings(self) -> FitSettings:
        """What was asked for."""
        return self.chunk.settings

    @property
    def row(self) -> int:
        """The column's row of the solution."""
        return int(self.chunk.rows[self.at])

    @property
    def histogram(self) -> Histogram:
        return self.chunk.histograms[self.at]

    @property
    def group(self) -> tuple[Group, int]:
        """Columns at the same model, and the place among them."""
        return self.chunk.group_of[self.at]

    @property
    def chain(self) -> tuple[Limit, ...]:
        """The limits passed on the way from the family to the model at the supremum."""
        return self.group[0].chain

    @cached_property
    def reduced(self) -> Reduced:
        group, i = self.group
        return Reduced(group.family.spec, group.at_values(i))

    @cached_property
    def restarts(self) -> tuple[Restart, ...]:
        chunk, at = self.chunk, self.at
        began, ended = chunk.order
        return restarts_of(chunk.judgement.solution, self.row, chunk.basin[at], (began[at], ended[at]))

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """With the intervals that were asked for."""
        judgement, settings = self.chunk.judgement, self.chunk.settings
        if self.chunk.profile is not None:
            return with_profile(judgement, self.chunk.profile, self.row)
        if settings.ci == "bootstrap":
            replicates = bootstrap(judgement, self.row, self.histogram, settings)
            return with_bootstrap(judgement, replicates, self.row, settings.level)
        return self.chunk.estimates.at(self.at)

    @cached_property
    def derived(self) -> Mapping[str, float]:
        """Moments, P(Y = 0), and values under the names of other tools; those of the limit that the family has no name
        for (the log-series' q).
        """
        group, i = self.group
        found = {name: float(value[self.at]) for name, value in self.chunk.derived.items()}
        return found | {name: float(group.values[name][i]) for name in group.gained(self.chunk.family)}

    @cached_property
    def goodness(self) -> Goodness:
        return self.chunk.goodness.at(self.at)

    @cached_property
    def tests(self) -> tuple[HypothesisTest, ...]:
        """Against simpler families."""
        return tuple(test.at(self.at) for test in self.chunk.tests if test.made[self.at])
