"""The model at the supremum of every column of a solution, boundaries resolved, for all columns at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.families.labels import relabelled, taken
from distfit_counts.optimise.ending import INTERIOR
from distfit_counts.optimise.problem import natural, working
from distfit_counts.optimise.solve import Solution


def reached(solution: Solution, row: int) -> list[Solution]:
    """The solutions on the way from the family to the model at the supremum of column ``row``, both included."""
    found, chosen = [solution], solution.chosen[row]
    while chosen != INTERIOR:
        found.append(found[-1].nested[chosen][1])
        chosen = found[-1].chosen[row]
    return found


def estimates(solution: Solution) -> Array:
    """Natural values [C, P'] under the family's own names: at a boundary the value there, NaN where none is defined.

    Equal mixture components are sorted by their means.
    """
    values = _unsorted(solution)
    return taken(values, relabelled(solution.family, values))


def log_pmf(family: Family, values: Mapping[str, float], k: Array) -> Array:
    """log P(Y = k) at the counts ``k`` for one model with natural ``values``."""
    import torch

    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    found: Array = family.log_prob_natural(tensors, torch.as_tensor(k)).numpy()
    return found


def log_pmfs(family: Family, values: Mapping[str, Array], k: Array) -> Array:
    """log P(Y = k) at the counts ``k`` [G or 1, J] for G models with natural ``values`` [G] each."""
    import torch

    tensors = {name: torch.from_numpy(value[:, None]) for name, value in values.items()}
    found: Array = family.log_prob_natural(tensors, torch.from_numpy(k)).numpy()
    return found


def log_prob(solution: Solution, k: Array) -> Array:
    """log P(Y = k) [C, Q] of every column's model at the counts ``k`` [Q]."""
    import torch

    family = solution.family
    if family.parameters:
        values = working(family, torch.from_numpy(solution.best_theta), torch.from_numpy(solution.scale))
        found: Array = family.log_prob(values, torch.from_numpy(k)[None, :]).numpy()
    else:
        found = np.tile(family.log_prob({}, torch.from_numpy(k)).numpy(), (len(solution.best), 1))
    for i, (_, inner) in enumerate(solution.nested):
        here = solution.chosen == i
        if here.any():
            found[here] = log_prob(inner, k)[here]
    return found


def _unsorted(solution: Solution) -> Array:
    family = solution.family
    found = natural(family, solution.best_theta, solution.scale)
    for i, (limit, inner) in enumerate(solution.nested):
        here = solution.chosen == i
        if not here.any():
            continue
        values = _unsorted(inner)
        for j, name in enumerate(family.names):
            carried = name not in limit.fixed
            found[here, j] = (
                values[here, inner.family.names.index(limit.carried[name])] if carried else limit.fixed[name]
            )
    return found
