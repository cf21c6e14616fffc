"""Discrete empirical-distribution statistics and their Monte-Carlo p-values.

Cells 0..J−1 cover all counts, the last may be open: ``observed`` [..., J] numbers of observations, ``probability``
[..., J] fitted, each row summing to 1. With Z_j = Σ_{i<=j} (O_i − n p_i) = n (F_n − F)(j) and H_j = F(j), all three
compare the cumulative shares. Their null distributions depend on the family and its parameters, so p-values
come from simulated samples, each refitted. Rows that are NaN (a failed refit) give NaN; so does n = 0.
"""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array

# Two statistics that differ by less are a tie. Refits agree to about 1e-8; no continuous statistic comes this close.
_TIE_RELATIVE = 1e-7
# The statistics of a perfect fit are rounding errors, whose order means nothing.
_TIE_ABSOLUTE = 1e-12


def kolmogorov_smirnov(observed: Array, probability: Array) -> Array:
    """D = sup |F_n − F| = max_j |Z_j|/n, between 0 and 1 (Conover 1972 for discrete F)."""
    result: Array = _per_observation(np.abs(_deviations(observed, probability)).max(axis=-1), observed)
    return result


def cramer_von_mises(observed: Array, probability: Array) -> Array:
    """W² = n⁻¹ Σ_j Z_j² p_j (Choulakian, Lockhart and Stephens 1994, Canadian Journal of Statistics 22)."""
    terms = _deviations(observed, probability) ** 2 * probability
    return _per_observation(terms.sum(axis=-1), observed)


def anderson_darling(observed: Array, probability: Array) -> Array:
    """A² = n⁻¹ Σ_j Z_j² p_j/(H_j (1 − H_j)), terms with H_j = 0 or 1 left out (Choulakian et al. 1994).

    The weight makes both tails count as much as the middle.
    """
    weight = np.cumsum(probability, axis=-1) * _above(probability)
    end = weight == 0.0
    # 1 − H_j may be as small as 1e-320 with an observation beyond: infinite is then near enough.
    with np.errstate(over="ignore"):
        terms = _deviations(observed, probability) ** 2 * (probability / np.where(end, 1.0, weight))
        return _per_observation(np.where(end, 0.0, terms).sum(axis=-1), observed)


def monte_carlo_p(statistic: float, replicates: Array) -> float:
    """p = (1 + #{T* >= T})/(1 + B) over ``replicates`` [B], large values speaking against the model.

    Davison and Hinkley (1997, section 4.2): the data count as one more draw, so p is never 0, and under a fully known
    null P(p <= a) <= a. Counts are discrete: the same sample comes up again, and its statistic, refitted or summed in
    another order, differs in the last digits. Such ties count as T* >= T. A replicate that is NaN (its refit failed)
    counts as T* >= T too: a failure never makes p smaller. NaN if ``statistic`` is.
    """
    if np.isnan(statistic):
        return float("nan")
    slack = _TIE_RELATIVE * abs(statistic) + _TIE_ABSOLUTE if np.isfinite(statistic) else 0.0
    below = np.count_nonzero(replicates < statistic - slack)
    return float((1 + replicates.size - below) / (1 + replicates.size))


def _above(cells: Array) -> Array:
    """Σ_{i>j}, summed from the top: 1 − H_j as a difference has no correct digit in the upper tail."""
    total = np.cumsum(cells[..., ::-1], axis=-1)[..., ::-1]
    result: Array = np.concatenate([total[..., 1:], np.zeros_like(total[..., :1])], axis=-1)
    return result


def _deviations(observed: Array, probability: Array) -> Array:
    """Z_j [..., J], each half summed from its own end, where Z is 0: no rounding error reaches the tails."""
    difference = observed - observed.sum(axis=-1, keepdims=True) * probability
    lower_half = np.cumsum(probability, axis=-1) <= 0.5
    result: Array = np.where(lower_half, np.cumsum(difference, axis=-1), -_above(difference))
    return result


def _per_observation(total: Array, observed: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = total / observed.sum(axis=-1)
    return result
