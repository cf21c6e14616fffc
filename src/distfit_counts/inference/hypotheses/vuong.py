"""Which of two models that are no special case of each other is closer to the data?"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.inference.hypotheses.tails import chi_square_tail, normal_tail
from distfit_counts.result import HypothesisTest
from distfit_counts.settings import SAME_OPTIMUM

NAN = float("nan")


# p-value of the variance test above which two models count as alike.
_ALIKE = 0.05


def vuong(
    log_p_first: Array, log_p_second: Array, weights: npt.NDArray[np.int64], p_first: int, p_second: int
) -> HypothesisTest:
    """Vuong's (1989, Econometrica 57) test that two strictly non-nested models are equally close to the truth.

    z = (Σ w m − ½ (p₁ − p₂) log n) / (√n ω), m = log f₁(y) − log f₂(y), ω² the variance of m (divisor n), over distinct
    values [V] that occur ``weights`` [V] times, n = Σ w; p₁, p₂ the numbers of parameters. Positive: the first model is
    closer. The p-value is two-sided, from N(0, 1).

    The subtracted term is Vuong's Schwarz correction. It is used because without one the model with more parameters
    is favoured (Desmarais and Harden 2013, Stata Journal 13), and because with it z > 0 exactly where the first
    model has the lower BIC. With equally many parameters nothing is subtracted.

    Not valid, and the caller must not ask, where one model contains the other or they share a distribution that may be
    the truth: a zero-inflated model against its base (Wilson 2015, Economics Letters 127), ZIP against NB (both
    contain the Poisson) when the data look Poisson.
    """
    # Impossible under both models: inf − inf is the NaN that is asked for below.
    with np.errstate(invalid="ignore"):
        ratio = log_p_first - log_p_second
    if not np.isfinite(ratio).all():
        return _test(NAN, "none: a value occurs that one of the models gives no probability")
    n = float(weights.sum())
    average = float(np.average(ratio, weights=weights))
    spread = float((weights * (ratio - average) ** 2).sum()) ** 0.5
    # √n ω is the size of Σ w m by chance. Below what tells two optima apart it is rounding error.
    if spread <= SAME_OPTIMUM:
        return _test(NAN, "none: the ratio of the two likelihoods is the same for every observation")
    # Vuong's first stage: where the two hardly differ, n ω² is about chi-square (with weights taken as 1, on the safe
    # side), z is a ratio of two small numbers, and the correction alone would decide.
    if float(chi_square_tail(spread**2, p_first + p_second)) > _ALIKE:
        return _test(NAN, "none: the two models are too alike on these counts to be told apart")
    correction = 0.5 * (p_first - p_second) * math.log(n)
    return _test(
        (n * average - correction) / spread, "standard normal, two-sided (positive: the first model is closer)"
    )


def _test(z: float, null: str) -> HypothesisTest:
    title = "Non-nested models (Vuong, Schwarz-corrected)"
    return HypothesisTest("vuong", title, z, NAN, 2.0 * float(normal_tail(abs(z))), null)
