"""The restarts of one column: where each began and ended, and which optimum it reached."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.families.labels import relabelled, taken
from distfit_counts.optimise.minimise import CONVERGED, STATUS
from distfit_counts.optimise.problem import natural
from distfit_counts.optimise.solve import Solution
from distfit_counts.result import JOINED, Restart, TracePoint
from distfit_counts.settings import SAME_OPTIMUM

Places = npt.NDArray[np.int16]
# Of a mean NLL times the number of observations: a few units in the last place.
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)


def restarts_of(
    solution: Solution, row: int, basin: npt.NDArray[np.int64], order: tuple[Places, Places]
) -> tuple[Restart, ...]:
    """All starts of the column in ``row``; ``basin`` [S], 1 the supremum's; ``order``: see ``places``, of the values
    where each start began and where it ended.
    """
    family, scale, n = solution.family, solution.scale[row], float(solution.batch.n[row])
    names, thetas = family.names, (solution.start[row], solution.theta[row])
    start, end = (taken(natural(family, theta, scale), own) for theta, own in zip(thetas, order, strict=True))
    nll = (solution.value[row] * n + 0.0).tolist()  # + 0.0: never -0.0
    joined = np.zeros(len(nll), dtype=np.bool_) if solution.joined is None else solution.joined[row]
    words = np.where(joined & (solution.status[row] == CONVERGED), JOINED, [STATUS[i] for i in solution.status[row]])
    numbers = (solution.gradient_norm[row], solution.steps[row], words, basin)
    listed = zip(
        solution.origins, start.tolist(), end.tolist(), nll, *(own.tolist() for own in numbers), joined, strict=True
    )
    return tuple(
        Restart(
            restart=i + 1,
            origin=origin,
            start=dict(zip(names, began, strict=True)),
            estimate=dict(zip(names, ended, strict=True)),
            nll=value,
            gradient_norm=gradient_norm,
            steps=steps,
            status=status,
            basin=optimum,
            trace=_trace(solution, row, i),
        )
        for i, (origin, began, ended, value, gradient_norm, steps, status, optimum, followed_no_further) in enumerate(
            listed
        )
    )


def basins(nll: Array, best: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Number the optima from the best: a new one begins where the sorted NLL rises by more than SAME_OPTIMUM, and more
    than the rounding of the sum over so many observations.

    ``nll`` [..., S]; ``best`` [...] is the supremum: where it lies at a boundary, a start that only approaches it has
    reached it.
    """
    order = np.argsort(nll, axis=-1, kind="stable")
    ordered = np.concatenate([np.asarray(best)[..., None], np.take_along_axis(nll, order, axis=-1)], axis=-1)
    # An infinite NLL has no distance to another: those starts found nothing and share the last number.
    same = SAME_OPTIMUM + _ROUNDING * np.abs(np.nan_to_num(np.asarray(best), posinf=0.0))[..., None]
    gaps = np.diff(np.nan_to_num(ordered, posinf=np.finfo(float).max), axis=-1) > same
    numbers = np.empty(nll.shape, dtype=np.int64)
    np.put_along_axis(numbers, order, 1 + np.cumsum(gaps, axis=-1), axis=-1)
    return numbers


def places(family: Family, theta: Array, scale: Array) -> Places:
    """From which places [C, S, P'] of the natural values of ``theta`` [C, S, P] with ``scale`` [C, P'] the sorted ones
    come: ``relabelled``, of all starts at once, in a quarter of the memory.
    """
    return relabelled(family, natural(family, theta, scale[:, None, :])).astype(np.int16)


def _trace(solution: Solution, row: int, start: int) -> tuple[TracePoint, ...]:
    index = row * solution.theta.shape[1] + start
    n, points = float(solution.batch.n[row]), []
    for step, (rows, theta, value, gradient_norm) in enumerate(solution.trace):
        here = (rows == index).nonzero()
        if len(here) == 0:
            break
        i = int(here[0, 0])
        values = natural(solution.family, theta[i].numpy(), solution.scale[row])[None]
        (line,) = taken(values, relabelled(solution.family, values)).tolist()
        named = dict(zip(solution.family.names, line, strict=True))
        points.append(TracePoint(step, float(value[i]) * n, float(gradient_norm[i]), named))
    return tuple(points)
