"""The families as ``torch.distributions``, for a user's own PyTorch or Pyro model.

Parameters are natural values (a probability, not a logit) and may carry gradients; everything is float64, since
in float32 the log-probabilities of large sizes have the wrong sign. The formulas are the families' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from distfit_counts.families import geometric, hurdle, negative_binomial, poisson, zero_inflated
from distfit_counts.families.constraint import POSITIVE, SIMPLEX, UNIT
from distfit_counts.families.family import Family
from distfit_counts.families.truncated import truncate

Value = Tensor | float


class CountDistribution(Distribution):
    """Any family with parameters ``values`` {name: natural value}; scalars or tensors that broadcast.

    ``log_prob`` keeps all constants and lets gradients flow to the parameters; ``sample`` follows torch's seed.
    """

    has_rsample = False

    def __init__(self, family: Family, values: Mapping[str, Value], validate_args: bool | None = None) -> None:
        tensors = [torch.as_tensor(values[name], dtype=torch.float64) for name in family.names]
        # Not torch.broadcast_shapes: its first call imports SymPy, for half a second.
        shape = torch.Size(np.broadcast_shapes(*(tensor.shape for tensor in tensors)))
        self.family = family
        self.values = {name: tensor.expand(shape) for name, tensor in zip(family.names, tensors, strict=True)}
        # Parameters are attributes, as in torch's own distributions. A parameter called mean or variance is found in
        # ``values``: the property of that name is the distribution's moment.
        vars(self).update(self.values)
        super().__init__(shape, validate_args=validate_args)

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        ranges = {
            UNIT: constraints.unit_interval,
            SIMPLEX: constraints.unit_interval,
            POSITIVE: constraints.nonnegative,
        }
        return {
            name: ranges.get(parameter.constraint, constraints.positive)
            for parameter in self.family.parameters
            for name in parameter.names
        }

    @property
    def support(self) -> constraints.Constraint:
        return constraints.positive_integer if self.family.lowest else constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        return self._moment(self.family.mean(self.values))

    @property
    def variance(self) -> Tensor:
        return self._moment(self.family.variance(self.values))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self.family.log_prob_natural(self.values, torch.as_tensor(value, dtype=torch.float64))

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008 - torch's own signature
        shape = torch.Size(sample_shape)
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        flat = {name: value.detach().reshape(-1).numpy() for name, value in self.values.items()}
        # One call per distribution of the batch: a family samples from plain numbers.
        drawn = [
            self.family.sample({name: float(value[i]) for name, value in flat.items()}, shape.numel(), rng)
            for i in range(self.batch_shape.numel())
        ]
        counts = torch.from_numpy(np.stack(drawn, axis=-1).astype(np.float64))
        return counts.reshape(shape + self.batch_shape)

    def expand(self, batch_shape: Any, _instance: Any = None) -> CountDistribution:
        new: CountDistribution = self._get_checked_instance(type(self), _instance)  # type: ignore[no-untyped-call]
        shape = torch.Size(batch_shape)
        new.family = self.family
        new.values = {name: value.expand(shape) for name, value in self.values.items()}
        vars(new).update(new.values)
        Distribution.__init__(new, shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _moment(self, value: Any) -> Tensor:
        return torch.as_tensor(value, dtype=torch.float64).expand(self.batch_shape)


class Poisson(CountDistribution):
    def __init__(self, rate: Value, validate_args: bool | None = None) -> None:
        super().__init__(poisson.Poisson(), {"rate": rate}, validate_args)


class Geometric(CountDistribution):
    """By its mean; P(Y = 0) = 1/(1 + mean)."""

    def __init__(self, mean: Value, validate_args: bool | None = None) -> None:
        super().__init__(geometric.Geometric(), {"mean": mean}, validate_args)


class NegativeBinomial(CountDistribution):
    """By mean and size: Var = mean + mean²/size. (torch's own takes total_count = size and logits.)"""

    def __init__(self, mean: Value, size: Value, validate_args: bool | None = None) -> None:
        super().__init__(negative_binomial.NegativeBinomial(), {"mean": mean, "size": size}, validate_args)


class ZeroInflated(CountDistribution):
    """``pi`` = P(structural zero); otherwise a draw of ``base``, any distribution of this module."""

    def __init__(self, pi: Value, base: CountDistribution, validate_args: bool | None = None) -> None:
        family = zero_inflated.ZeroInflated(_base(base).family)
        super().__init__(family, {"pi": pi} | base.values, validate_args)


class ZeroInflatedPoisson(ZeroInflated):
    def __init__(self, pi: Value, rate: Value, validate_args: bool | None = None) -> None:
        super().__init__(pi, Poisson(rate, validate_args), validate_args)


class Hurdle(CountDistribution):
    """``p0`` = P(Y = 0); otherwise a draw of ``base`` given that it is positive."""

    def __init__(self, p0: Value, base: CountDistribution, validate_args: bool | None = None) -> None:
        super().__init__(hurdle.Hurdle(_base(base).family), {"p0": p0} | base.values, validate_args)


class ZeroTruncated(CountDistribution):
    """A draw of ``base`` given that it is positive."""

    def __init__(self, base: CountDistribution, validate_args: bool | None = None) -> None:
        super().__init__(truncate(_base(base).family), base.values, validate_args)


def _base(base: object) -> CountDistribution:
    if not isinstance(base, CountDistribution):
        raise TypeError(f"base must be a distribution of distfit_counts.distributions, not {type(base).__name__}")
    return base
