"""Standard errors and intervals from the observed information."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import SIMPLEX, Array
from distfit_counts.families.family import Family, Parameter
from distfit_counts.settings import FLAT_DIRECTION, FLAT_INFORMATION


@dataclass(frozen=True)
class Wald:
    """``std_error``, ``lower``, ``upper`` [C, P'] of natural values; NaN where not identified (``flat`` [C, P'])."""

    std_error: Array
    lower: Array
    upper: Array
    flat: npt.NDArray[np.bool_]


def wald(family: Family, theta: Array, hessian: Array, n: Array, scale: Array, level: float) -> Wald:
    """Wald intervals at ``theta`` [C, P] with ``hessian`` [C, P, P] of the mean NLL over ``n`` [C] observations.

    Covariance of theta: (n H)^-1. Standard errors by the delta method, se = |d natural/d theta| se(theta). The
    interval is theta +- z se(theta) carried back, so that it never leaves the parameter's range; a weight's is
    built on its own logit. A parameter that a flat direction of H moves is not identified: NaN.
    """
    covariance, loose = _covariance(hessian, n)
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    parts = []
    coordinate = place = 0
    for parameter in family.parameters:
        free, count = parameter.free, len(parameter.names)
        own = slice(coordinate, coordinate + free)
        parts.append(
            _one(parameter, theta[:, own], covariance[:, own, own], loose[:, own], scale[:, place : place + count], z)
        )
        coordinate, place = coordinate + free, place + count
    std_error, lower, upper, flat = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    return Wald(std_error, lower, upper, flat.astype(bool))


def _covariance(hessian: Array, n: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Covariance of theta [C, P, P] and which coordinates [C, P] a flat direction moves."""
    information = np.nan_to_num(hessian) * n[:, None, None]
    own = np.diagonal(information, axis1=1, axis2=2)
    # With a unit diagonal, curvatures of different parameters compare: a mean of 1e11 bends far more than a gate.
    unit = 1.0 / np.sqrt(np.maximum(own, FLAT_INFORMATION))
    eigenvalues, vectors = np.linalg.eigh(information * unit[:, :, None] * unit[:, None, :])
    flat = eigenvalues <= FLAT_DIRECTION
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, eigenvalues))
    covariance = (vectors * inverse[:, None, :]) @ np.swapaxes(vectors, 1, 2) * unit[:, :, None] * unit[:, None, :]
    loose = (flat[:, None, :] & (np.abs(vectors) > 1e-3)).any(axis=2) | (own <= FLAT_INFORMATION)
    return covariance, loose


def _one(
    parameter: Parameter, theta: Array, covariance: Array, loose: npt.NDArray[np.bool_], scale: Array, z: float
) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    constraint = parameter.constraint
    if constraint is SIMPLEX:
        jacobian = constraint.slope(theta, scale)
        variance = np.einsum("cij,cjk,cik->ci", jacobian, covariance, jacobian)
        std_error = np.sqrt(variance)
        weight = constraint.show(theta, scale)
        flat = np.repeat(loose.any(axis=1, keepdims=True), weight.shape[1], axis=1)
        # A weight that is 0 or 1 to the last digit has no logit: it is flat, and its NaN is what is shown.
        with np.errstate(divide="ignore", invalid="ignore"):
            logit = np.log(weight) - np.log1p(-weight)
            reach = z * std_error / (weight * (1.0 - weight))
            lower, upper = _expit(logit - reach), _expit(logit + reach)
    else:
        deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        std_error = np.abs(constraint.slope(theta, scale)) * deviation
        flat = loose
        lower = constraint.show(theta - z * deviation, scale)
        upper = constraint.show(theta + z * deviation, scale)
    unknown = np.where(flat, np.nan, 0.0)
    return std_error + unknown, lower + unknown, upper + unknown, flat


def _expit(x: Array) -> Array:
    with np.errstate(over="ignore"):
        result: Array = 1.0 / (1.0 + np.exp(-x))
    return result
