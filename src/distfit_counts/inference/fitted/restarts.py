"""The restarts of one column: where each began and ended, and which optimum it reached."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.families.labels import relabelled, taken
from distfit_counts.optimise.minimise import STATUS
from distfit_counts.optimise.problem import natural
from distfit_counts.optimise.solve import Solution
from distfit_counts.result import Restart, TracePoint
from distfit_counts.settings import SAME_OPTIMUM


def restarts_of(solution: Solution, row: int, basin: npt.NDArray[np.int64]) -> tuple[Restart, ...]:
    """All starts of the column in ``row``; ``basin`` [S], 1 the supremum's."""
    family, scale, n = solution.family, solution.scale[row], float(solution.batch.n[row])
    start = _named(family, natural(family, solution.start[row], scale))
    end = _named(family, natural(family, solution.theta[row], scale))
    nll = solution.value[row] * n
    return tuple(
        Restart(
            restart=i + 1,
            origin=origin,
            start=start[i],
            estimate=end[i],
            nll=float(nll[i]) + 0.0,
            gradient_norm=float(solution.gradient_norm[row, i]),
            steps=int(solution.steps[row, i]),
            status=STATUS[int(solution.status[row, i])],
            basin=int(basin[i]),
            trace=_trace(solution, row, i),
        )
        for i, origin in enumerate(solution.origins)
    )


def basins(nll: Array, best: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Number the optima from the best: a new one begins where the sorted NLL rises by more than SAME_OPTIMUM.

    ``nll`` [..., S]; ``best`` [...] is the supremum: where it lies at a boundary, a start that only approaches it has
    reached it.
    """
    order = np.argsort(nll, axis=-1, kind="stable")
    ordered = np.concatenate([np.asarray(best)[..., None], np.take_along_axis(nll, order, axis=-1)], axis=-1)
    # An infinite NLL has no distance to another: those starts found nothing and share the last number.
    gaps = np.diff(np.nan_to_num(ordered, posinf=np.finfo(float).max), axis=-1) > SAME_OPTIMUM
    numbers = np.empty(nll.shape, dtype=np.int64)
    np.put_along_axis(numbers, order, 1 + np.cumsum(gaps, axis=-1), axis=-1)
    return numbers


def _named(family: Family, values: Array) -> list[dict[str, float]]:
    """By name, for each line of ``values`` [S, P'], equal mixture components sorted."""
    names = family.names
    return [dict(zip(names, line, strict=True)) for line in taken(values, relabelled(family, values)).tolist()]


def _trace(solution: Solution, row: int, start: int) -> tuple[TracePoint, ...]:
    index = row * solution.theta.shape[1] + start
    n, points = float(solution.batch.n[row]), []
    for step, (rows, theta, value, gradient_norm) in enumerate(solution.trace):
        here = (rows == index).nonzero()
        if len(here) == 0:
            break
        i = int(here[0, 0])
        values = natural(solution.family, theta[i].numpy(), solution.scale[row])
        (named,) = _named(solution.family, values[None])
        points.append(TracePoint(step, float(value[i]) * n, float(gradient_norm[i]), named))
    return tuple(points)
