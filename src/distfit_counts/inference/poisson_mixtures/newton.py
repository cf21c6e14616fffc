"""Components of Poisson mixtures moved to where the likelihood is highest: points and weights together."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.mixing_weights import density, log_mixture, mixed, near
from distfit_counts.inference.poisson_mixtures.samples import Samples

_STEPS = 12
_HALVINGS = 20
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
    s, p = s.copy(), p.copy()
    rows, value = np.arange(len(s)), _value(samples, s, p)
    for _ in range(_STEPS):
        own = samples.take(rows)
        gradient, matrix = _model(own, s[rows], p[rows])
        step = np.asarray(np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0], dtype=np.float64)
        moved, new_s, new_p, new = _searched(own, s[rows], p[rows], step, value[rows])
        promise = np.asarray((gradient * step).sum(axis=1))[moved]
        rows = rows[moved]
        s[rows], p[rows], value[rows] = new_s[moved], new_p[moved], new[moved]
        rows = rows[promise >= _PROMISE]
        if not len(rows):
            break
    # The derivatives at 0 are those at 1e-100.
    s = np.clip(np.where(s < 1e-50, 0.0, s), samples.root[:, :1], samples.root[:, -1:])
    return s, p / p.sum(axis=1, keepdims=True)


def _searched(samples: Samples, s: Array, p: Array, step: Array, value: Array) -> tuple[Array, Array, Array, Array]:
    """As much of ``step`` [C, 2J] as leaves p positive and does not lower the ``value`` [C]: the columns [M] that have
    such a part, and s, p and value of all."""
    dp, q, real = step[:, 0::2], step[:, 1::2], p > 0.0
    safe = np.where(real, p, 1.0)
    length = np.minimum(1.0, 0.9 / np.maximum((-dp / safe).max(axis=1, keepdims=True), 0.9))
    new_s, new_p, new = s.copy(), p.copy(), value.copy()
    rows = np.arange(len(s))
    for _ in range(_HALVINGS):
        tried_p = p[rows] + length[rows] * dp[rows]
        shift = length[rows] * q[rows] / np.where(real[rows], tried_p, 1.0)
        # Padding stays behind.
        tried_s = np.where(real[rows], np.abs(s[rows] + np.clip(shift, -_LONGEST, _LONGEST)), np.inf)
        order = np.argsort(tried_s, axis=1)
        tried_s, tried_p = (np.take_along_axis(x, order, axis=1) for x in (tried_s, tried_p))
        tried_s = np.where(tried_p > 0.0, tried_s, samples.root[rows, -1:])
        tried = _value(samples.take(rows), tried_s, tried_p)
        good = tried >= value[rows] - ROUNDING
        new_s[rows[good]], new_p[rows[good]], new[rows[good]] = tried_s[good], tried_p[good], tried[good]
        rows = rows[~good]
        if not len(rows):
            break
        length[rows] *= 0.5
    return np.setdiff1d(np.arange(len(s)), rows), new_s, new_p, new


def _value(samples: Samples, s: Array, p: Array) -> Array:
    return np.asarray((samples.share * log_mixture(samples, s, p)).sum(axis=1) - p.sum(axis=1), dtype=np.float64)


def _model(samples: Samples, s: Array, p: Array) -> tuple[Array, Array]:
    """Gradient [C, 2J] and negative Hessian [C, 2J, 2J] in (dp_1, q_1, dp_2, ...), q = p ds: there p f(s) has no mixed
    term.

    The second derivatives are −Σ_v share_v m_v m_vᵀ with m = (f_1, f_1′, f_2, ...)/f, and D″_j/p_j for each q_j, which
    is negative near a solution: the quadratic model is concave. Padding has the gradient 0 and the identity.
    """
    real, size = p > 0.0, s.shape[1]
    # As in RatioSum.at, derivatives at 0 are reached long before 1e-100.
    s = np.maximum(s, 1e-100)
    gradient, matrix = np.repeat(real, 2, axis=1) * np.tile([-1.0, 0.0], size), np.zeros((len(s), 2 * size, 2 * size))
    bend = np.zeros(s.shape)
    for rows, columns in near(samples, s):
        root, share = s[:, columns, None], samples.share[:, None, rows]
        ratio = density(samples, rows, s[:, columns])[0]
        ratio /= mixed(ratio, p[:, columns])[:, None]
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
    return gradient, matrix
