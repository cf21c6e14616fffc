"""Information criteria beyond AIC and BIC: Akaike weights, and ICL for mixtures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array


def akaike_weights(aic: Array) -> Array:
    """exp(−Δ_i/2)/Σ exp(−Δ_j/2) over the last axis, Δ = AIC − min AIC (Burnham and Anderson 2002, section 2.9).

    A model without an AIC (NaN) takes no part and has weight NaN; an infinite AIC has weight 0.
    """
    best = np.min(aic, axis=-1, keepdims=True, where=np.isfinite(aic), initial=np.inf)
    # Where no model has a number the best is infinite and inf − inf NaN, as it should be.
    with np.errstate(invalid="ignore"):
        relative = np.exp(-0.5 * (aic - best))
        result: Array = relative / np.nansum(relative, axis=-1, keepdims=True)
    return result


def aic(log_likelihood: npt.ArrayLike, p: int) -> Array:
    """2p − 2l (Akaike 1974) of models with ``p`` parameters."""
    return np.asarray(2.0 * p - 2.0 * np.asarray(log_likelihood))


def aicc(log_likelihood: npt.ArrayLike, p: int, n: npt.ArrayLike) -> Array:
    """AIC + 2p(p + 1)/(n − p − 1) (Hurvich and Tsai 1989); NaN where n <= p + 1."""
    left = np.asarray(n) - p - 1.0
    return np.where(left > 0.0, aic(log_likelihood, p) + 2.0 * p * (p + 1) / np.maximum(left, 1.0), np.nan)


def bic(log_likelihood: npt.ArrayLike, p: int, n: npt.ArrayLike) -> Array:
    """p log n − 2l (Schwarz 1978)."""
    return np.asarray(p * np.log(n) - 2.0 * np.asarray(log_likelihood))


def membership_entropy(log_parts: Array, weights: npt.NDArray[Any]) -> Array:
    """−Σ_v w_v Σ_k τ_kv log τ_kv [...], in nats: how uncertain it is which component each observation comes from.

    ``log_parts`` [K, ..., V] is the log of weight times pmf of component k at value v; τ_kv, its share in the sum over
    k, is the posterior probability of the component. ``weights`` [..., V]: how often each value occurs. 0: no doubt;
    n log K: the components are the same. NaN where no component can produce a value.
    """
    with np.errstate(invalid="ignore"):
        log_share = log_parts - np.logaddexp.reduce(log_parts, axis=0)
        # 0 log 0 = 0.
        terms = np.where(log_share == -np.inf, 0.0, np.exp(log_share) * log_share)
    return np.asarray(-(weights * terms.sum(axis=0)).sum(axis=-1) + 0.0)  # never -0.0


def icl(bic: Array, entropy: Array) -> Array:
    """ICL = BIC + 2 entropy, smaller is better (Biernacki, Celeux and Govaert 2000, IEEE PAMI 22).

    BIC with the likelihood of data and memberships together: components that overlap are paid for. In the
    form with posterior memberships (McLachlan and Peel 2000).
    """
    return np.asarray(bic + 2.0 * entropy)
