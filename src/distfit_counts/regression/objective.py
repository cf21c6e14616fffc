"""A regression as an objective for Newton: the mean negative log-likelihood of many coefficient vectors at once.

With rows i and predictors eta_ih = x_ih' theta_h + offset_ih, the derivatives of each row's NLL by its few etas, g_ih
and h_iab, come by hand (``closed_form``) or by autograd; those by the coefficients are then plain matrix products,
X_a' g_a and X_a' diag(h_ab) X_b: exact, whatever the family, and no Hessian of all coefficients is ever differentiated.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.optimise.problem import Evaluation
from distfit_counts.optimise.threads import side_by_side
from distfit_counts.regression.closed_form import Counts, Curve, closed_form
from distfit_counts.regression.natural import NaturalFamily
from distfit_counts.regression.row_model import RowModel
from distfit_counts.settings import PIECE_ELEMENTS

# Elements of a temporary tensor, 512 KiB.
_KEPT_ELEMENTS = 2**16


def by_autograd(model: RowModel, eta: Sequence[Tensor], y: Tensor, hessian: bool = True) -> Curve:
    """log P(Y = y) with its derivatives by ``eta`` [H] of any one shape, that of ``y``."""
    leaves = [head.detach().requires_grad_(True) for head in eta]
    value = model.log_prob(leaves, y)
    if not hessian:
        return Curve(value.detach(), list(torch.autograd.grad(value.sum(), leaves)), {})
    slope = torch.autograd.grad(value.sum(), leaves, create_graph=True)
    curve: dict[tuple[int, int], Tensor] = {}
    for a, own in enumerate(slope):
        if not own.requires_grad:
            continue
        # Rows do not interact: one pass gives the derivatives of every row's slope. Later ones by symmetry.
        found = torch.autograd.grad(own.sum(), leaves[a:], retain_graph=a + 1 < len(slope), allow_unused=True)
        curve |= {(a, b): each.detach() for b, each in enumerate(found, start=a) if each is not None}
    return Curve(value.detach(), [own.detach() for own in slope], curve)


def natural_derivatives(model: NaturalFamily, eta: Sequence[Tensor], y: Tensor, hessian: bool) -> Curve:
    """The same for a natural exponential family, with less work: the slope is T(y) - mean, the curve minus its own."""
    stacked = torch.stack([head.detach() for head in eta]).requires_grad_(hessian)
    mean = model.mean(stacked)
    with torch.no_grad():
        value = model.log_prob(stacked.unbind(0), y)
        slope = model.statistic(y) - mean
    curve: dict[tuple[int, int], Tensor] = {}
    for a, own in enumerate(mean if hessian else ()):
        found = torch.autograd.grad(own.sum(), stacked, retain_graph=a + 1 < len(mean))[0]
        curve |= {(a, b): -found[b] for b in range(a, len(mean))}
    return Curve(value, list(slope), curve)


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
        # A predictor without covariates is one number a start: what it enters need not be computed for every row.
        self.constant = [
            offset is None and matrix.shape[1] == 1 and bool((matrix == matrix[0]).all())
            for matrix, offset in zip(self.matrices, self.offsets, strict=True)
        ]
        self.closed_form = closed_form(model)

    @cached_property
    def counts(self) -> Counts:
        """The response as a closed form takes it."""
        return Counts.of(self.y[0] if len(self.y) == 1 else self.y)

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
        found, share = self.rows(theta, column, hessian, piece), self._of(self.share, column, piece)
        matrices = [matrix[piece] for matrix in self.matrices]
        gradient = torch.cat([(share * slope) @ m for slope, m in zip(found.slope, matrices, strict=True)], dim=1)
        value = (found.value * share).sum(dim=1)
        if not hessian:
            return Evaluation(-value, -gradient, None)
        matrix = theta.new_zeros(len(theta), theta.shape[1], theta.shape[1])
        for (a, b), curve in found.curve.items():
            block = _products(share * curve, matrices[b], matrices[a])
            matrix[:, self.slices[b], self.slices[a]] = block
            matrix[:, self.slices[a], self.slices[b]] = block.mT
        return Evaluation(-value, -gradient, -0.5 * (matrix + matrix.mT))

    def rows(self, theta: Tensor, column: Tensor, hessian: bool = False, piece: slice = slice(None)) -> Curve:
        """log P(Y = y) of every row with its derivatives by the predictors."""
        if self.closed_form is not None:
            return self.closed_form(self.counts.piece(piece, column), self._narrow(theta, piece))
        eta = self.predictors(theta, piece)
        y = self._of(self.y, column, piece).expand_as(eta[0])
        if isinstance(self.model, NaturalFamily):
            return natural_derivatives(self.model, eta, y, hessian)
        return by_autograd(self.model, eta, y, hessian)

    @staticmethod
    def _of(data: Tensor, column: Tensor, piece: slice) -> Tensor:
        # One problem broadcasts over its restarts: nothing is copied.
        return data[:, piece] if len(data) == 1 else data[column, piece]

    def predictors(self, theta: Tensor, piece: slice = slice(None)) -> list[Tensor]:
        """eta [B, N] of every head."""
        n = len(self.y[0, piece])
        return [eta.expand(-1, n) for eta in self._narrow(theta, piece)]

    def _narrow(self, theta: Tensor, piece: slice) -> list[Tensor]:
        """eta [B, N] of every head, [B, 1] of a constant."""
        found = []
        for matrix, offset, own, constant in zip(self.matrices, self.offsets, self.slices, self.constant, strict=True):
            eta = theta[:, own] @ (matrix[:1] if constant else matrix[piece]).mT
            found.append(eta if offset is None else eta + offset[piece])
        return found


def _products(weights: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """left' diag(w) right [B, q, r] for every row w of ``weights`` [B, N]."""
    # A few rows and starts at a time: what is too large for the allocator to keep is returned to the system and cleared
    # anew, which takes as long as the sums.
    n, size = left.shape[0], max(_KEPT_ELEMENTS // left.shape[1], 1)
    if n > size:
        pieces = [slice(i, i + size) for i in range(0, n, size)]
        return torch.stack([_products(weights[:, own], left[own], right[own]) for own in pieces]).sum(dim=0)
    if len(weights) * n <= size:
        return (weights[:, None, :] * left.mT) @ right
    return torch.cat([(own[:, None, :] * left.mT) @ right for own in weights.split(max(size // n, 1))])
