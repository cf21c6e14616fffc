"""Histograms and a family as one batched objective: the mean negative log-likelihood of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.closed_form.find import derivatives
from distfit_counts.families.constraint import UNIT, Array
from distfit_counts.families.family import Family
from distfit_counts.optimise.chain import unconstrained_derivatives
from distfit_counts.settings import DEVICE_PIECE_ELEMENTS, PIECE_ELEMENTS


@dataclass(frozen=True)
class Batch:
    """Columns padded to a rectangle: counts ``k`` and weights ``w`` [C, V], observations ``n`` [C].

    Padding repeats a column's first value with weight zero, so that no family meets a count outside the data.
    """

    k: Array
    w: Array
    n: Array

    @classmethod
    def of(cls, histograms: Sequence[Histogram]) -> Batch:
        width = max(histogram.distinct for histogram in histograms)
        k = np.empty((len(histograms), width))
        w = np.zeros((len(histograms), width))
        for row, histogram in enumerate(histograms):
            k[row] = histogram.values[0]
            k[row, : histogram.distinct] = histogram.values
            w[row, : histogram.distinct] = histogram.weights
        return cls(k, w, w.sum(axis=1))

    @property
    def width(self) -> npt.NDArray[np.int64]:
        """How many places of each column are filled, [C]."""
        return np.asarray(self.w.shape[1] - (self.w[:, ::-1] > 0).argmax(axis=1))


@dataclass(frozen=True)
class Evaluation:
    """Objective [B], gradient [B, P] and Hessian [B, P, P] (None where not asked for)."""

    value: Tensor
    gradient: Tensor
    hessian: Tensor | None

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that there are."""
        return [tensor for tensor in (self.value, self.gradient, self.hessian) if tensor is not None]

    @property
    def finite(self) -> Tensor:
        """Which rows have a finite objective and finite derivatives, [B]."""
        finite = self.value.isfinite() & self.gradient.isfinite().all(dim=1)
        return finite if self.hessian is None else finite & self.hessian.isfinite().all(dim=2).all(dim=1)

    @property
    def unit(self) -> Tensor:
        """Length [B, P] by which a coordinate is divided so that its curvature is at most one; one without a Hessian.

        A rate of 1e9 has a curvature of 1e9 beside those near one: eigenvalues and gradients are judged in these units.
        """
        if self.hessian is None:
            return torch.ones_like(self.gradient)
        return self.hessian.diagonal(dim1=1, dim2=2).abs().clamp(min=1.0).sqrt()

    @property
    def gradient_norm(self) -> Tensor:
        """Largest |gradient| of the scaled problem, [B]."""
        return (self.gradient / self.unit).abs().amax(dim=1)

    @classmethod
    def join(cls, pieces: Sequence[Evaluation]) -> Evaluation:
        """The rows of all ``pieces``, in order."""
        hessians = [piece.hessian for piece in pieces if piece.hessian is not None]
        hessian = torch.cat(hessians) if hessians else None
        return cls(torch.cat([p.value for p in pieces]), torch.cat([p.gradient for p in pieces]), hessian)

    def select(self, rows: Tensor) -> Evaluation:
        hessian = None if self.hessian is None else self.hessian[rows]
        return Evaluation(self.value[rows], self.gradient[rows], hessian)

    def to(self, device: str) -> Evaluation:
        """The same numbers on another device."""
        hessian = None if self.hessian is None else self.hessian.to(device)
        return Evaluation(self.value.to(device), self.gradient.to(device), hessian)

    def plus(self, other: Evaluation) -> Evaluation:
        """The sum of two parts of an objective."""
        hessian = None if self.hessian is None or other.hessian is None else self.hessian + other.hessian
        return Evaluation(self.value + other.value, self.gradient + other.gradient, hessian)

    def replace(self, rows: Tensor, other: Evaluation) -> Evaluation:
        """This evaluation with ``other`` where ``rows`` [B] is true."""
        hessian = None
        if self.hessian is not None and other.hessian is not None:
            hessian = torch.where(rows[:, None, None], other.hessian, self.hessian)
        gradient = torch.where(rows[:, None], other.gradient, self.gradient)
        return Evaluation(torch.where(rows, other.value, self.value), gradient, hessian)


