"""How a parameter is made unconstrained, so that gradient descent can run without bounds.

A parameter lives on three scales:

* *unconstrained* (theta): what the optimiser moves;
* *working*: what ``Family.log_prob`` takes. The value itself for a positive parameter, but the logit for a
  probability and log-weights for mixture weights: turned into probabilities first, their gradients are NaN at
  extreme gates;
* *natural*: what people read.

``to`` runs on torch tensors and goes from unconstrained to working; ``inverse``, ``show`` and ``slope`` run on
NumPy arrays between unconstrained and natural. The last axis holds the parameter's coordinates. ``scale`` is a
typical natural value of the column: without it softplus, linear for large values, never arrives at a mean of 1e6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.families.lazy import LazyModule

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = LazyModule("torch")

Array = np.ndarray[Any, np.dtype[np.float64]]


# Counts beyond cannot be told apart in float64, so no mean lies there.
LARGEST = 2.0**53


class Constraint:
    """One kind of parameter space."""

    # In words, for the message that refuses a value outside.
    range = "between 0 and 2**53"
    # A start taken from a solution near a boundary is pulled back to here: further out the likelihood is flat.
    start_range = (-6.0, 6.0)

    def holds(self, value: float) -> bool:
        """Whether a natural value can be asked for. Most boundaries can: they are models too."""
        return 0.0 <= value <= LARGEST

    def free(self, n_names: int) -> int:
        """How many unconstrained coordinates ``n_names`` natural values need."""
        return n_names

    def to(self, theta: Tensor, scale: Tensor) -> Tensor:
        """Working values for unconstrained ``theta``."""
        raise NotImplementedError

    def rates(self, theta: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """First and second derivative of each working value by its own coordinate."""
        raise NotImplementedError

    def jacobian(self, theta: Tensor, scale: Tensor) -> Tensor:
        """d working / d theta, [..., names, coordinates]."""
        return torch.diag_embed(self.rates(theta, scale)[0])

    def bend(self, theta: Tensor, scale: Tensor, weight: Tensor) -> Tensor:
        """Sum of ``weight`` [..., names] times the second derivatives of the working values by theta, a matrix."""
        return torch.diag_embed(weight * self.rates(theta, scale)[1])

    def from_natural(self, value: Tensor) -> Tensor:
        """Working values for natural ones (torch)."""
        raise NotImplementedError

    def inverse(self, value: Array, scale: Array) -> Array:
        """Unconstrained coordinates of natural values."""
        raise NotImplementedError

    def show(self, theta: Array, scale: Array) -> Array:
        """Natural values of unconstrained coordinates."""
        raise NotImplementedError

    def slope(self, theta: Array, scale: Array) -> Array:
        """d natural / d theta, for the delta method. (For SIMPLEX: see there.)"""
        raise NotImplementedError


class Softplus(Constraint):
    """value = scale * softplus(theta), for rates and means."""

    start_range = (-6.0, np.inf)

    def to(self, theta: Tensor, scale: Tensor) -> Tensor:
        # Not torch's softplus: from 20 on it returns theta itself, 2e-9 off.
        return -scale * torch.nn.functional.logsigmoid(-theta)

    def rates(self, theta: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        first = scale * torch.sigmoid(theta)
        return first, first * torch.sigmoid(-theta)

    def from_natural(self, value: Tensor) -> Tensor:
        return value

    def inverse(self, value: Array, scale: Array) -> Array:
        ratio = value / scale
        # log(expm1(x)) = x + log(1 - exp(-x)): the second form does not overflow.
        result: Array = ratio + np.log(-np.expm1(-ratio))
        return result

    def show(self, theta: Array, scale: Array) -> Array:
        result: Array = scale * np.logaddexp(0.0, theta)
        return result

    def slope(self, theta: Array, scale: Array) -> Array:
        return scale * _sigmoid(theta)


class Odds(Constraint):
    """value = scale * odds, where odds/(1 + odds) = sigmoid(theta); for a size, whose both ends are models.

    size -> infinity is the Poisson, size -> 0 (zero-truncated) the log-series. value/(value + scale) lies in
    (0, 1), and both ends are approached exponentially in theta, where softplus would creep towards infinity.
    """

    range = "above 0 and below infinity (there it is the Poisson)"

    def holds(self, value: float) -> bool:
        return 0.0 < value < np.inf

    def to(self, theta: Tensor, scale: Tensor) -> Tensor:
        return scale * torch.exp(theta)

    def rates(self, theta: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        value = self.to(theta, scale)
        return value, value

    def from_natural(self, value: Tensor) -> Tensor:
        return value

    def inverse(self, value: Array, scale: Array) -> Array:
        result: Array = np.log(value / scale)
        return result

    def show(self, theta: Array, scale: Array) -> Array:
        # exp(709) is the largest float: an interval may reach beyond, and then has no upper end.
        with np.errstate(over="ignore"):
            result: Array = scale * np.exp(theta)
        return result

    def slope(self, theta: Array, scale: Array) -> Array:
        return self.show(theta, scale)


class Sigmoid(Constraint):
    """value = sigmoid(theta), for probabilities; the working value is the logit itself."""

    range = "between 0 and 1"

    def holds(self, value: float) -> bool:
        return 0.0 <= value <= 1.0

    def to(self, theta: Tensor, scale: Tensor) -> Tensor:
        return theta

    def rates(self, theta: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        return torch.ones_like(theta), torch.zeros_like(theta)

    def from_natural(self, value: Tensor) -> Tensor:
        return torch.logit(value)

    def inverse(self, value: Array, scale: Array) -> Array:
        result: Array = np.log(value) - np.log1p(-value)
        return result

    def show(self, theta: Array, scale: Array) -> Array:
        return _sigmoid(theta)

    def slope(self, theta: Array, scale: Array) -> Array:
        return _sigmoid(theta) * _sigmoid(-theta)


class Softmax(Constraint):
    """values = softmax(theta, 0): K weights that sum to 1 from K - 1 coordinates; working values are log-weights."""

    range = "between 0 and 1"
    # Relative to the last weight, which may be one in a million.
    start_range = (-14.0, 14.0)

    def holds(self, value: float) -> bool:
        return 0.0 <= value <= 1.0

    def free(self, n_names: int) -> int:
        return n_names - 1

    def to(self, theta: Tensor, scale: Tensor) -> Tensor:
        return torch.log_softmax(torch.cat([theta, torch.zeros_like(theta[..., :1])], dim=-1), dim=-1)

    def jacobian(self, theta: Tensor, scale: Tensor) -> Tensor:
        weight = self._weights(theta)
        identity = torch.eye(theta.shape[-1] + 1, theta.shape[-1], dtype=theta.dtype, device=theta.device)
        return identity - weight[..., None, :]

    def bend(self, theta: Tensor, scale: Tensor, weight: Tensor) -> Tensor:
        # Every log-weight bends alike: by the logarithm of the sum of the exponentials.
        own = self._weights(theta)
        return weight.sum(dim=-1)[..., None, None] * (own[..., :, None] * own[..., None, :] - torch.diag_embed(own))

    def _weights(self, theta: Tensor) -> Tensor:
        return self.to(theta, theta)[..., :-1].exp()

    def from_natural(self, value: Tensor) -> Tensor:
        return torch.log(value)

    def inverse(self, value: Array, scale: Array) -> Array:
        result: Array = np.log(value[..., :-1]) - np.log(value[..., -1:])
        return result

    def show(self, theta: Array, scale: Array) -> Array:
        padded = np.concatenate([theta, np.zeros_like(theta[..., :1])], axis=-1)
        exponent = np.exp(padded - padded.max(axis=-1, keepdims=True))
        result: Array = exponent / exponent.sum(axis=-1, keepdims=True)
        return result

    def slope(self, theta: Array, scale: Array) -> Array:
        """The Jacobian d weight_i / d theta_j, shape [..., K, K - 1]."""
        weight = self.show(theta, scale)
        identity = np.eye(weight.shape[-1])[:, :-1]
        result: Array = weight[..., :, None] * (identity - weight[..., None, :-1])
        return result


def _sigmoid(theta: Array) -> Array:
    # exp of a negative number only: no overflow on either side.
    exponent = np.exp(-np.abs(theta))
    result: Array = np.where(theta >= 0, 1.0, exponent) / (1.0 + exponent)
    return result


POSITIVE = Softplus()
POSITIVE_BOTH_ENDS = Odds()
UNIT = Sigmoid()
SIMPLEX = Softmax()
