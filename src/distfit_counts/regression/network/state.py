"""All that a training is at a moment, and how it is kept in a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.network.arrays_file import read, write
from distfit_counts.regression.network.history import Record
from distfit_counts.regression.network.net import Net

SCHEMA = "distfit.network-checkpoint/1"


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
            self._take(record, arrays)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DistfitError(f"{path} is damaged: {error!r}", "remove it to begin anew, or name another") from None

    def _take(self, record: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.net.take(_under("weight/", arrays))
        self.best = _under("best/", arrays)
        if "best_value" in record and _shapes(self.best) != _shapes(self.net.arrays()):
            raise ValueError("its best weights are not those of these layers")
        moments: dict[int, dict[str, Any]] = {}
        for name, value in _under("optimizer/", arrays).items():
            place, _, own = name.partition("/")
            moments.setdefault(int(place), {})[own] = torch.from_numpy(value)
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})
        for name in ("epoch", "step", "best_epoch"):
            setattr(self, name, int(record[name]))
        if "best_value" in record:
            self.best_value = float(record["best_value"])
        self.record = Record(**record["record"])


def kept(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The record and the arrays of a checkpoint. Raises DistfitError for any other file."""
    return read(path, SCHEMA)


def _shapes(arrays: dict[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in arrays.items()}


def _under(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
