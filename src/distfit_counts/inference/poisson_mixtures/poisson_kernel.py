"""The Poisson probability of counts as a function of s = √rate, in NumPy.

On the scale of s every Poisson has a standard deviation of about 1/2, whatever its rate: one spacing of points suits
all rates. ∂/∂s log f = x, ∂²/∂s² log f = −y, with x = 2(k − s²)/s and y = 2k/s² + 2; at s = 0, f is smooth in s too.
"""

from __future__ import annotations

import math

import numpy as np

from distfit_counts.families.constraint import Array

_HALF_LOG_2PI = 0.918938533204672741780329736406

# From here on the series of the Stirling error reaches the last digit.
_ASYMPTOTIC = 16
_LOG_FACTORIALS = np.array([math.lgamma(k + 1.0) for k in range(_ASYMPTOTIC)])


def log_mode(k: Array) -> Array:
    """log Poisson(k; k) = k log k − k − log k!, the largest log-probability of ``k`` under any rate; 0 for k = 0."""
    safe = np.maximum(k, 1.0)
    small = np.minimum(safe, _ASYMPTOTIC - 1.0)
    plain = small * np.log(small) - small - _LOG_FACTORIALS[small.astype(np.int64)]
    # The Stirling error (Loader 2000): the plain form subtracts numbers of the size k log k.
    s = 1.0 / (safe * safe)
    error = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * 691 / 360360))))) / safe
    series = -0.5 * np.log(safe) - _HALF_LOG_2PI - error
    return np.where(k > 0, np.where(safe < _ASYMPTOTIC, plain, series), 0.0)


def log_below_mode(k: Array, rate: Array) -> Array:
    """log Poisson(k; rate) − log Poisson(k; k) = k (log(1 + t) − t), t = (rate − k)/k, of both broadcast; ≤ 0."""
    safe = np.maximum(k, 1.0)
    # rate/k and not 1 + t, which rounds to 0 for a rate that is tiny beside k; its own rounding nearly cancels.
    t = rate / safe
    with np.errstate(divide="ignore"):
        below = np.asarray(np.log(t))
    t -= 1.0
    below -= t
    near = np.abs(t, out=t) < 0.1
    if near.any():
        far, own = (np.broadcast_to(x, near.shape)[near] for x in (rate, safe))
        below[near] = _log1p_minus((far - own) / own)
    below *= safe
    np.copyto(below, -rate, where=k == 0.0)
    return below


def _log1p_minus(t: Array) -> Array:
    """log(1 + t) − t for |t| < 0.1, where the difference cancels: 2 artanh(u) − t with u = t/(2 + t)."""
    u = t / (2.0 + t)
    s = u * u
    odd = s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s * (1 / 11 + s / 13)))))
    return np.asarray(2.0 * u * odd - u * t)


def log_poisson(k: Array, rate: Array) -> Array:
    """log Poisson(k; rate), rate ≥ 0, of both broadcast; −∞ for k > 0 at rate 0."""
    return log_mode(k) + log_below_mode(k, rate)
