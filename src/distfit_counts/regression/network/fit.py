"""A trained network: plain frozen data, and what it predicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.records import (
    Damaged,
    Natural,
    NotNegative,
    decoded,
    decoded_at,
    part,
    some_fields,
    within,
    within_place,
)
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
from distfit_counts.regression.row_model import RowModel
from distfit_counts.regression.terms_state import saved_terms, terms_record
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
    n: NotNegative
    n_rows: Natural
    n_held_out: Natural
    n_missing: Natural
    epochs: Natural
    best_epoch: Natural
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
            found |= {
                head: values + offset for head, values in found.items() if self.model.roles[head] is Role.LOCATION
            }
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
    def from_json(cls, record: Any) -> NetworkFit:
        """Raises Damaged for anything but what ``to_json`` gives, DistfitError where it names what does not exist."""
        if part(record, "schema") != SCHEMA:
            raise Damaged(f"this distfit reads {SCHEMA}", ".schema")
        apart = ("model", "terms", "standard", "weights", "residuals", "kept")
        found = cls(
            model=within(model_of, record, "model"),
            terms=within(_terms, record, "terms"),
            standard=within(_standard, record, "standard"),
            weights=within(_weights, record, "weights"),
            **some_fields(cls, record, apart),
        )
        found._check_shapes()
        found._check_epochs()
        return found

    def _check_shapes(self) -> None:
        """Raises Damaged where the weights are not those of these layers."""
        standard = self.standard
        widths = [len(standard.kept), *self.settings.hidden, len(self.model.heads)]
        wanted = {
            f"layers.{i}.{name}": shape
            for i, (a, b) in enumerate(itertools.pairwise(widths))
            for name, shape in (("weight", (b, a)), ("bias", (b,)))
        }
        if list(self.weights) != list(wanted):
            raise Damaged("are not those of its layers", ".weights")
        for name, shape in wanted.items():
            if self.weights[name].shape != shape:
                raise Damaged(f"has the shape {self.weights[name].shape} in place of {shape}", f".weights.{name}")
        fits = all(values.shape == (len(standard.kept),) for values in (standard.mean, standard.scale))
        if not fits or not set(standard.kept) <= set(range(len(self.names))) or not (standard.scale > 0.0).all():
            raise Damaged("is not that of its columns", ".standard")

    def _check_epochs(self) -> None:
        """Raises Damaged where the history is not that of so many epochs, or there are more than there can be."""
        best, own = self.best_epoch, self.history
        if not best <= self.epochs <= self.settings.epochs:
            raise Damaged(f"{best} of {self.epochs} of {self.settings.epochs} epochs", ".best_epoch")
        if len(own.train) != self.epochs or len(own.held_out) not in (0, self.epochs + 1):
            raise Damaged(f"is not that of {self.epochs} epochs", ".history")
        layers = len(self.settings.hidden) + 1
        if any(len(norms) not in (0, layers) for norms in (own.gradient_norm, own.gradient_norm_max)):
            raise Damaged(f"is not that of {layers} layers", ".history.gradient_norm")
        if self.n_held_out > self.n_rows:
            raise Damaged(f"{self.n_held_out} of {self.n_rows} rows", ".n_held_out")


def _terms(record: Any) -> tuple[Terms, ...]:
    return tuple(within_place(saved_terms, own, f"[{i}]") for i, own in enumerate(decoded(tuple[Any, ...], record)))


def _standard(record: Any) -> Standardisation:
    kept = decoded_at(tuple[Natural, ...], record, "kept")
    return Standardisation(kept, within(unpacked, record, "mean"), within(unpacked, record, "scale"))


def _weights(record: Any) -> dict[str, Array]:
    return {name: within(unpacked, record, name) for name in decoded(Mapping[str, Any], record)}
