"""How a linear predictor becomes a parameter.

``to`` takes the predictor eta (any real number) to the working value that ``Family.log_prob`` takes: the value itself
for a mean or a size, the logit for a probability. ``show`` gives the natural value that people read, ``of`` is its
inverse, for starts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distfit_counts.errors import FamilyError
from distfit_counts.families.constraint import SIMPLEX, UNIT, Array, Constraint
from distfit_counts.families.special import log_softplus


@dataclass(frozen=True)
class Link:
    """One link; ``ratio``: what exp(coefficient) is called, "" where it means nothing.

    Closed forms are differentiated by the coordinate of a parameter: log(value), the logit of a probability, the
    log-ratio of a weight. ``is_coordinate``: eta itself is that.
    """

    name: str
    ratio: str
    is_coordinate = False

    @property
    def has_coordinate(self) -> bool:
        """Whether closed forms can be told of this link at all; autograd serves where they cannot."""
        return self.is_coordinate or type(self).coordinate is not Link.coordinate

    def to(self, eta: Tensor) -> Tensor:
        raise NotImplementedError

    def show(self, eta: Array) -> Array:
        raise NotImplementedError

    def of(self, value: Array) -> Array:
        raise NotImplementedError

    def coordinate(self, eta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The coordinate at eta, with both derivatives by eta."""
        raise NotImplementedError


# A positive parameter stays positive, and finite, where float64 has no number for it: with a mean of 0 or infinity a
# family is another one, or none.
_LEAST, _MOST = 1e-300, 1e300


class Log(Link):
    is_coordinate = True

    def to(self, eta: Tensor) -> Tensor:
        return torch.exp(eta).clamp(_LEAST, _MOST)

    def show(self, eta: Array) -> Array:
        with np.errstate(over="ignore"):
            result: Array = np.exp(eta)
        return result

    def of(self, value: Array) -> Array:
        result: Array = np.log(value)
        return result


class Softplus(Link):
    """value = log(1 + exp(eta)): nearly the identity for large values, so that covariates add to the mean."""

    def to(self, eta: Tensor) -> Tensor:
        # Not torch's softplus: from 20 on it returns eta itself, 2e-9 off.
        return (-torch.nn.functional.logsigmoid(-eta)).clamp(_LEAST, _MOST)

    def show(self, eta: Array) -> Array:
        result: Array = np.logaddexp(0.0, eta)
        return result

    def of(self, value: Array) -> Array:
        # log(expm1(x)) = x + log(1 - exp(-x)): the second form does not overflow.
        result: Array = value + np.log(-np.expm1(-value))
        return result

    def coordinate(self, eta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return log_softplus(eta)


class Logit(Link):
    is_coordinate = True

    def to(self, eta: Tensor) -> Tensor:
        return eta

    def show(self, eta: Array) -> Array:
        # exp of a negative number only: no overflow on either side.
        exponent = np.exp(-np.abs(eta))
        result: Array = np.where(eta >= 0, 1.0, exponent) / (1.0 + exponent)
        return result

    def of(self, value: Array) -> Array:
        result: Array = np.log(value) - np.log1p(-value)
        return result


class Identity(Link):
    is_coordinate = True

    def to(self, eta: Tensor) -> Tensor:
        return eta

    def show(self, eta: Array) -> Array:
        return eta

    def of(self, value: Array) -> Array:
        return value


LOG = Log("log", "rate ratio")
SOFTPLUS = Softplus("softplus", "")
LOGIT = Logit("logit", "odds ratio")
IDENTITY = Identity("identity", "")
# Weights of a mixture: K - 1 predictors, each against the last component (``row_model`` takes the softmax).
SOFTMAX = Identity("softmax", "odds ratio")


def choices(constraint: Constraint) -> tuple[Link, ...]:
    """The links that a parameter of this kind can have; the first is the default."""
    if constraint is UNIT:
        return (LOGIT,)
    if constraint is SIMPLEX:
        return (SOFTMAX,)
    return (LOG, SOFTPLUS)


def chosen(parameter: str, constraint: Constraint, name: str | None) -> Link:
    """The link called ``name``, or the default. Raises FamilyError where the parameter cannot have it."""
    possible = choices(constraint)
    for link in possible:
        if name is None or link.name == name:
            return link
    listed = " or ".join(link.name for link in possible)
    raise FamilyError(f"{parameter} cannot have the link {name!r}", f"it takes {listed}")
