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
    """``std_error``, ``lower``, ``upper`` [C, P'] of natural values; NaN where not identified (``flat`` [C, P']).

    ``correlation`` [C, P', P'] of the natural estimates, NaN there too.
    """

    std_error: Array
    lower: Array
    upper: Array
    flat: npt.NDArray[np.bool_]
    correlation: Array


def wald(family: Family, theta: Array, hessian: Array, n: Array, scale: Array, level: float) -> Wald:
    """Wald intervals at ``theta`` [C, P] with ``hessian`` [C, P, P] of the mean NLL over ``n`` [C] observations.

    Covariance of theta: (n H)^-1; of the natural values by the delta method, J (n H)^-1 J'. The interval is
    theta +- z se(theta) carried back, so that it never leaves the parameter's range; a weight's is built on its own
    logit. A parameter that a flat direction of H moves is not identified: NaN.
    """
    covariance, loose = _covariance(hessian, n)
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    count = len(family.names)
    jacobian = np.zeros((len(theta), count, family.n_parameters))
    lower, upper = np.empty((len(theta), count)), np.empty((len(theta), count))
    flat = np.empty((len(theta), count), dtype=bool)
    coordinate = place = 0
    for parameter in family.parameters:
        own, named = slice(coordinate, coordinate + parameter.free), slice(place, place + len(parameter.names))
        jacobian[:, named, own] = _slope(parameter, theta[:, own], scale[:, named])
        flat[:, named] = loose[:, own].any(axis=1, keepdims=True) if parameter.constraint is SIMPLEX else loose[:, own]
        coordinate, place = own.stop, named.stop
    natural = jacobian @ covariance @ np.swapaxes(jacobian, 1, 2)
    # Rounding may leave a tiny negative number where a weight has no freedom at all.
    std_error = np.sqrt(np.maximum(np.diagonal(natural, axis1=1, axis2=2), 0.0))
    coordinate = place = 0
    for parameter in family.parameters:
        own, named = slice(coordinate, coordinate + parameter.free), slice(place, place + len(parameter.names))
        deviation = np.sqrt(np.diagonal(covariance[:, own, own], axis1=1, axis2=2))
        ends = _ends(parameter, theta[:, own], deviation, std_error[:, named], scale[:, named], z)
        lower[:, named], upper[:, named] = ends
        coordinate, place = own.stop, named.stop
    unknown = np.where(flat, np.nan, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = natural / (std_error[:, :, None] * std_error[:, None, :])
    each = np.arange(correlation.shape[1])
    correlation[:, each, each] = np.where(np.isnan(correlation[:, each, each]), np.nan, 1.0)
    both = unknown[:, :, None] + unknown[:, None, :]
    return Wald(std_error + unknown, lower + unknown, upper + unknown, flat, np.clip(correlation, -1.0, 1.0) + both)


def flat_directions(family: Family, hessian: Array, n: float) -> list[list[str]]:
    """How each flat direction of ``hessian`` [P, P] moves the parameters: ["pi up", "rate up"], as far as it does."""
    names = [name for parameter in family.parameters for name in parameter.names[: parameter.free]]
    unit, eigenvalues, vectors = _scaled(np.nan_to_num(hessian)[None] * n)
    found = []
    for i in np.flatnonzero(eigenvalues[0] <= FLAT_DIRECTION):
        step = vectors[0, :, i] * unit[0]
        step = step / step[np.abs(step).argmax()]
        found.append(
            [f"{name} {'up' if x > 0 else 'down'}" for name, x in zip(names, step, strict=True) if abs(x) > 0.05]
        )
    return found


def _covariance(hessian: Array, n: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Covariance of theta [C, P, P] and which coordinates [C, P] a flat direction moves."""
    information = np.nan_to_num(hessian) * n[:, None, None]
    own = np.diagonal(information, axis1=1, axis2=2)
    unit, eigenvalues, vectors = _scaled(information)
    flat = eigenvalues <= FLAT_DIRECTION
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, eigenvalues))
    covariance = (vectors * inverse[:, None, :]) @ np.swapaxes(vectors, 1, 2) * unit[:, :, None] * unit[:, None, :]
    loose = (flat[:, None, :] & (np.abs(vectors) > 1e-3)).any(axis=2) | (own <= FLAT_INFORMATION)
    return covariance, loose


def _scaled(information: Array) -> tuple[Array, Array, Array]:
    """Scale of the coordinates [C, P], eigenvalues [C, P] and vectors [C, P, P] of the information brought to a unit
    diagonal: only then do curvatures of different parameters compare (a mean of 1e11 bends far more than a gate).
    """
    unit = 1.0 / np.sqrt(np.maximum(np.diagonal(information, axis1=1, axis2=2), FLAT_INFORMATION))
    eigenvalues, vectors = np.linalg.eigh(information * unit[:, :, None] * unit[:, None, :])
    return unit, eigenvalues, vectors


def _slope(parameter: Parameter, theta: Array, scale: Array) -> Array:
    """d natural / d theta [C, names, free]."""
    slope = parameter.constraint.slope(theta, scale)
    return slope if parameter.constraint is SIMPLEX else slope[:, :, None] * np.eye(theta.shape[1])


def _ends(
    parameter: Parameter, theta: Array, deviation: Array, std_error: Array, scale: Array, z: float
) -> tuple[Array, Array]:
    constraint = parameter.constraint
    if constraint is not SIMPLEX:
        return constraint.show(theta - z * deviation, scale), constraint.show(theta + z * deviation, scale)
    weight = constraint.show(theta, scale)
    # A weight that is 0 or 1 to the last digit has no logit: it is flat, and its NaN is what is shown.
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.log(weight) - np.log1p(-weight)
        reach = z * std_error / (weight * (1.0 - weight))
        return _expit(logit - reach), _expit(logit + reach)


def _expit(x: Array) -> Array:
    with np.errstate(over="ignore"):
        result: Array = 1.0 / (1.0 + np.exp(-x))
    return result
