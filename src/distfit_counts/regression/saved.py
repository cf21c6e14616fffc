"""A regression that was saved: what predicts, and what was found."""

from __future__ import annotations

import math
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
    def converged(self) -> bool:
        """A network is trained for as long as it is told; its verdicts say what came of it."""
        return not isinstance(self.fit, Regression) or self.fit.converged

    @property
    def seed(self) -> int:
        return self.fit.seed if isinstance(self.fit, Regression) else self.fit.settings.seed

    @property
    def log_score(self) -> float:
        """Mean -log p of the rows that it was fitted to; of a network, of those held out if there are any."""
        if isinstance(self.fit, Regression):
            own = -self.fit.log_likelihood / self.fit.n
            return own if self.fit.variance is None else normal_log_score(own, self.fit.variance)
        return -self.fit.checkup.log_score


def normal_log_score(least: float, variance: float) -> float:
    """Mean -log p of the rows of a least-squares fit: log(2 pi s2)/2 + v/(2 s2) at the ``variance`` s2.

    ``least``: the same at the maximum of the likelihood, where the variance is v = RSS/n and it is
    (log(2 pi v) + 1)/2. What predicts has s2 = RSS/(n - p).
    """
    if not variance > 0.0:
        return least
    own = math.log(2.0 * math.pi * variance)
    return 0.5 * (own + math.exp(2.0 * least - 1.0 - own))
