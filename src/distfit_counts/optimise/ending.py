"""How a search from many starts ends: which start is best, whether it has arrived, and whether a limit is as good."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.minimise import (
    CONVERGED,
    INCONSISTENT,
    MAX_STEPS,
    RETIRED,
    SADDLE,
    Differentiable,
    Minimum,
    minimise,
)
from distfit_counts.optimise.newton import at_saddle, promised_gain
from distfit_counts.optimise.problem import Evaluation
from distfit_counts.settings import BOUNDARY_MARGIN, PATIENCE, FitSettings
from distfit_counts.settings import MAX_STEPS as DEFAULT_STEPS

INTERIOR = -1
# Share of a log-likelihood by which two ways to compute it may differ.
_AGREE = 1e-9
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ending:
    """Of C columns with S starts each: ``value`` (mean NLL), ``status``, ``gradient_norm`` [C, S]; ``best`` [C] the
    index of the best start, ``point`` [C] its evaluation, with the Hessian.
    """

    value: Array
    status: Ints
    gradient_norm: Array
    best: Ints
    point: Evaluation

    @property
    def best_value(self) -> Array:
        """[C]"""
        return np.take_along_axis(self.value, self.best[:, None], axis=1)[:, 0]

    @property
    def hessian(self) -> Array:
        """[C, P, P]"""
        assert self.point.hessian is not None
        return self.point.hessian.numpy()


def finished(
    minimum: Minimum, objective: Differentiable, column: torch.Tensor, n: Array, settings: FitSettings
) -> Ending:
    """``minimum`` of C x S rows, followed to its end where only patience is lacking, in place, and judged.

    ``column`` says which data each row fits; ``n`` [C] observations.
    """
    value, status, gradient_norm, best = ends(minimum, n)
    columns, starts = value.shape
    rows = np.arange(columns) * starts + best
    unfinished = np.flatnonzero(status.ravel()[rows] == MAX_STEPS)
    if settings.max_steps is None and len(unfinished):
        # Along a flat ridge Newton creeps: worth the patience for the one start that counts.
        _go_on(minimum, torch.from_numpy(rows[unfinished]), objective, column, settings)
        value, status, gradient_norm, best = ends(minimum, n)
        rows = np.arange(columns) * starts + best
    point = _at_best(objective, minimum, torch.from_numpy(rows), column)
    # A first-order path that ran out of steps may have arrived all the same: the Hessian knows.
    arrived = (promised_gain(point, objective.n) <= BOUNDARY_MARGIN).numpy() & (status.ravel()[rows] == MAX_STEPS)
    status.ravel()[rows[arrived]] = CONVERGED
    # Newton leaves a saddle by itself; a first-order path may rest on one.
    status.ravel()[rows[at_saddle(point).numpy() & (status.ravel()[rows] == CONVERGED)]] = SADDLE
    return Ending(value, status, gradient_norm, best, point)


def differs(reached: Array, defined: Array, rounding: Array | float = 0.0) -> npt.NDArray[np.bool_]:
    """Whether log-likelihoods that a search ``reached`` are not those of its estimates, as they are ``defined``;
    ``rounding``: what the digits of the estimates may account for.
    """
    with np.errstate(invalid="ignore"):
        apart = np.abs(reached - defined) > _AGREE * np.maximum(np.abs(reached), 1.0) + rounding
    return np.asarray(np.isfinite(reached) & (apart | np.isnan(defined)))


def checked(ending: Ending, defined: Array, n: Array) -> Ending:
    """``ending`` with the mean NLL at the best starts as it is ``defined`` [C], and their status where it differs."""
    columns, value, status = np.arange(len(n)), ending.value.copy(), ending.status.copy()
    wrong = np.flatnonzero(differs(n * ending.best_value, n * defined))
    value[columns[wrong], ending.best[wrong]] = defined[wrong]
    status[columns[wrong], ending.best[wrong]] = INCONSISTENT
    return replace(ending, value=value, status=status)


def ends(minimum: Minimum, n: Array) -> tuple[Array, Ints, Array, Ints]:
    """Value, status and gradient norm [C, S] of all starts, and the best of them [C]: the lowest, among those equal to
    the last digits the one that converged furthest.
    """
    shape = (len(n), -1)
    value = minimum.point.value.numpy().reshape(shape)
    value = np.where(np.isfinite(value), value, np.inf)
    status = minimum.status.numpy().reshape(shape)
    gradient_norm = minimum.point.gradient_norm.numpy().reshape(shape)
    tied = value <= value.min(axis=1, keepdims=True) + 0.1 * BOUNDARY_MARGIN / n[:, None]
    # A start only retires behind others, which go on.
    tied &= status != RETIRED
    order = np.where(status == CONVERGED, gradient_norm, 1.0 + gradient_norm)
    best: Ints = np.argmin(np.where(tied, np.nan_to_num(order, nan=np.finfo(float).max), np.inf), axis=1)
    return value, status, gradient_norm, best


def _go_on(
    minimum: Minimum, rows: torch.Tensor, objective: Differentiable, column: torch.Tensor, settings: FitSettings
) -> None:
    """Continue ``rows`` of ``minimum``, in place, for PATIENCE times as many steps."""
    steps = PATIENCE * DEFAULT_STEPS[settings.optimizer]
    more = minimise(
        objective,
        minimum.theta[rows],
        column[rows],
        settings.optimizer,
        settings.tolerance,
        steps,
        settings.learning_rate,
    )
    minimum.theta[rows], minimum.status[rows] = more.theta, more.status
    minimum.steps[rows] += more.steps
    for kept, new in zip(minimum.point.tensors, more.point.tensors, strict=True):
        kept[rows] = new


def _at_best(objective: Differentiable, minimum: Minimum, rows: torch.Tensor, column: torch.Tensor) -> Evaluation:
    """The best point of every column, with its Hessian (a first-order method has none yet)."""
    point = minimum.point.select(rows)
    return point if point.hessian is not None else objective(minimum.theta[rows], column[rows], hessian=True)


def supremum(value: Array, n: Array, limits: Array, sizes: Ints) -> tuple[Ints, Array]:
    """Where the supremum lies [C], INTERIOR or which limit, and its mean NLL [C]: in the interior (``value`` [C]) only
    if that beats every limit by more than float64 can mistake. ``limits`` [L, C]: their suprema; among those that tie,
    the one of the fewest parameters, ``sizes`` [L, C].
    """
    if not len(limits):
        return np.full(len(value), INTERIOR), value
    with np.errstate(invalid="ignore"):
        margin = np.where(np.isfinite(value), BOUNDARY_MARGIN / n + 1e-12 * np.abs(value), 0.0)
        lowest = limits.min(axis=0)
        simplest = np.where(limits <= lowest + margin, sizes, 10**6).argmin(axis=0)
    at_limit = np.isfinite(lowest) & (value >= lowest - margin)
    return np.where(at_limit, simplest, INTERIOR), np.where(at_limit, lowest, value)
