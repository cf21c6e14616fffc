"""The options that say how to fit."""

from __future__ import annotations

import gc
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
    from distfit_counts.data.column import Column
    from distfit_counts.families.family import Family
    from distfit_counts.fitting import Progress
    from distfit_counts.report.progress import Watch


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
        if self.device is options.Device.cuda:
            # torch is imported before anything is read, which takes a second: not for those who fit on the CPU.
            from distfit_counts.optimise.device import chosen

            chosen(self.device.value)
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


def kind_of(columns: Sequence[Column]) -> str:
    """What people call that which is fitted."""
    return "groups" if columns[0].group else "columns"


def fitting_progress(watch: Watch, task: str) -> Progress:
    """Shows how many fits of all are done; of a single one, its share."""
    from distfit_counts.report.progress import portion

    def progress(done: float, total: int, name: str) -> None:
        texts = portion(int(done), total, "fits") if total > 1 else (f"{done / total:.0%}",)
        watch.show(task, done, total, f"{texts[0]}; {name}", *texts)

    return progress


def check_memory(columns: int, families: Sequence[Family], settings: FitSettings, written_as: str) -> None:
    """Raises DistfitError, before memory ends, where the fits of so many columns would not fit in it."""
    from distfit_counts.budget import BYTES_PER_LINE, bytes_of_fit, require_memory

    each = sum(bytes_of_fit(family.n_parameters, settings.restarts) for family in families)
    what, hint = f"fits of {columns:,} columns or groups", "raise --memory, give fewer --restarts"
    if written_as == "table" and columns > 1:
        each += len(families) * BYTES_PER_LINE
        what, hint = f"{what} in one table", f"{hint}, write them line by line (-o fits.parquet)"
    require_memory(columns * each, settings.memory, what, f"{hint}, or fit a part of them at a time")


def import_torch_meanwhile(threads: int | None) -> None:
    """torch takes longer to import than most files take to read: the two overlap, where there are ``threads`` for it:
    one counts and one parses.
    """
    if threads is not None and threads < 3:
        return
    # Reading calls into NumPy and Arrow and back a thousand times; at Python's 5 ms, each return waits that long for
    # the thread that imports.
    sys.setswitchinterval(0.001)
    threading.Thread(target=_import_torch, daemon=True).start()


def _import_torch() -> None:
    # A fifth of the time is the garbage collector, which walks again and again through a quarter of a million objects
    # that are there to stay: off, and these left out of what it walks through later.
    gc.disable()
    try:
        importlib.import_module("torch")
        gc.freeze()
    finally:
        gc.enable()
