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
from distfit_counts.settings import FitSettings, fewest_replicates

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
    def defined(self) -> npt.NDArray[np.int64]:
        """In how many replicates each parameter has a value [P']; the rest are made of these."""
        return np.asarray((~np.isnan(self.values)).sum(axis=0))

    @property
    def std_error(self) -> Array:
        """Standard deviation over the replicates [P']; NaN where one of them is infinite, or fewer than two exist."""
        with np.errstate(invalid="ignore"):
            known = [own[~np.isnan(own)] for own in self.values.T]
            return np.array([own.std(ddof=1) if len(own) > 1 else np.nan for own in known])

    def interval(self, level: float) -> tuple[Array, Array]:
        """The percentile interval (Efron 1979): the order statistics (B + 1)(1 -+ level)/2, which may be infinite.

        B: the replicates in which the parameter has a value; NaN where they are too few for the level.
        """
        # NaN sorts last: the values come first.
        ordered, count = np.sort(self.values, axis=0), self.defined
        tail = np.maximum(np.floor((count + 1) * (1.0 - level) / 2.0 + 1e-9).astype(np.int64), 1)
        unknown = np.where(count < fewest_replicates(level), np.nan, 0.0)
        place = np.arange(len(count))
        return ordered[tail - 1, place] + unknown, ordered[np.maximum(count - tail, 0), place] + unknown

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
