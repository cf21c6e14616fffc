"""A regression as an objective for Newton: the mean negative log-likelihood of many coefficient vectors at once.

With rows i and predictors eta_ih = x_ih' theta_h + offset_ih, autograd gives the derivatives of each row's NLL by its
few etas, g_ih and h_iab; those by the coefficients are then plain matrix products, X_a' g_a and X_a' diag(h_ab) X_b:
exact, whatever the family, and no Hessian of all coefficients is ever differentiated.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.problem import Evaluation
from distfit_counts.optimise.threads import side_by_side
from distfit_counts.regression.natural import NaturalFamily
from distfit_counts.regression.row_model import RowModel
from distfit_counts.settings import PIECE_ELEMENTS


@dataclass(frozen=True)
class Rows:
    """Derivatives of the NLL of every row by its predictors: ``value`` [B, N], ``slope`` [H][B, N], ``curve``
    [H][H][B, N], of which only a <= b are there.
    """

    value: Tensor
    slope: list[Tensor]
    curve: list[list[Tensor]]


def row_derivatives(model: RowModel, eta: Sequence[Tensor], y: Tensor, hessian: bool) -> Rows:
    """By autograd; ``eta`` [H] of any one shape, that of ``y``."""
    leaves = [head.detach().requires_grad_(True) for head in eta]
    value = -model.log_prob(leaves, y)
    if not hessian:
        return Rows(value.detach(), list(torch.autograd.grad(value.sum(), leaves)), [])
    slope = torch.autograd.grad(value.sum(), leaves, create_graph=True)
    curve: list[list[Tensor]] = []
    for a, own in enumerate(slope):
        # Rows do not interact: one pass gives the derivatives of every row's slope. Later ones by symmetry.
        if own.requires_grad:
            found = torch.autograd.grad(
                own.sum(), leaves[a:], retain_graph=a + 1 < len(slope), allow_unused=True, materialize_grads=True
            )
        else:
            found = tuple(torch.zeros_like(leaf) for leaf in leaves[a:])
        curve.append([each.detach() for each in found])
    return Rows(value.detach(), [own.detach() for own in slope], curve)


def natural_derivatives(model: NaturalFamily, eta: Sequence[Tensor], y: Tensor, hessian: bool) -> Rows:
    """The same for a natural exponential family, with less work: the slope is mean - T(y), the curve its own."""
    stacked = torch.stack([head.detach() for head in eta]).requires_grad_(hessian)
    mean = model.mean(stacked)
    with torch.no_grad():
        value = -model.log_prob(stacked.unbind(0), y)
        slope = mean - model.statistic(y)
    curve = [
        list(torch.autograd.grad(own.sum(), stacked, retain_graph=a + 1 < len(mean))[0][a:])
        for a, own in enumerate(mean)
        if hessian
    ]
    return Rows(value, list(slope), curve)


class RegressionObjective:
    """Mean NLL per unit of weight, for rows theta [B, P] of coefficients: those of the first predictor, the next, ...

    ``y`` and ``weights`` [C, N]: C problems with the same covariates, C = 1 but for starts. ``matrices`` [H] of
    [N, q_h], ``offsets`` [H] of [N] or None. ``n`` [C]: the sums of the weights.
    """

    def __init__(
        self,
        model: RowModel,
        y: Array,
        weights: Array,
        matrices: Sequence[Array],
        offsets: Sequence[Array | None],
        threads: int | None = None,
    ) -> None:
        self.model, self.threads = model, threads
        total = weights.sum(axis=1)
        self.y = torch.from_numpy(np.ascontiguousarray(y, dtype=np.float64))
        self.share = torch.from_numpy(weights / total[:, None])
        self.n = torch.from_numpy(total)
        self.matrices = [torch.from_numpy(matrix) for matrix in matrices]
        self.offsets = [None if offset is None else torch.tensor(offset) for offset in offsets]
        ends = np.cumsum([0, *(matrix.shape[1] for matrix in matrices)])
        self.slices = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]

    @property
    def width(self) -> int:
        """How many coefficients there are."""
        return self.slices[-1].stop if self.slices else 0

    def __call__(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation:
        """``column`` [B] says which problem each row of theta fits."""
        size = max(PIECE_ELEMENTS // self.y.shape[1], 1)
        parts = zip(theta.split(size), column.split(size), strict=True)
        found = [self._summed(rows, own, hessian) for rows, own in parts]
        return found[0] if len(found) == 1 else Evaluation.join(found)

    def _summed(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation:
        size, n = max(PIECE_ELEMENTS // max(len(theta), 1), 1), self.y.shape[1]
        pieces = [slice(i, i + size) for i in range(0, n, size)]
        parts = side_by_side(lambda piece: self._evaluate(theta, column, hessian, piece), pieces, self.threads)
        found = next(parts)
        for part in parts:
            found = found.plus(part)
        return found

    def _evaluate(self, theta: Tensor, column: Tensor, hessian: bool, piece: slice) -> Evaluation:
        eta = self.predictors(theta, piece)
        y, share = self._of(self.y, column, piece), self._of(self.share, column, piece)
        y = y.expand_as(eta[0])
        if isinstance(self.model, NaturalFamily):
            rows = natural_derivatives(self.model, eta, y, hessian)
        else:
            rows = row_derivatives(self.model, eta, y, hessian)
        matrices = [matrix[piece] for matrix in self.matrices]
        gradient = torch.cat([(share * s) @ m for s, m in zip(rows.slope, matrices, strict=True)], dim=1)
        value = (rows.value * share).sum(dim=1)
        if not hessian:
            return Evaluation(value, gradient, None)
        matrix = theta.new_zeros(len(theta), theta.shape[1], theta.shape[1])
        for a, own in enumerate(self.slices):
            for b, other in enumerate(self.slices[a:], start=a):
                weighted = (share * rows.curve[a][b - a])[:, :, None] * matrices[b]
                block = matrices[a].mT @ weighted
                matrix[:, own, other] = block
                if b > a:
                    matrix[:, other, own] = block.mT
        return Evaluation(value, gradient, 0.5 * (matrix + matrix.mT))

    @staticmethod
    def _of(data: Tensor, column: Tensor, piece: slice) -> Tensor:
        # One problem broadcasts over its restarts: nothing is copied.
        return data[:, piece] if len(data) == 1 else data[column, piece]

    def predictors(self, theta: Tensor, piece: slice = slice(None)) -> list[Tensor]:
        """eta [B, N] of every head."""
        found = []
        for matrix, offset, own in zip(self.matrices, self.offsets, self.slices, strict=True):
            eta = theta[:, own] @ matrix[piece].mT
            found.append(eta if offset is None else eta + offset[piece])
        return found
