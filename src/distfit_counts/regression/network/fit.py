"""A trained network: plain frozen data, and what it predicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import Array
from distfit_counts.regression.agreement import Agreement
from distfit_counts.regression.design import Terms
from distfit_counts.regression.natural import Normal
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.network.checkup import Checkup
from distfit_counts.regression.network.codec import model_of, model_record, packed, unpacked
from distfit_counts.regression.network.history import History
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.standardise import Standardisation
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.row_model import LOCATIONS, RowModel, bare
from distfit_counts.regression.terms_state import terms_of, terms_record
from distfit_counts.result import Verdict

SCHEMA = "distfit.network/1"
# Rows that are predicted together.
_PIECE = 2**13


@dataclass(frozen=True, eq=False)
class NetworkFit:
    """``weights``: of every layer in turn, weight [out, in] and bias [out], those after ``best_epoch`` of ``epochs``.

    ``terms`` make the columns ``names`` of the covariates. Of ``n_rows`` rows, of weight ``n``, ``n_held_out`` were not
    trained on. ``residuals``: of the rows that the ``checkup`` is of; a saved fit has none, and
    has ``kept`` what they add up to.
    """

    model: RowModel
    terms: tuple[Terms, ...]
    names: tuple[str, ...]
    standard: Standardisation
    weights: Mapping[str, Array]
    settings: NetworkSettings
    n: float
    n_rows: int
    n_held_out: int
    n_missing: int
    epochs: int
    best_epoch: int
    history: History
    checkup: Checkup
    verdicts: tuple[Verdict, ...]
    residuals: Residuals | NaturalResiduals | None = field(default=None, repr=False)
    kept: Agreement | None = field(default=None, repr=False)

    @property
    def agreement(self) -> Agreement | None:
        """With the responses of those rows; computed when it is asked for."""
        return self.kept if self.residuals is None else self.residuals.agreement

    @property
    def variance(self) -> float | None:
        """The residual variance of a normal response on the training rows."""
        return self.model.variance if isinstance(self.model, Normal) else None

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
        return {
            "schema": SCHEMA,
            "model": model_record(self.model),
            "terms": [terms_record(own) for own in self.terms],
            "names": list(self.names),
            "standard": {"kept": list(standard.kept), "mean": packed(standard.mean), "scale": packed(standard.scale)},
            "weights": {name: packed(value) for name, value in self.weights.items()},
            "settings": asdict(self.settings) | {"learning_rate": self.settings.rate},
            **{
                name: getattr(self, name) for name in ("n", "n_rows", "n_held_out", "n_missing", "epochs", "best_epoch")
            },
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
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise DistfitError(f"the network is damaged: {error!r}", "save the model again") from error

    @classmethod
    def _of(cls, record: Mapping[str, Any]) -> NetworkFit:
        standard = record["standard"]
        settings = record["settings"] | {"hidden": tuple(record["settings"]["hidden"])}
        found = cls(
            model=model_of(record["model"]),
            terms=tuple(terms_of(own) for own in record["terms"]),
            names=tuple(record["names"]),
            standard=Standardisation(tuple(standard["kept"]), unpacked(standard["mean"]), unpacked(standard["scale"])),
            weights={name: unpacked(value) for name, value in record["weights"].items()},
            settings=NetworkSettings(**settings),
            n=float(record["n"]),
            n_rows=int(record["n_rows"]),
            n_held_out=int(record["n_held_out"]),
            n_missing=int(record["n_missing"]),
            epochs=int(record["epochs"]),
            best_epoch=int(record["best_epoch"]),
            history=History(**{name: tuple(values) for name, values in record["history"].items()}),
            checkup=Checkup.from_json(record["checkup"]),
            verdicts=tuple(Verdict(**item) for item in record["verdicts"]),
        )
        found._check_shapes()
        return found

    def _check_shapes(self) -> None:
        """Raises ValueError where the weights are not those of these layers."""
        standard, arrays = self.standard, list(self.weights.values())
        widths = [len(standard.kept), *self.settings.hidden, len(self.model.heads)]
        wanted = [shape for a, b in itertools.pairwise(widths) for shape in ((b, a), (b,))]
        if [array.shape for array in arrays] != wanted or not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("its weights are not those of its layers")
        fits = all(values.shape == (len(standard.kept),) for values in (standard.mean, standard.scale))
        if not fits or not set(standard.kept) <= set(range(len(self.names))):
            raise ValueError("its weights are not those of its columns")
