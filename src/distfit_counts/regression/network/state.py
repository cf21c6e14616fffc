"""All that a training is at a moment, and how it is kept in a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.records import Damaged, Finite, Natural, decoded
from distfit_counts.regression.network.arrays_file import read, write
from distfit_counts.regression.network.history import Record
from distfit_counts.regression.network.net import Net

# The type and shape of every array, by name.
Expected = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]
SCHEMA = "distfit.network-checkpoint/2"


@dataclass
class State:
    """``epoch``: how many are finished; ``step``: how many steps of the next one. ``best``: the weights after
    ``best_epoch``, when the held-out NLL was ``best_value``.
    """

    net: Net
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    step: int = 0
    best: dict[str, Array] = field(default_factory=dict)
    best_epoch: int = 0
    best_value: float = float("inf")
    record: Record = field(default_factory=Record)

    def save(self, path: Path, fingerprint: str) -> None:
        """Raises OutputError."""
        arrays = {f"weight/{name}": value for name, value in self.net.arrays().items()}
        arrays |= {f"best/{name}": value for name, value in self.best.items()}
        for place, moments in self.optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer/{place}/{name}": value.numpy() for name, value in moments.items()}
        places = {name: getattr(self, name) for name in ("epoch", "step", "best_epoch", "best_value")}
        if not self.best:
            del places["best_value"]
        write(path, {"schema": SCHEMA, "fingerprint": fingerprint, **places, "record": asdict(self.record)}, arrays)

    def load(self, path: Path, fingerprint: str) -> None:
        """Go on where ``path`` stopped. Raises DistfitError if it is damaged, or belongs to other data or settings."""
        record, arrays = kept(path)
        if record.get("fingerprint") != fingerprint:
            raise DistfitError(
                f"{path} was made from other data or with other settings",
                "resume with those it was made with (more epochs are allowed), or name another checkpoint",
            )
        try:
            self._take(decoded(_Places, record), arrays)
        except Damaged as error:
            raise DistfitError(f"{path} is damaged: {error}", "remove it to begin anew, or name another") from None

    def _take(self, places: _Places, arrays: dict[str, Array]) -> None:
        """Raises Damaged where an array is not, to the letter, one of this network or its optimizer."""
        weights = self.net.arrays()
        expected: Expected = {f"weight/{name}": (value.dtype, value.shape) for name, value in weights.items()}
        if places.best_value is not None:
            expected |= {f"best/{name}": (value.dtype, value.shape) for name, value in weights.items()}
        if isinstance(self.optimizer, torch.optim.Adam) and (places.epoch or places.step):
            for i, value in enumerate(weights.values()):
                expected[f"optimizer/{i}/step"] = (np.dtype(np.float32), ())
                expected |= {f"optimizer/{i}/{name}": (value.dtype, value.shape) for name in ("exp_avg", "exp_avg_sq")}
        _require_arrays(arrays, expected)
        layers = len(self.net.layers)
        norms = (places.record.gradient_norm, places.record.gradient_norm_max)
        if any(len(own) != (layers if places.epoch else 0) for own in norms):
            raise Damaged(f"is not of {layers} layers", "record.gradient_norm")
        self.net.take(_under("weight/", arrays))
        self.best = _under("best/", arrays)
        moments: dict[int, dict[str, Any]] = {}
        for name, value in _under("optimizer/", arrays).items():
            place, _, own = name.partition("/")
            moments.setdefault(int(place), {})[own] = torch.from_numpy(value)
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})
        self.epoch, self.step, self.best_epoch = places.epoch, places.step, places.best_epoch
        if places.best_value is not None:
            self.best_value = places.best_value
        self.record = places.record


@dataclass(frozen=True)
class _Places:
    """The record of a checkpoint."""

    schema: str
    fingerprint: str
    epoch: Natural
    step: Natural
    best_epoch: Natural
    record: Record
    best_value: Finite | None = None

    def __post_init__(self) -> None:
        if self.best_epoch > self.epoch or len(self.record.train) != self.epoch:
            raise Damaged(f"{len(self.record.train)} of {self.epoch} epochs", "record.train")
        if self.step == 0 and (self.record.loss or self.record.weight):
            raise Damaged("is not 0 before the first step of an epoch", "record.loss")
        if len(self.record.held_out) not in (0, self.epoch + 1):
            raise Damaged(f"{len(self.record.held_out)} of {self.epoch + 1} values", "record.held_out")
        best = self.record.held_out[self.best_epoch] if self.record.held_out else None
        if self.best_value != best:
            raise Damaged(f"{self.best_value} where epoch {self.best_epoch} has {best}", "best_value")


def _require_arrays(arrays: dict[str, Array], expected: Expected) -> None:
    for name in sorted(arrays.keys() ^ expected.keys()):
        raise Damaged("is missing" if name in expected else "is not known", name)
    for name, (kind, shape) in expected.items():
        own = arrays[name]
        if (own.dtype, own.shape) != (kind, shape):
            raise Damaged(f"{own.dtype} of shape {own.shape} in place of {kind} of shape {shape}", name)
        if not np.isfinite(own).all():
            raise Damaged("holds a number that is not finite", name)
        if name.endswith(("exp_avg_sq", "step")) and (own < 0.0).any():
            raise Damaged("holds a number below 0", name)


def kept(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The record and the arrays of a checkpoint. Raises DistfitError for any other file."""
    return read(path, SCHEMA)


def _under(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