class Objective:
    """The mean negative log-likelihood per observation, -sum_v w_v log p(k_v) / n, for rows of (column, theta)."""

    def __init__(self, family: Family, batch: Batch, scale: Array, device: str = "cpu") -> None:
        """``scale`` [C, P']: a typical natural value of each parameter (see ``constraint``).

        ``device`` holds the data and computes; what goes in and comes out, a few numbers a row, is in main memory.
        """
        self.family, self.device = family, device
        self.k = torch.from_numpy(batch.k).to(device)
        self.share = torch.from_numpy(batch.w / batch.n[:, None]).to(device)
        self.width = torch.from_numpy(batch.width).to(device)
        self.n = torch.from_numpy(batch.n)
        self.scale = torch.from_numpy(scale).to(device)

    @property
    def piece(self) -> int:
        """Rows times distinct values that are evaluated together."""
        return PIECE_ELEMENTS if self.device == "cpu" else DEVICE_PIECE_ELEMENTS

    def __call__(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation:
        """``theta`` [B, P]; ``column`` [B] says which column each row fits."""
        theta, column = theta.to(self.device), column.to(self.device)
        return self._in_pieces(theta, column, hessian).to("cpu")

    def _in_pieces(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation:
        if len(theta) * self.k.shape[1] <= self.piece:
            return self._summed(theta, column, hessian)
        piece = self.width[column].cumsum(0) // self.piece
        rows = piece.unique_consecutive(return_counts=True)[1].tolist()
        pieces = zip(theta.split(rows), column.split(rows), strict=True)
        return Evaluation.join([self._summed(*own, hessian) for own in pieces])

    def _summed(self, theta: Tensor, column: Tensor, hessian: bool) -> Evaluation:
        """A sum over distinct values: where they are millions, the sum of its parts, and memory does not grow."""
        width = int(self.width[column].max())
        parts = [slice(i, min(i + self.piece, width)) for i in range(0, width, self.piece)]
        found = self._evaluate(theta, column, hessian, parts[0])
        for part in parts[1:]:
            found = found.plus(self._evaluate(theta, column, hessian, part))
        return found

    def _evaluate(self, theta: Tensor, column: Tensor, hessian: bool, part: slice) -> Evaluation:
        found = self._in_closed_form(theta, column, part) if hessian else None
        if found is not None:
            return found
        theta = theta.detach().requires_grad_(True)
        return differentiated(self.value(theta, column, part), theta, hessian)

    def _in_closed_form(self, theta: Tensor, column: Tensor, part: slice) -> Evaluation | None:
        """None where the family has no closed form."""
        k, share = self._data(column, part)
        scale = self.scale[column]
        found = derivatives(self.family, working(self.family, theta, scale), k)
        if found is None:
            return None
        value, slope = -(share * found.log_prob).sum(dim=-1), -(found.first.movedim(0, 1) @ share[:, :, None])[:, :, 0]
        gradient, matrix = unconstrained_derivatives(self.family, theta, scale, slope, -found.second(share))
        return Evaluation(value, gradient, 0.5 * (matrix + matrix.mT))

    def value(self, theta: Tensor, column: Tensor, part: slice = slice(None)) -> Tensor:
        """The objective [B] alone; ``part``: of some of the distinct values."""
        k, share = self._data(column, part)
        log_prob = self.family.log_prob(working(self.family, theta, self.scale[column]), k)
        return -(share * log_prob).sum(dim=-1)

    def _data(self, column: Tensor, part: slice) -> tuple[Tensor, Tensor]:
        # One column broadcasts over its restarts: nothing is copied.
        if len(self.k) == 1:
            return self.k[:, part], self.share[:, part]
        return self.k[column, part], self.share[column, part]


def differentiated(value: Tensor, theta: Tensor, hessian: bool) -> Evaluation:
    """``value`` [B] with its derivatives by ``theta`` [B, P], each of its own row only, as autograd finds them."""
    (gradient,) = torch.autograd.grad(value.sum(), theta, create_graph=hessian)
    if not hessian:
        return Evaluation(value.detach(), gradient, None)
    # Rows do not interact, so the gradient of a sum over rows is every row's own: p passes give all Hessians.
    passes = range(theta.shape[1])
    second = [torch.autograd.grad(gradient[:, p].sum(), theta, retain_graph=p != passes[-1])[0] for p in passes]
    matrix = torch.stack(second, dim=1)
    return Evaluation(value.detach(), gradient.detach(), 0.5 * (matrix + matrix.mT))


def working(family: Family, theta: Tensor, scale: Tensor) -> dict[str, Tensor]:
    """Working values by name, each [B, 1], of unconstrained ``theta`` [B, P] and ``scale`` [B, P']."""
    values: dict[str, Tensor] = {}
    coordinate = place = 0
    for parameter in family.parameters:
        names, free = parameter.names, parameter.free
        own = theta[:, coordinate : coordinate + free]
        transformed = parameter.constraint.to(own, scale[:, place : place + len(names)])
        values |= {name: transformed[:, i : i + 1] for i, name in enumerate(names)}
        coordinate, place = coordinate + free, place + len(names)
    return values


# From here to 1 the digits of a probability no longer tell its logit.
_NEAR_ONE = 1.0 - 1e-6


def by_definition(family: Family, batch: Batch, theta: Array, scale: Array) -> Array:
    """The mean NLL [C] of every column at ``theta`` [C, P] by the log-pmf of the family at its natural values, as they
    are shown: what no faster way to it may differ from.
    """
    shown = torch.from_numpy(natural(family, theta, scale))
    values, k = working(family, torch.from_numpy(theta), torch.from_numpy(scale)), torch.from_numpy(batch.k)
    place = 0
    for parameter in family.parameters:
        for name in parameter.names:
            own = shown[:, place : place + 1]
            told = parameter.constraint.from_natural(own)
            rounded = (own > _NEAR_ONE) & (parameter.constraint is UNIT)
            values[name] = torch.where(rounded, values[name], told)
            place += 1
    found = torch.empty(len(theta), dtype=torch.float64)
    size = max(PIECE_ELEMENTS // batch.k.shape[1], 1)
    for rows in torch.arange(len(theta)).split(size):
        own = family.log_prob({name: value[rows] for name, value in values.items()}, k[rows])
        w = torch.from_numpy(batch.w)[rows]
        found[rows] = -torch.where(w > 0.0, w * own, 0.0).sum(dim=1)
    return found.numpy() / batch.n


def unconstrained(family: Family, values: Array, scale: Array) -> Array:
    """``theta`` [..., P] of natural ``values`` [..., P']."""
    return _convert(family, values, scale, "inverse", by_name=True)


def natural(family: Family, theta: Array, scale: Array) -> Array:
    """Natural values [..., P'] of ``theta`` [..., P]."""
    return _convert(family, theta, scale, "show", by_name=False)


def _convert(family: Family, array: Array, scale: Array, method: str, by_name: bool) -> Array:
    parts = []
    coordinate = place = 0
    for parameter in family.parameters:
        free, count = parameter.free, len(parameter.names)
        here = slice(place, place + count) if by_name else slice(coordinate, coordinate + free)
        parts.append(getattr(parameter.constraint, method)(array[..., here], scale[..., place : place + count]))
        coordinate, place = coordinate + free, place + count
    return np.concatenate(parts, axis=-1) if parts else np.zeros((*array.shape[:-1], 0))
