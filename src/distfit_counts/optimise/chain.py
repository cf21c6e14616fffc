"""From derivatives by the working values to those by the unconstrained coordinates."""

from __future__ import annotations

from torch import Tensor

from distfit_counts.families.family import Family


def unconstrained_derivatives(
    family: Family, theta: Tensor, scale: Tensor, slope: Tensor, curve: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradient [B, P] and Hessian [B, P, P] at ``theta`` [B, P] of what has the gradient ``slope`` [B, Q] and the
    Hessian ``curve`` [B, Q, Q] in the working values: with their Jacobian J, J'slope and J'curve J plus the sum of
    slope_q times the second derivatives of working value q.
    """
    jacobian = theta.new_zeros((len(theta), slope.shape[1], theta.shape[1]))
    bend = theta.new_zeros((len(theta), theta.shape[1], theta.shape[1]))
    coordinate = place = 0
    for parameter in family.parameters:
        here, names = slice(coordinate, coordinate + parameter.free), slice(place, place + len(parameter.names))
        own, own_scale = theta[:, here], scale[:, names]
        jacobian[:, names, here] = parameter.constraint.jacobian(own, own_scale)
        bend[:, here, here] = parameter.constraint.bend(own, own_scale, slope[:, names])
        coordinate, place = here.stop, names.stop
    gradient = (slope[:, None, :] @ jacobian)[:, 0]
    return gradient, jacobian.mT @ curve @ jacobian + bend
