"""Where the components of a Poisson mixture should be: maxima of the gradient function, and Newton's method."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.poisson_mixtures.gradient_function import RatioSum, first_points
from distfit_counts.inference.poisson_mixtures.mixing_weights import log_mixture, near
from distfit_counts.inference.poisson_mixtures.poisson_kernel import log_poisson

# Newton's method, where it converges, takes about 5 steps from a spacing of 1/4 to the last digit.
_REFINEMENTS = 12
_NEWTON_STEPS = 12
_HALVINGS = 20
# Of the points where D is looked at first, and the longest step of s: half a standard deviation of a Poisson.
_SPACING = _LONGEST = 0.25
# Log-likelihood per observation: what a step promises that moves only last digits; what float64 does not resolve.
_PROMISE = 1e-24
_ROUNDING = 1e-14
# Keeps the Hessian regular where several components could stand for each other.
_RIDGE = 1e-14


def scan_points(values: Array) -> Array:
    """s = √λ [P], ascending, from the smallest to the largest count, at most _SPACING apart."""
    s = first_points(values, _SPACING)
    pieces = np.ceil(np.diff(s) / _SPACING).astype(np.int64)
    step = np.repeat(np.diff(s) / pieces, pieces)
    place = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.append(np.repeat(s[:-1], pieces) + place * step, s[-1])


def helps_most(values: Array, weights: Array, log_fitted: Array) -> float:
    """The rate of the component that helps a fit most: where D is largest, as far as a scan tells its maxima apart."""
    ratios = RatioSum.of(values, weights, log_fitted)
    s = local_maxima(ratios, scan_points(values)) if len(values) > 1 else np.sqrt(values)
    return float(s[ratios.at(s)[0].argmax()] ** 2)


def local_maxima(ratios: RatioSum, points: Array) -> Array:
    """The s at which D has a local maximum [M], ascending, as far as ``points`` [P], ascending, tell them apart."""
    falls = ratios.at(points)[1] <= 0.0
    turns = np.flatnonzero(~falls[:-1] & falls[1:])
    low, high = points[turns], points[turns + 1]
    s = 0.5 * (low + high)
    for _ in range(_REFINEMENTS):
        _, first, second = ratios.at(s)
        low, high = np.where(first > 0.0, s, low), np.where(first > 0.0, high, s)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = s - first / second
        s = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
    ends = points[[0, -1]][[falls[0], not falls[-1]]]
    return np.unique(np.concatenate([s, ends]))


def polished(values: Array, share: Array, s: Array, p: Array) -> tuple[Array, Array]:
    """``s`` [J], ascending, and ``p`` [J] > 0 moved uphill together by Newton's method on Σ share log f − Σ p."""
    value = _value(values, share, s, p)
    for _ in range(_NEWTON_STEPS):
        gradient, matrix = _model(values, share, s, p)
        step = np.linalg.solve(matrix, gradient)
        dp, q = step[0::2], step[1::2]
        length = min(1.0, 0.9 / max(float((-dp / p).max()), 0.9))
        for _ in range(_HALVINGS):
            new_p = p + length * dp
            new_s = np.abs(s + np.clip(length * q / new_p, -_LONGEST, _LONGEST))
            order = np.argsort(new_s)
            new = _value(values, share, new_s[order], new_p[order])
            if new >= value - _ROUNDING:
                break
            length *= 0.5
        else:
            break
        s, p, value = new_s[order], new_p[order], new
        if gradient @ step < _PROMISE:
            break
    # The derivatives at 0 are those at 1e-100.
    return np.where(s < 1e-50, 0.0, s), p / p.sum()


def _value(values: Array, share: Array, s: Array, p: Array) -> float:
    return float(share @ log_mixture(values, s, p) - p.sum())


def _model(values: Array, share: Array, s: Array, p: Array) -> tuple[Array, Array]:
    """Gradient [2J] and negative Hessian [2J, 2J] in (dp_1, q_1, dp_2, ...), q = p ds: there p f(s) has no mixed term.

    The second derivatives are −Σ_v share_v m_v m_vᵀ with m = (f_1, f_1′, f_2, ...)/f, and D″_j/p_j for each q_j, which
    is negative near a solution: the quadratic model is concave.
    """
    # As in RatioSum.at, derivatives at 0 are reached long before 1e-100.
    s = np.maximum(s, 1e-100)
    fitted = log_mixture(values, s, p)
    gradient, matrix = np.tile([-1.0, 0.0], len(s)), np.zeros((2 * len(s), 2 * len(s)))
    bend = np.zeros(len(s))
    for rows, columns in near(values, s):
        k, root = values[rows, None], s[columns]
        ratio = np.exp(log_poisson(k, root * root) - fitted[rows, None])
        x = 2.0 * (k - root * root) / root
        slope = x * ratio
        bend[columns] += share[rows] @ (x * slope - (2.0 * k / (root * root) + 2.0) * ratio)
        both = np.stack([ratio, slope], axis=-1).reshape(len(k), -1)
        pairs = slice(2 * columns.start, 2 * columns.stop)
        gradient[pairs] += share[rows] @ both
        matrix[pairs, pairs] += (both * share[rows, None]).T @ both
    matrix[np.diag_indices_from(matrix)] += _RIDGE / np.repeat(p, 2)
    matrix[1::2, 1::2] += np.diag(np.maximum(-bend, 0.0) / p)
    return gradient, matrix
