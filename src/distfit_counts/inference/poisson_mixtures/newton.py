"""Components of Poisson mixtures moved to where the likelihood is highest: points and weights together."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.mixing_weights import density, log_mixture, mixed, near
from distfit_counts.inference.poisson_mixtures.samples import Samples

_STEPS = 12
_HALVINGS = 20
# How much of a weight one step may take; and the share of the rarest count's, below which it is left no more.
_SHARE, _FADED = 0.99, 0.01
# The longest step of s: half a standard deviation of a Poisson.
_LONGEST = 0.25
# Log-likelihood per observation: what a step promises that moves only last digits; what float64 does not resolve.
_PROMISE = 1e-24
ROUNDING = 1e-14
# Keeps the Hessian regular where several components could stand for each other.
_RIDGE = 1e-14


def polished(samples: Samples, s: Array, p: Array) -> tuple[Array, Array]:
    """``s`` [C, J], ascending, and ``p`` [C, J] > 0, or 0 for padding, moved uphill together by Newton's method on
    Σ share log f − Σ p."""
    s, p, rows, own = s.copy(), p.copy(), np.arange(len(s)), samples
    value, gradient, matrix = _model(samples, s, p)
    for _ in range(_STEPS):
        step = np.asarray(np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0])
        promise = (gradient * step).sum(axis=1)
        new_s, new_p = _moved(own, s[rows], p[rows], step, 1.0)
        new, gradient, matrix = _model(own, new_s, new_p)
        low = np.flatnonzero(new < value - ROUNDING)
        if len(low):
            shorter = _shortened(own.take(low), s[rows[low]], p[rows[low]], step[low], value[low])
            new_s[low], new_p[low] = shorter
            new[low], gradient[low], matrix[low] = _model(own.take(low), *shorter)
        s[rows], p[rows] = new_s, new_p
        # Where no part of the step helps, nothing has moved.
        going = (promise >= _PROMISE) & ((new != value) | (promise < ROUNDING))
        if not going.any():
            break
        rows, value, gradient, matrix = rows[going], new[going], gradient[going], matrix[going]
        own = samples.take(rows)
    # The derivatives at 0 are those at 1e-100.
    s = np.clip(np.where(s < 1e-50, 0.0, s), samples.root[:, :1], samples.root[:, -1:])
    return s, p / p.sum(axis=1, keepdims=True)


def _shortened(samples: Samples, s: Array, p: Array, step: Array, value: Array) -> tuple[Array, Array]:
    """``s`` and ``p`` moved by as much of ``step``, at most half, as does not lower the ``value`` [C]."""
    s, p, rows = s.copy(), p.copy(), np.arange(len(s))
    for halving in range(1, _HALVINGS):
        new_s, new_p = _moved(samples, s[rows], p[rows], step[rows], 0.5**halving)
        good = _value(samples, new_s, new_p) >= value[rows] - ROUNDING
        s[rows[good]], p[rows[good]] = new_s[good], new_p[good]
        rows, samples = rows[~good], samples.take(np.flatnonzero(~good))
        if not len(rows):
            break
    return s, p


def _moved(samples: Samples, s: Array, p: Array, step: Array, share: float) -> tuple[Array, Array]:
    """``s`` and ``p`` after ``share`` of the part of ``step`` [C, 2J] that leaves every p positive; sorted again."""
    dp, q, real = step[:, 0::2], step[:, 1::2], p > 0.0
    safe = np.where(real, p, 1.0)
    length = share * np.minimum(1.0, _SHARE / np.maximum((-dp / safe).max(axis=1, keepdims=True), _SHARE))
    fading = p + length * dp
    if share == 1.0:
        # Where the whole step would take a weight to 0, and it is small already, the component goes.
        lowest = np.where(samples.share > 0.0, samples.share, 1.0).min(axis=1, keepdims=True)
        fading[(p + dp <= 0.0) & (fading < _FADED * lowest)] = 0.0
    p, real = fading, fading > 0.0
    moved = np.abs(s + np.clip(length * q / np.where(real, p, 1.0), -_LONGEST, _LONGEST))
    # Padding stays behind.
    order = np.argsort(np.where(real, moved, np.inf), axis=1)
    behind = np.maximum(samples.root[:, -1:], moved.max(axis=1, keepdims=True))
    s = np.take_along_axis(np.where(real, moved, behind), order, axis=1)
    return s, np.take_along_axis(p, order, axis=1)


def _value(samples: Samples, s: Array, p: Array) -> Array:
    return np.asarray((samples.share * log_mixture(samples, s, p)).sum(axis=1) - p.sum(axis=1))


def _model(samples: Samples, s: Array, p: Array) -> tuple[Array, Array, Array]:
    """Value [C], gradient [C, 2J] and negative Hessian [C, 2J, 2J] in (dp_1, q_1, dp_2, ...), q = p ds: there p f(s)
    has no mixed term.

    The second derivatives are −Σ_v share_v m_v m_vᵀ with m = (f_1, f_1′, f_2, ...)/f, and D″_j/p_j for each q_j, which
    is negative near a solution: the quadratic model is concave. Padding has the gradient 0 and the identity.
    """
    real, size = p > 0.0, s.shape[1]
    # As in RatioSum.at, derivatives at 0 are reached long before 1e-100.
    s = np.maximum(s, 1e-100)
    gradient, matrix = np.repeat(real, 2, axis=1) * np.tile([-1.0, 0.0], size), np.zeros((len(s), 2 * size, 2 * size))
    value, bend = -p.sum(axis=1), np.zeros(s.shape)
    for rows, columns in near(samples, s):
        root, share = s[:, columns, None], samples.share[:, None, rows]
        ratio, largest = density(samples, rows, s[:, columns])
        fitted = mixed(ratio, p[:, columns])
        value += (samples.share[:, rows] * (np.log(fitted) + largest)).sum(axis=1)
        ratio /= fitted[:, None]
        ratio *= real[:, columns, None]
        slope = (samples.values[:, None, rows] - root * root) * (2.0 / root)
        bend[:, columns] += (share * ratio * (slope * slope - slope / root - 4.0)).sum(axis=2)
        both = np.stack([ratio, slope * ratio], axis=2).reshape(len(s), -1, ratio.shape[2])
        pairs = slice(2 * columns.start, 2 * columns.start + both.shape[1])
        weighted = both * share
        gradient[:, pairs] += weighted.sum(axis=2)
        matrix[:, pairs, pairs] += weighted @ both.swapaxes(1, 2)
    safe, place = np.where(real, p, 1.0), np.arange(2 * size)
    matrix[:, place, place] += np.repeat(np.where(real, _RIDGE / safe, 1.0), 2, axis=1)
    matrix[:, place[1::2], place[1::2]] += np.maximum(-bend, 0.0) / safe
    return value, gradient, matrix
