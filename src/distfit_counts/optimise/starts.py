"""Where the restarts begin: moments, random places around them, runs of the counts, solutions of simpler families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Case, Family, Limit, Values
from distfit_counts.families.labels import relabelled
from distfit_counts.optimise.problem import Batch, natural, unconstrained
from distfit_counts.settings import START_SPREAD

# What a start is said to come from that a family makes of runs of the counts.
SEGMENTS = "segments"

Nested = tuple[Limit, Mapping[str, Array]]


def own_starts(family: Family, batch: Batch, restarts: int, seed: int) -> tuple[Array, Array]:
    """``restarts`` starts of every column: theta [C, R, P], and the scale [C, P'] of its parameters.

    Restart 1 is the moments' start. The random numbers are the same for every column, so that a column alone
    starts where it starts in a batch.
    """
    rng = np.random.default_rng(seed)

    def draws(count: int) -> Array:
        uniform = rng.random((restarts, count))
        uniform[0] = (np.arange(count) + 0.5) / count
        return uniform

    values = family.start(batch.k[:, None, :], batch.w[:, None, :], draws)
    shape = (len(batch.n), restarts)
    stacked = np.stack([np.broadcast_to(values[name], shape) for name in family.names], axis=-1)
    # A copy: as a view it would keep the values of all starts.
    scale = stacked[:, 0].copy()
    noise = START_SPREAD * rng.standard_normal((restarts, family.n_parameters))
    noise[0] = 0.0
    theta = unconstrained(family, stacked, scale[:, None, :]) + noise
    # The moments' size of a column without overdispersion is huge: the likelihood is flat there.
    return _pull_in(family, theta), scale


def further_starts(family: Family, batch: Batch, scale: Array) -> Array:
    """Starts [C, F, P] where the family itself knows of more places than its moments."""
    listed = [_inside(family, values, scale) for values in family.starts(batch.k, batch.w)]
    return np.stack(listed, axis=1) if listed else np.zeros((len(scale), 0, family.n_parameters))


def nested_starts(family: Family, batch: Batch, scale: Array, nested: Sequence[Nested]) -> tuple[Array, list[str]]:
    """Starts from the solutions of simpler families: theta [C, E, P] and where each came from."""
    # Restart 1's start is the scale itself.
    start = {name: scale[:, i] for i, name in enumerate(family.names)}
    thetas, origins = [], []
    for limit, solution in nested:
        for values in family.inside(limit, start, solution, batch.k, batch.w):
            thetas.append(_inside(family, values, scale))
            origins.append(limit.family.spec)
    if not thetas:
        return np.zeros((len(batch.n), 0, family.n_parameters)), []
    return np.stack(thetas, axis=1), origins


def case_starts(family: Family, scale: Array, cases: Sequence[tuple[Case, Mapping[str, Array]]]) -> Array:
    """Starts [C, E, P] at the solutions of simpler families inside this one, as far out as those are: the likelihood of
    each is that of the solution.
    """
    found = np.zeros((len(scale), len(cases), family.n_parameters))
    for i, (case, solution) in enumerate(cases):
        values = case.values(solution)
        stacked = np.stack([np.broadcast_to(values[name], len(scale)) for name in family.names], axis=-1)
        with np.errstate(all="ignore"):
            theta = unconstrained(family, stacked, scale)
        # A value at the end of its range has no coordinate.
        found[:, i] = np.where(np.isfinite(theta).all(axis=-1, keepdims=True), theta, _inside(family, values, scale))
    return found


def warm_start(family: Family, scale: Array, values: Mapping[str, float]) -> Array:
    """The same natural ``values`` as a start of every column: theta [C, 1, P]."""
    return _inside(family, values, scale)[:, None, :]


def numbered(family: Family, theta: Array, scale: Array) -> Array:
    """``theta`` [C, S, P] with equal components of a mixture numbered by their means, as far as that can be undone: two
    starts that differ only in the numbers are the same point then.
    """
    values = natural(family, theta, scale[:, None, :])
    order = relabelled(family, values)
    other = (order != np.arange(len(family.names))).any(axis=-1)
    if not other.any():
        return theta
    with np.errstate(all="ignore"):
        moved = unconstrained(family, np.take_along_axis(values, order, axis=-1), scale[:, None, :])
    return np.where((other & np.isfinite(moved).all(axis=-1))[..., None], moved, theta)


def _inside(family: Family, values: Values, scale: Array) -> Array:
    """theta [C, P] of natural ``values`` [C], pulled in from the boundary."""
    stacked = np.stack([np.broadcast_to(values[name], len(scale)) for name in family.names], axis=-1)
    inside = np.clip(stacked, 1e-12 * np.maximum(scale, 1e-300), None)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(_pull_in(family, unconstrained(family, inside, scale)))


def _pull_in(family: Family, theta: Array) -> Array:
    bounds = [parameter.constraint.start_range for parameter in family.parameters for _ in range(parameter.free)]
    lower, upper = np.array(bounds).T
    return np.clip(theta, lower, upper)
