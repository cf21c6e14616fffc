"""Damped Newton with the exact Hessian, every row for itself.

Direction: -Q |L|^-1 Q' g for the Hessian Q L Q' (absolute eigenvalues, so that it descends everywhere), shortened
to a bound and halved until the objective falls. torch's own LBFGS couples the rows of a batch; this does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from distfit_counts.optimise.problem import Evaluation
from distfit_counts.settings import GAIN_TOLERANCE, SAME_OPTIMUM, STEP_BOUND

# A negative eigenvalue below this share of the largest is a saddle, not rounding.
_SADDLE = 1e-7
# A Cholesky pivot above this share of the largest: the smallest eigenvalue is then far above its own rounding.
_DEFINITE = 1e-5
# Armijo's constant: the share of the promised decrease that a step must deliver.
_SUFFICIENT = 1e-4
_LONGEST = 8.0
_SHORTEST = 2.0**-30
# Steps in a row without a decrease above rounding, after which more would only wander.
_IDLE = 4


@dataclass(frozen=True)
class Newton:
    """State of the rows: ``direction`` [B, P], ``slope`` = gradient.direction [B], ``length`` of the next step [B],
    ``idle``, how many steps in a row did not lower the objective [B], and where it is ``convex`` beyond rounding [B].
    """

    n: Tensor
    tolerance: float
    direction: Tensor
    slope: Tensor
    length: Tensor
    idle: Tensor
    convex: Tensor
    needs_hessian = True

    @classmethod
    def begin(cls, point: Evaluation, n: Tensor, tolerance: float, learning_rate: float) -> Newton:
        direction, slope, convex = _direction(point)
        return cls(n, tolerance, direction, slope, torch.ones_like(slope), torch.zeros_like(slope), convex)

    @property
    def promise(self) -> Tensor:
        """By how much the objective falls at the next minimum of Newton's model, [B]."""
        return -0.5 * self.slope

    def propose(self, theta: Tensor) -> Tensor:
        return theta + self.length[:, None] * self.direction

    def judge(self, point: Evaluation, trial: Evaluation) -> tuple[Tensor, Newton]:
        """Which trials to accept, and the state after them."""
        # Differences below the rounding of the objective are neither progress nor harm.
        noise = 4e-16 * (1.0 + point.value.abs())
        needed = _SUFFICIENT * self.length.clamp(max=1.0) * self.slope
        accepted = trial.finite & (trial.value <= point.value + needed + noise)
        # The quadratic model can promise no more than -slope/2. A step that delivers more runs down an exponential
        # tail towards a boundary, where plain Newton advances by one unit at a time: lengthen it.
        tail = point.value - trial.value > -0.6 * self.slope
        longer = torch.where(tail, (2.0 * self.length).clamp(max=_LONGEST), torch.ones_like(self.length))
        shorter = torch.where(self.length > 1.0, torch.ones_like(self.length), 0.25 * self.length)
        direction, slope, convex = _direction(point.replace(accepted, trial))
        length = torch.where(accepted, longer, shorter)
        idle = torch.where(trial.value < point.value - noise, 0.0, self.idle + 1.0)
        return accepted, replace(self, direction=direction, slope=slope, length=length, idle=idle, convex=convex)

    def converged(self, point: Evaluation) -> Tensor:
        gain = self.promise * self.n
        small = gain <= GAIN_TOLERANCE
        # For a billion observations GAIN_TOLERANCE is below the rounding of the sum itself.
        rounding = gain <= 1e-15 * self.n * (1.0 + point.value.abs())
        exhausted = (self.idle >= _IDLE) & (gain <= SAME_OPTIMUM)
        return (point.gradient_norm <= self.tolerance) & (small | rounding | exhausted)

    def stalled(self) -> Tensor:
        return self.length < _SHORTEST

    def select(self, rows: Tensor) -> Newton:
        state = {name: getattr(self, name)[rows] for name in ("n", "direction", "slope", "length", "idle", "convex")}
        return replace(self, **state)


def promised_gain(point: Evaluation, n: Tensor) -> Tensor:
    """Log-likelihood units that Newton's model still promises at ``point``, over ``n`` [B] observations."""
    return -0.5 * _direction(point)[1] * n


