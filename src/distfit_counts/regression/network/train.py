"""Training from the first pass over the data to the finished fit."""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from distfit_counts.optimise.threads import one_thread
from distfit_counts.output import check
from distfit_counts.regression.network.block import Source
from distfit_counts.regression.network.codec import model_record
from distfit_counts.regression.network.epochs import Epochs, Saved
from distfit_counts.regression.network.feed import Batch, Feed
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.gradient import chosen, natural
from distfit_counts.regression.network.judge import judge
from distfit_counts.regression.network.net import Net, start
from distfit_counts.regression.network.settings import NetworkSettings, Progress
from distfit_counts.regression.network.state import State, kept
from distfit_counts.regression.network.summary import Summary, summarise
from distfit_counts.regression.row_model import RowModel
from distfit_counts.settings import PIECE_ELEMENTS

# Units times rows of a layer's output from which torch's threads pay, whatever else the machine does.
_LARGE_BATCH = 16 * PIECE_ELEMENTS


def train(
    model: RowModel,
    source: Source,
    settings: NetworkSettings,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NetworkFit:
    """The network fitted to ``source``. Where the file ``checkpoint`` exists, training goes on from it; it is written
    after epochs and on Ctrl-C, and the end is the same as if nothing had interrupted.

    Raises DistfitError, above all where the loss leaves the finite numbers, and KeyboardInterrupt.
    """
    cheaper = natural(model)
    backward = chosen(settings.gradient, cheaper)
    if checkpoint is not None:
        check(checkpoint)
        if checkpoint.exists():
            # Before the first pass, which may take minutes: that it is one, though not yet of which data.
            kept(checkpoint)
    summary = summarise(source, settings)
    first = start(model, summary)
    net = Net(len(summary.standard.kept), settings.hidden, first, settings.seed)
    state = State(net, _optimizer(net, settings))
    saved = None if checkpoint is None else Saved(checkpoint, _fingerprint(model, source, settings, summary))
    if saved is not None and saved.path.exists():
        state.load(saved.path, saved.fingerprint)
    judged = Batch.of(summary.judged)
    epochs = Epochs(cheaper, settings, Feed(source, settings, summary), state, backward, judged)
    with _threads(settings, summary):
        epochs.run(saved, progress)
        found = judge(model, state, epochs.feed, judged, first)
    return NetworkFit(
        model=found.model,
        terms=source.terms,
        names=source.names,
        standard=summary.standard,
        weights=net.arrays(),
        settings=settings,
        n=float(summary.counts.sum()),
        n_rows=summary.n,
        n_held_out=summary.n - summary.n_training,
        n_missing=source.n_missing,
        epochs=state.epoch,
        best_epoch=state.best_epoch if summary.share else state.epoch,
        history=state.record.frozen(),
        checkup=found.checkup,
        residuals=found.residuals,
        verdicts=(*source.remarks, *found.verdicts),
    )


def _optimizer(net: Net, settings: NetworkSettings) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.SGD
    return kind(net.parameters(), lr=settings.rate)


def _fingerprint(model: RowModel, source: Source, settings: NetworkSettings, summary: Summary) -> str:
    """What a checkpoint belongs to: the same data, model and settings, but any number of epochs."""
    own = {name: value for name, value in asdict(settings).items() if name != "epochs"}
    standard = [summary.standard.mean.tolist(), summary.standard.scale.tolist()]
    told = [own, model_record(model), source.names, summary.n, standard]
    found = hashlib.sha256(json.dumps(told).encode())
    judged = summary.judged
    for array in (summary.values, summary.counts, judged.x, judged.y, judged.weights, judged.offset):
        found.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _threads(settings: NetworkSettings, summary: Summary) -> AbstractContextManager[None]:
    """Batches gain nothing from torch's threads until they are large, and a stream is read by a thread of its own."""
    rows = summary.n_training if settings.batch_size is None else settings.batch_size
    widest = max(*settings.hidden, len(summary.standard.kept), 1)
    return one_thread() if rows * widest <= _LARGE_BATCH else nullcontext()
