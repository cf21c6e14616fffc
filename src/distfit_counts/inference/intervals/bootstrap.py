"""Bootstrap intervals: the fit repeated on resampled or simulated data, all replicates as one batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.inference.fitted.reached import estimates
from distfit_counts.inference.replicates import pieces, refit, resampled, simulated, warm_values
from distfit_counts.optimise.threads import one_thread
from distfit_counts.settings import FitSettings

# Replicates of the same counts, refitted, differ by rounding errors: some 1e-15 of their value. No interval of a
# parameter that moves is as narrow as this.
_NO_WIDTH = 1e-9


@dataclass(frozen=True)
class Bootstrap:
    """``values`` [B, P']: the estimates of every replicate that could be fitted, under the family's own names (a
    boundary as its value there, NaN where none is defined).
    """

    values: Array

    @property
    def std_error(self) -> Array:
        """Standard deviation over the replicates [P']; NaN where one of them is infinite or undefined."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.values.std(axis=0, ddof=1))

    def interval(self, level: float) -> tuple[Array, Array]:
        """The percentile interval (Efron 1979): the order statistics (B + 1)(1 -+ level)/2, which may be infinite."""
        count = len(self.values)
        tail = max(int(np.floor((count + 1) * (1.0 - level) / 2.0 + 1e-9)), 1)
        # NaN sorts last and would pass for a large value: a parameter that some replicate does not define has no end.
        unknown = np.where(np.isnan(self.values).any(axis=0), np.nan, 0.0)
        ordered = np.sort(self.values, axis=0)
        return ordered[tail - 1] + unknown, ordered[count - tail] + unknown

    def still(self, level: float) -> npt.NDArray[np.bool_]:
        """Whether the interval has no width [P']; both ends may be infinite."""
        lower, upper = self.interval(level)
        return np.isclose(lower, upper, rtol=_NO_WIDTH, atol=0.0)


@one_thread()
def bootstrap(judgement: Judgement, row: int, histogram: Histogram, settings: FitSettings) -> Bootstrap:
    """``settings.replicates`` refits of the column in ``row``: resampled counts, or draws from the fitted model.

    A replicate whose likelihood is not finite anywhere tells nothing about the estimates and is left out.
    """
    family, warm = judgement.solution.family, warm_values(judgement.solution, row)
    model, values = judgement.reduced(row)
    rng = np.random.default_rng([settings.seed, 1])
    found = []
    for size in pieces(settings.replicates, histogram.distinct):
        if settings.bootstrap == "parametric":
            batch = simulated(model, values, histogram.n, size, rng)
        else:
            batch = resampled(histogram, size, rng)
        solution = refit(family, batch, warm, settings)
        found.append(estimates(solution)[np.isfinite(solution.supremum)])
    return Bootstrap(np.concatenate(found))
