"""What happened in training, as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import nn

# Steps whose loss is kept one by one.
FIRST_STEPS = 100


@dataclass(frozen=True)
class History:
    """Mean NLLs. ``steps``: of the batches of the first 100 steps, each before it; ``train``: of every epoch's batches,
    as they went by; ``held_out``: of the held-out rows before the first epoch and after each, () where there are none.

    ``gradient_norm`` [layers]: at the end of the last epoch; ``gradient_norm_max``: the largest of all epochs' ends.
    """

    steps: tuple[float, ...]
    train: tuple[float, ...]
    held_out: tuple[float, ...]
    gradient_norm: tuple[float, ...]
    gradient_norm_max: tuple[float, ...]


@dataclass
class Record:
    """A history in the making: what a checkpoint holds of it."""

    steps: list[float] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    gradient_norm_max: list[float] = field(default_factory=list)
    # Of the epoch that goes on.
    loss: float = 0.0
    weight: float = 0.0

    def step(self, loss: float, weight: float) -> None:
        if len(self.steps) < FIRST_STEPS:
            self.steps.append(loss)
        self.loss += loss * weight
        self.weight += weight

    def epoch(self, layers: Sequence[nn.Module]) -> None:
        self.train.append(self.loss / self.weight)
        self.loss = self.weight = 0.0
        norms = [_norm(layer) for layer in layers]
        self.gradient_norm_max = [max(pair) for pair in zip(norms, self.gradient_norm_max or norms, strict=True)]
        self.gradient_norm = norms

    def frozen(self) -> History:
        kept = {name: tuple(values) for name, values in asdict(self).items() if isinstance(values, list)}
        return History(**kept)


def _norm(layer: nn.Module) -> float:
    return math.hypot(*(float(torch.linalg.vector_norm(p.grad)) for p in layer.parameters() if p.grad is not None))
