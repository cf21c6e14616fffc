"""A trained network as what predicts: the same questions as to a linear ``Model``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distfit_counts.data.frames import Kind
from distfit_counts.families.constraint import Array
from distfit_counts.records import Damaged, some_fields, within
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.design import Terms, offset_of
from distfit_counts.regression.model import column_kinds
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.parquet import inputs
from distfit_counts.regression.row_model import RowModel

if TYPE_CHECKING:
    import pandas as pd

_TOLD = ("source", "formula", "offset", "exposure", "weights")


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """``source`` and ``formula``: what was trained on; ``offset``, ``exposure`` and ``weights``: columns."""

    fit: NetworkFit
    source: str
    formula: str
    offset: str | None
    exposure: str | None
    weights: str | None
    # Weights of a network have no standard errors.
    level = None

    @property
    def rows(self) -> RowModel:
        return self.fit.model

    @property
    def terms(self) -> tuple[Terms, ...]:
        return self.fit.terms

    def kinds(self) -> dict[str, Kind]:
        """The columns that it needs, each with what it must hold."""
        return column_kinds(self.fit.terms, self.offset, self.exposure)

    def predictors(self, frame: pd.DataFrame, rows: Ints) -> tuple[list[Array], list[Array]]:
        """eta [H] of [N], and no matrices."""
        added = offset_of(frame, rows, self.offset, self.exposure)
        found = self.fit.predictors(inputs(self.fit.terms, frame, rows), added)
        return [found[head] for head in self.rows.heads], []

    def mean_error(self, etas: Sequence[Array], matrices: Sequence[Array]) -> Array:
        raise NotImplementedError

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"network": self.fit.to_json(), **{name: getattr(self, name) for name in _TOLD}}

    @classmethod
    def from_record(cls, record: Any) -> NetworkModel:
        """Raises Damaged where the record is; DistfitError where it names what does not exist."""
        fit = within(NetworkFit.from_json, record, "network")
        if fit.names != tuple(dict.fromkeys(name for own in fit.terms for name in own.names)):
            raise Damaged("are not those of its terms", ".network.names")
        return cls(fit, **some_fields(cls, record, ("fit",)))
