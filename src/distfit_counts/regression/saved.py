"""A regression that was saved: what predicts, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from distfit_counts.regression.formula import response_of
from distfit_counts.regression.model import Model
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.result import Regression


@dataclass(frozen=True, eq=False)
class SavedRegression:
    """``model`` predicts, ``fit`` is reported; ``formula`` and ``source``: of what it was fitted to."""

    model: Model | NetworkModel
    fit: Regression | NetworkFit
    formula: str
    source: str

    @property
    def response(self) -> str:
        return self.fit.response if isinstance(self.fit, Regression) else response_of(self.formula)

    @property
    def kind(self) -> str:
        """For people: the family, and whether it is a network."""
        return self.fit.family if isinstance(self.fit, Regression) else f"{self.model.rows.spec} network"

    @property
    def seed(self) -> int:
        return self.fit.seed if isinstance(self.fit, Regression) else self.fit.settings.seed

    @property
    def log_score(self) -> float:
        """Mean -log p of the rows that it was fitted to; of a network, of those held out if there are any."""
        if isinstance(self.fit, Regression):
            return -self.fit.log_likelihood / self.fit.n
        return -self.fit.checkup.log_score