def at_saddle(point: Evaluation) -> Tensor:
    """Whether the Hessian has a negative eigenvalue beyond rounding, [B]: a vanishing gradient is no minimum there."""
    eigenvalues = torch.linalg.eigvalsh(_scaled(point)[0])
    saddle: Tensor = eigenvalues.amin(dim=1) < -_SADDLE * eigenvalues.abs().amax(dim=1)
    return saddle


def _direction(point: Evaluation) -> tuple[Tensor, Tensor, Tensor]:
    """Newton's direction and the slope of the objective along it (negative)."""
    hessian, gradient, unit = _scaled(point)
    step, slope, convex = _by_cholesky(hessian, gradient)
    rest = (~convex).nonzero()[:, 0]
    if len(rest):
        step[rest], slope[rest] = _by_eigenvalues(hessian[rest], gradient[rest])
    direction = step / unit
    shortened = STEP_BOUND / direction.abs().amax(dim=1).clamp(min=STEP_BOUND)
    return shortened[:, None] * direction, shortened * slope, convex


def _by_cholesky(hessian: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Step, slope, and for which rows they hold: those whose Hessian is positive definite well beyond rounding, where
    absolute eigenvalues change nothing. A twentieth of the work.
    """
    factor, failed = torch.linalg.cholesky_ex(hessian)
    pivots = factor.diagonal(dim1=1, dim2=2)
    convex = (failed == 0) & (pivots.amin(dim=1) > _DEFINITE * pivots.amax(dim=1))
    safe = torch.where(convex[:, None, None], factor, torch.eye(hessian.shape[1], dtype=hessian.dtype))
    step = -torch.cholesky_solve(gradient[..., None], safe)[..., 0]
    return step, (gradient * step).sum(dim=1), convex


def _by_eigenvalues(hessian: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Step and slope by the absolute eigenvalues, so that it descends wherever the row is."""
    eigenvalues, vectors = _eigen(hessian)
    gradient = (vectors.mT @ slope[..., None])[..., 0]
    largest = eigenvalues.abs().amax(dim=1, keepdim=True).clamp(min=1e-300)
    curvature = eigenvalues.abs().clamp(min=1e-14 * largest)
    step = -gradient / curvature
    # At a saddle the gradient vanishes but there is a way down: leave along the negative eigenvector.
    saddle = eigenvalues < -_SADDLE * largest
    kick = torch.where(gradient > 0, -1.0, 1.0) * step.abs().clamp(min=0.25)
    step = torch.where(saddle, kick, step)
    slope = (gradient * step - torch.where(saddle, 0.5 * curvature * step * step, 0.0)).sum(dim=1)
    return (vectors @ step[..., None])[..., 0], slope


def _scaled(point: Evaluation) -> tuple[Tensor, Tensor, Tensor]:
    """Hessian and gradient in the point's units, and the units. Unscaled, the curvature of a large mean hides that of a
    size or a weight beside it below the rounding of eigenvalues.
    """
    assert point.hessian is not None
    # Rows that began with a value that is not finite are given up by the loop; LAPACK must not see them.
    finite = point.finite
    unit = torch.where(finite[:, None], point.unit, 1.0)
    hessian = torch.where(finite[:, None, None], point.hessian, 0.0) / (unit[:, :, None] * unit[:, None, :])
    return hessian, torch.where(finite[:, None], point.gradient, 0.0) / unit, unit


def _eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and vectors of symmetric matrices [B, P, P]; P = 1 and 2 in closed form.

    LAPACK is called once per matrix: for 20,000 small ones that costs as much as the likelihood.
    """
    if matrix.shape[1] == 1:
        return matrix[:, :, 0], torch.ones_like(matrix)
    if matrix.shape[1] > 2:
        values, vectors = torch.linalg.eigh(matrix)
        return values, vectors
    a, b, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1]
    angle = 0.5 * torch.atan2(2.0 * b, a - d)
    cos, sin = torch.cos(angle), torch.sin(angle)
    vectors = torch.stack([torch.stack([cos, -sin], dim=1), torch.stack([sin, cos], dim=1)], dim=1)
    first = a * cos * cos + 2.0 * b * cos * sin + d * sin * sin
    second = a * sin * sin - 2.0 * b * cos * sin + d * cos * cos
    return torch.stack([first, second], dim=1), vectors
