"""What a closed form gives: the log-pmf of every count with its derivatives by the working values."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Derivatives(ABC):
    """Of a family with Q working values (see ``families.constraint``) in the order of its names, at counts [..., V].

    ``log_prob`` [..., V]; ``first`` [Q, ..., V] its derivatives.
    """

    log_prob: Tensor
    first: Tensor

    @abstractmethod
    def second(self, weight: Tensor) -> Tensor:
        """Sum over counts of ``weight`` [..., V] times the second derivatives, [..., Q, Q].

        Only the sum: the second derivatives of every single count would be Q * Q / 2 numbers each.
        """


def products(first: Tensor, weighted: Tensor) -> Tensor:
    """Sum over counts of each of ``first`` with each of ``weighted``, both [Q, ..., V]: [..., Q, Q]."""
    return torch.matmul(first.movedim(0, -2), weighted.movedim(0, -1))


def bordered(corner: Tensor, across: Tensor, inner: Tensor) -> Tensor:
    """The matrices [..., Q, Q] of ``corner`` [..., 1], ``across`` [..., Q - 1] beside it, and ``inner``."""
    top = torch.cat([corner, across], dim=-1)
    return torch.cat([top[..., None, :], torch.cat([across[..., None], inner], dim=-1)], dim=-2)


def outer(first: Tensor) -> Tensor:
    """Each of ``first`` [Q, ..., 1] with each other: [..., Q, Q]."""
    column = first.movedim(0, -2)
    return column * column.mT
