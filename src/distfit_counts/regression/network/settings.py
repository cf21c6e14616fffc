"""How a network is trained: what the command takes as options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from distfit_counts.errors import DistfitError
from distfit_counts.settings import SEED

# Learning rates that suit standardised inputs and a mean NLL per row.
LEARNING_RATES = {"adam": 0.003, "sgd": 0.1}
GRADIENTS = ("autograd", "canonical")

# Rows that are held out are kept in memory: so many tell a difference of 0.01 in the mean NLL.
HELD_OUT_ROWS = 2**17

# Called between steps: epoch from 1 on, how many epochs at most, and the mean NLL of the held-out (or training) rows.
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class NetworkSettings:
    """``hidden``: widths of the ReLU layers, () for a linear predictor. ``batch_size`` None: all rows in one step.

    ``learning_rate`` None: the optimizer's own. ``validation``: share of the rows that is held out (131,072 at most);
    training ends when their NLL has not fallen for ``patience`` epochs, and the best epoch's weights are kept.
    """

    hidden: tuple[int, ...] = (30, 20)
    optimizer: str = "adam"
    learning_rate: float | None = None
    batch_size: int | None = 256
    epochs: int = 100
    validation: float = 0.1
    patience: int = 10
    gradient: str = "autograd"
    seed: int = SEED

    def __post_init__(self) -> None:
        """Raises DistfitError for a value out of range."""
        if self.optimizer not in LEARNING_RATES:
            raise DistfitError(f"unknown optimizer {self.optimizer!r}", f"known: {', '.join(LEARNING_RATES)}")
        if self.gradient not in GRADIENTS:
            raise DistfitError(f"unknown gradient {self.gradient!r}", f"known: {', '.join(GRADIENTS)}")
        for name, valid, remedy in (
            ("hidden", all(width >= 1 for width in self.hidden), "a layer has at least one unit"),
            ("learning_rate", self.rate > 0.0, "it must be positive"),
            ("batch_size", self.batch_size is None or self.batch_size >= 1, "at least one row is needed"),
            ("epochs", self.epochs >= 1, "at least one epoch is needed"),
            ("validation", 0.0 <= self.validation < 1.0, "a share from 0 to below 1; 0.1 is the default"),
            ("patience", self.patience >= 1, "at least one epoch"),
            ("seed", self.seed >= 0, "a seed is a whole number from 0 on"),
        ):
            if not valid:
                raise DistfitError(f"{name} = {getattr(self, name)} is out of range", remedy)

    @property
    def rate(self) -> float:
        return LEARNING_RATES[self.optimizer] if self.learning_rate is None else self.learning_rate
