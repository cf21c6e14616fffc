"""The loop: steps, epochs, early stopping, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from distfit_counts.errors import DistfitError, Interrupted
from distfit_counts.regression.network.feed import Batch, Feed
from distfit_counts.regression.network.gradient import Backward
from distfit_counts.regression.network.interrupt import held_back
from distfit_counts.regression.network.net import predictors, row_nll
from distfit_counts.regression.network.settings import NetworkSettings, Progress
from distfit_counts.regression.network.state import State
from distfit_counts.regression.row_model import RowModel

# Seconds between two checkpoints of epochs that follow each other faster.
_CHECKPOINT_EVERY = 1.0


@dataclass(frozen=True)
class Saved:
    """Where checkpoints go, and what they belong to."""

    path: Path
    fingerprint: str


@dataclass(eq=False)
class Epochs:
    """``judged``: the held-out rows, where there are any."""

    model: RowModel
    settings: NetworkSettings
    feed: Feed
    state: State
    backward: Backward
    judged: Batch
    # Within a step, and from an epoch's last step to its books, the state is none to go on from.
    in_step: bool = field(default=False, init=False)

    def run(self, saved: Saved | None, progress: Progress | None) -> None:
        """All epochs. Ctrl-C is heard between steps, when the state is whole."""
        record = self.state.record
        if self.feed.summary.share and not record.held_out:
            self._hold_out()
        written = time.monotonic()
        with held_back() as raise_if_pressed:
            try:
                while not self._finished:
                    self._epoch(raise_if_pressed)
                    if progress is not None:
                        progress(self.state.epoch, self.settings.epochs, (record.held_out or record.train)[-1])
                    if saved is not None and time.monotonic() - written > _CHECKPOINT_EVERY:
                        self.state.save(saved.path, saved.fingerprint)
                        written = time.monotonic()
            except KeyboardInterrupt:
                if saved is not None and not self.in_step:
                    self.state.save(saved.path, saved.fingerprint)
                raise self._interrupted(saved) from None
        if saved is not None:
            self.state.save(saved.path, saved.fingerprint)

    def _interrupted(self, saved: Saved | None) -> Interrupted:
        where = f"interrupted in epoch {self.state.epoch + 1}"
        if saved is None:
            return Interrupted(f"{where}: nothing is kept", "with --checkpoint PATH the same command would go on there")
        if not saved.path.exists():
            return Interrupted(f"{where}: nothing is kept yet", "the same command begins anew")
        what = "the last whole state" if self.in_step else "the state"
        return Interrupted(f"{where}; {what} is in {saved.path}", "the same command goes on from there")

    @property
    def _finished(self) -> bool:
        waited = self.state.epoch - self.state.best_epoch
        impatient = self.feed.summary.share > 0.0 and waited >= self.settings.patience
        return impatient or self.state.epoch >= self.settings.epochs

    def _epoch(self, raise_if_pressed: Callable[[], None]) -> None:
        state = self.state
        for place, batch in enumerate(self.feed.epoch(state.epoch)):
            # Before the step: an interrupted epoch always has one left, which leaves the gradients behind.
            raise_if_pressed()
            if place >= state.step:
                self._step(batch)
        self.in_step = True
        state.record.epoch(list(state.net.layers))
        state.epoch, state.step = state.epoch + 1, 0
        if self.feed.summary.share:
            self._hold_out()
        self.in_step = False

    def _step(self, batch: Batch) -> None:
        state = self.state
        self.in_step = True
        state.optimizer.zero_grad()
        loss = float(self.backward(predictors(state.net, self.model, batch), batch))
        self._refuse_infinite(loss)
        state.optimizer.step()
        state.step += 1
        state.record.step(loss, batch.total)
        self.in_step = False

    def _hold_out(self) -> None:
        state = self.state
        rows = row_nll(state.net, self.model, self.judged)
        loss = float(self.judged.share @ rows)
        self._refuse_infinite(loss)
        state.record.held_out.append(loss)
        if loss < state.best_value:
            state.best, state.best_value, state.best_epoch = state.net.arrays(), loss, state.epoch

    def _refuse_infinite(self, loss: float) -> None:
        if not math.isfinite(loss):
            where = f"epoch {self.state.epoch + 1}, step {self.state.step + 1}"
            raise DistfitError(
                f"the loss is {loss} in {where}: the steps are too long for these data",
                f"lower --learning-rate, which is {self.settings.rate:g}",
            )
