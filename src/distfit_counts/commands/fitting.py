"""The options that say how to fit."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from distfit_counts.commands import options
from distfit_counts.commands.data import Data
from distfit_counts.commands.idle import only_with
from distfit_counts.settings import LEARNING_RATE, RESTARTS, SEED, TOLERANCE, FitSettings

if TYPE_CHECKING:
    from distfit_counts.families.family import Family


@dataclass(frozen=True)
class Fitting:
    """What every command that fits takes."""

    restarts: options.Restarts = RESTARTS
    seed: options.Seed = SEED
    optimizer: options.Optimise = options.Optimizer.newton
    max_steps: options.MaxSteps = None
    tolerance: options.Tolerance = TOLERANCE
    learning_rate: options.LearningRate = LEARNING_RATE
    device: options.Where = options.Device.cpu

    def settings(self, ctx: typer.Context, data: Data, **others: Any) -> FitSettings:
        """With ``others``, the settings that are a command's own. Raises DistfitError for a value out of range."""
        only_with(ctx, "--optimizer adam", self.optimizer is options.Optimizer.adam, "learning_rate")
        return FitSettings(
            restarts=self.restarts,
            seed=self.seed,
            optimizer=self.optimizer.value,
            max_steps=self.max_steps,
            tolerance=self.tolerance,
            learning_rate=self.learning_rate,
            device=self.device.value,
            threads=data.threads,
            memory=data.budget.memory,
            **others,
        )


def check_memory(columns: int, families: Sequence[Family], settings: FitSettings) -> None:
    """Raises DistfitError, before memory ends, where the fits of so many columns would not fit in it."""
    from distfit_counts.budget import bytes_of_fit, require_memory

    each = sum(bytes_of_fit(family.n_parameters, settings.restarts) for family in families)
    require_memory(columns * each, settings.memory, f"fits of {columns:,} columns or groups")


def import_torch_meanwhile(threads: int | None) -> None:
    """torch takes longer to import than most files take to read: the two overlap, where there are ``threads`` for it:
    one counts and one parses.
    """
    if threads is not None and threads < 3:
        return
    # Reading calls into NumPy and Arrow and back a thousand times; at Python's 5 ms, each return waits that long for
    # the thread that imports.
    sys.setswitchinterval(0.001)
    threading.Thread(target=importlib.import_module, args=("torch",), daemon=True).start()
