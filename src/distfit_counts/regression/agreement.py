"""How a regression and its counts agree, in plain numbers: what is printed, and saved with the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.regression.row_model import CountModel

Pair = tuple[float, float]
# A variance below which a row's count is certain: its mean has run to 0 as far as the tolerance lets it.
_CERTAIN = 1e-5
# A mean or a variance from here on is infinite.
_INFINITE = 1e200


@dataclass(frozen=True)
class Moments:
    """``chi_square``: Pearson's, on ``df``. ``settled``: rows that are certain in the limit in which coefficients run
    off. ``zeros``, ``mean`` and ``variance``: observed and expected.
    """

    n: float
    chi_square: float
    df: float
    settled: int
    zeros: Pair
    mean: Pair
    variance: Pair

    @property
    def dispersion(self) -> float:
        """Pearson's chi-square over its degrees of freedom; NaN where there are none."""
        return self.chi_square / self.df if self.df > 0 else math.nan

    @classmethod
    def of(
        cls, model: CountModel, eta: dict[str, Array], y: Array, weights: Array, parameters: int = 0, infinite: int = 0
    ) -> Moments:
        """``parameters``: how many were estimated from these rows; along ``infinite`` of their directions the
        likelihood rises without end.

        There the supremum is that of a smaller model, on the rows that it leaves open and with the directions that it
        leaves finite (the limiting conditional model of Geyer 2009): its degrees of freedom are both less.
        """
        natural = model.natural([eta[head] for head in model.heads])
        with np.errstate(all="ignore"):
            mean, variance = (np.broadcast_to(f(natural), y.shape) for f in (model.family.mean, model.family.variance))
            # What a link makes of a predictor beyond float64 stands for infinity.
            mean, variance = (np.where(moment > _INFINITE, np.inf, moment) for moment in (mean, variance))
            # A count that is certain and comes true says nothing: 0/0.
            squares = np.where(y == mean, 0.0, (y - mean) ** 2 / variance)
            zero = np.exp(np.broadcast_to(model.family.log_prob_zero(natural), y.shape))
        n = float(weights.sum())
        settled = (variance < _CERTAIN) & bool(infinite)
        middle, fitted = float(weights @ y / n), float(weights @ mean / n)
        with np.errstate(over="ignore", invalid="ignore"):
            spread = float(weights @ (variance + (mean - fitted) ** 2) / n)
        return cls(
            n=n,
            chi_square=float(weights @ squares),
            df=float(weights @ ~settled) - (parameters - infinite),
            settled=int(settled.sum()),
            zeros=(float(weights @ (y == 0)), float(weights @ zero)),
            mean=(middle, fitted),
            variance=(float(weights @ (y - middle) ** 2 / n), spread),
        )


@dataclass(frozen=True)
class Agreement:
    """``quantile``: mean and standard deviation of the quantile residuals. Of counts also their ``moments``, and
    ``observed`` and ``expected`` counts of 0, 1, 2, ..., the last being "and more".
    """

    quantile: Pair
    moments: Moments | None = None
    observed: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        quantile: Array,
        moments: Moments | None = None,
        observed: Array | Sequence[float] = (),
        expected: Array | Sequence[float] = (),
    ) -> Agreement:
        """``quantile``: the residuals themselves."""
        plain = (tuple(map(float, counts)) for counts in (observed, expected))
        return cls((float(quantile.mean()), float(quantile.std())), moments, *plain)

    @property
    def frequencies(self) -> list[Frequency]:
        """Line by line."""
        last = len(self.observed) - 1
        return [
            Frequency(k, None if k == last else k, round(observed), expected)
            for k, (observed, expected) in enumerate(zip(self.observed, self.expected, strict=True))
        ]
