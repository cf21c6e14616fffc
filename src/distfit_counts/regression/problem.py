"""What Newton solves: a family, the data, and a standardised matrix for every predictor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Limit
from distfit_counts.regression.design import Design
from distfit_counts.regression.objective import RegressionObjective
from distfit_counts.regression.row_model import CountModel, RowModel
from distfit_counts.regression.standard import Standard


@dataclass(frozen=True, eq=False)
class Problem:
    """``standards`` and ``offsets`` by head; ``y`` and ``weights`` [N]."""

    model: RowModel
    y: Array
    weights: Array
    standards: Mapping[str, Standard]
    offsets: Mapping[str, Array | None]
    threads: int | None = None

    @classmethod
    def of(cls, model: RowModel, data: Design, threads: int | None = None) -> Problem:
        # Predictors with the same terms share one matrix.
        made: dict[int, Standard] = {}
        for own in data.predictors:
            if id(own.matrix) not in made:
                made[id(own.matrix)] = Standard.of(own.matrix, data.weights)
        standards = {own.head: made[id(own.matrix)] for own in data.predictors}
        offsets = {own.head: own.offset for own in data.predictors}
        return cls(model, data.y, data.weights, standards, offsets, threads)

    @property
    def n(self) -> float:
        return float(self.weights.sum())

    @property
    def heads(self) -> tuple[str, ...]:
        return self.model.heads

    @cached_property
    def objective(self) -> RegressionObjective:
        return self.weighted(self.y[None], self.weights[None])

    def weighted(self, y: Array, weights: Array) -> RegressionObjective:
        """The same with other responses and weights [C, N]."""
        matrices = [self.standards[head].matrix for head in self.heads]
        return RegressionObjective(
            self.model, y, weights, matrices, [self.offsets[head] for head in self.heads], self.threads
        )

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each head's coefficients are."""
        return dict(zip(self.heads, self.objective.slices, strict=True))

    def sample(self, count: int, rng: np.random.Generator) -> Problem:
        """``count`` rows drawn without repetition; all where there are no more."""
        if len(self.y) <= count:
            return self
        rows = np.sort(rng.choice(len(self.y), count, replace=False))
        return replace(
            self,
            y=self.y[rows],
            weights=self.weights[rows],
            standards={head: own.at(rows) for head, own in self.standards.items()},
            offsets={head: None if own is None else own[rows] for head, own in self.offsets.items()},
        )

    def with_model(self, model: RowModel, carried: Mapping[str, str]) -> Problem:
        """Another model of the same response; ``carried``: its heads -> the heads here whose predictors they take."""
        standards = {head: self.standards[carried[head]] for head in model.heads}
        offsets = {head: self.offsets[carried[head]] for head in model.heads}
        return replace(self, model=model, standards=standards, offsets=offsets)

    def at(self, limit: Limit) -> Problem | None:
        """The simpler family at a boundary, with the predictors that it keeps; None where it keeps none."""
        if not isinstance(self.model, CountModel):
            return None
        family = limit.family
        carried = {other: name for name, other in limit.carried.items()}
        if not family.parameters or any(name not in carried for name in family.names):
            return None
        if self.y.min() < family.lowest:
            return None
        links = {other: self.model.links[name].name for other, name in carried.items() if name in self.model.links}
        heads = CountModel.of(family).heads
        # Of weights, the last has no predictor; which one that is depends on what they are carried from.
        if any(carried[head] not in self.standards for head in heads):
            return None
        return self.with_model(CountModel.of(family, {h: links[h] for h in heads}), {h: carried[h] for h in heads})

    def constant(self, head: str, value: float) -> Array:
        """Coefficients [q] with which the predictor of ``head`` is as near as can be to ``value`` for every row."""
        return self.standards[head].constant(value, self.weights)
