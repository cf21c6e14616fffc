"""A trained network: plain frozen data, and what it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.design import Terms
from distfit_counts.regression.network.checkup import Checkup
from distfit_counts.regression.network.codec import model_of, model_record, packed, unpacked
from distfit_counts.regression.network.history import History
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.standardise import Standardisation
from distfit_counts.regression.row_model import LOCATIONS, RowModel, bare
from distfit_counts.regression.terms_state import terms_of, terms_record
from distfit_counts.result import Verdict

SCHEMA = "distfit.network/1"
# Rows that are predicted together.
_PIECE = 2**13


@dataclass(frozen=True, eq=False)
class NetworkFit:
    """``weights``: of every layer in turn, weight [out, in] and bias [out], those after ``best_epoch`` of ``epochs``.

    ``terms`` make the columns ``names`` of the covariates. Of ``n`` rows, ``n_held_out`` were not trained on.
    """

    model: RowModel
    terms: tuple[Terms, ...]
    names: tuple[str, ...]
    standard: Standardisation
    weights: Mapping[str, Array]
    settings: NetworkSettings
    n: int
    n_held_out: int
    n_missing: int
    epochs: int
    best_epoch: int
    history: History
    checkup: Checkup
    verdicts: tuple[Verdict, ...]

    @property
    def stopped_early(self) -> bool:
        return self.epochs < self.settings.epochs

    @property
    def n_parameters(self) -> int:
        return sum(value.size for value in self.weights.values())

    def predictors(self, x: Array, offset: Array | None = None) -> dict[str, Array]:
        """eta [N] of every head for covariates ``x`` [N, p], columns as in ``names``, on their own scale."""
        pieces = [self._eta(x[i : i + _PIECE]) for i in range(0, len(x), _PIECE)]
        eta = np.concatenate(pieces, axis=1) if pieces else np.zeros((len(self.model.heads), 0))
        found = dict(zip(self.model.heads, eta, strict=True))
        if offset is not None:
            found |= {head: values + offset for head, values in found.items() if bare(head) in LOCATIONS}
        return found

    def _eta(self, x: Array) -> Array:
        """[H, n]"""
        values = self.standard(x).T
        arrays = list(self.weights.values())
        for place, (weight, bias) in enumerate(zip(arrays[::2], arrays[1::2], strict=True)):
            values = weight @ (np.maximum(values, 0.0) if place else values) + bias[:, None]
        return values

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, to the last bit."""
        standard = self.standard
        plain = ("n", "n_held_out", "n_missing", "epochs", "best_epoch")
        return {
            "schema": SCHEMA,
            "model": model_record(self.model),
            "terms": [terms_record(own) for own in self.terms],
            "names": list(self.names),
            "standard": {"kept": list(standard.kept), "mean": packed(standard.mean), "scale": packed(standard.scale)},
            "weights": {name: packed(value) for name, value in self.weights.items()},
            "settings": asdict(self.settings),
            **{name: getattr(self, name) for name in plain},
            "history": asdict(self.history),
            "checkup": self.checkup.to_json(),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> NetworkFit:
        """Raises DistfitError for anything but what ``to_json`` gives."""
        if record.get("schema") != SCHEMA:
            raise DistfitError(f"no network (schema {record.get('schema')!r})", f"this distfit reads {SCHEMA}")
        try:
            return cls._of(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DistfitError(f"the network is damaged: {error!r}", "save the model again") from error

    @classmethod
    def _of(cls, record: Mapping[str, Any]) -> NetworkFit:
        standard = record["standard"]
        settings = record["settings"] | {"hidden": tuple(record["settings"]["hidden"])}
        plain = ("n", "n_held_out", "n_missing", "epochs", "best_epoch")
        return cls(
            model=model_of(record["model"]),
            terms=tuple(terms_of(own) for own in record["terms"]),
            names=tuple(record["names"]),
            standard=Standardisation(tuple(standard["kept"]), unpacked(standard["mean"]), unpacked(standard["scale"])),
            weights={name: unpacked(value) for name, value in record["weights"].items()},
            settings=NetworkSettings(**settings),
            **{name: int(record[name]) for name in plain},
            history=History(**{name: tuple(values) for name, values in record["history"].items()}),
            checkup=Checkup.from_json(record["checkup"]),
            verdicts=tuple(Verdict(**item) for item in record["verdicts"]),
        )
