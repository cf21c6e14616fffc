"""The log-pmfs of the Poisson, the negative binomial and of mixtures, as autograd functions of their parameters.

Their two derivatives, written by hand, lose no digit where the plain ones do, and cost one evaluation however many
passes a Hessian takes: what a pass needs is kept between them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from distfit_counts.families.recurrence import Recurrence
from distfit_counts.families.special import (
    digamma_minus_log,
    log1p_minus,
    log_count_term,
    scaled_log1p,
    stirling_error,
    trigamma_minus_reciprocal,
)


class _Poisson(Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, rate: Tensor) -> Tensor:
        ctx.save_for_backward(k, rate)
        safe = k.clamp(min=1.0)
        # k log(rate/k) + k - rate, without the cancellation of its large terms (Loader's deviance).
        deviance = safe * log1p_minus((rate - safe) / safe, rate / safe)
        return torch.where(k > 0, deviance - log_count_term(k), -rate)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        k, rate = ctx.saved_tensors
        if not hasattr(ctx, "slope"):
            ctx.slope = ((k - rate) / rate).detach()
        return None, _PoissonGradient.apply(gradients[0], k, rate, ctx.slope)  # type: ignore[no-untyped-call]


class _PoissonGradient(Function):
    """Sum over counts of g d/drate; ``by_rate``: that derivative, (k - rate)/rate."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, k: Tensor, rate: Tensor, by_rate: Tensor) -> Tensor:
        ctx.save_for_backward(g, k, rate, by_rate)
        return (g * by_rate).sum_to_size(rate.shape)

    @staticmethod
    def backward(ctx: Any, *passed: Tensor) -> tuple[Tensor, None, Tensor, None]:
        g, k, rate, by_rate = ctx.saved_tensors
        if not hasattr(ctx, "curve"):
            ctx.curve = -(g * k).sum_to_size(rate.shape) / rate / rate
        return passed[0] * by_rate, None, passed[0] * ctx.curve, None


def poisson_log_prob(k: Tensor, rate: Tensor) -> Tensor:
    """k log(rate) - rate - log k!, as Loader (2000) evaluates it, so that no digit is lost at large k."""
    return torch.as_tensor(_Poisson.apply(k, rate))  # type: ignore[no-untyped-call]


class _NegativeBinomial(Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, mean: Tensor, size: Tensor) -> Tensor:
        ctx.save_for_backward(k, mean, size)
        ctx.sums = negative_binomial_sums(k, mean, size)
        return torch.as_tensor(ctx.sums.log_prob())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor]:
        k, mean, size = ctx.saved_tensors
        if not hasattr(ctx, "slopes"):
            with torch.no_grad():
                ctx.slopes = (k - mean) * (size / (size + mean) / mean), ctx.sums.by_size()
        found = _NegativeBinomialGradient.apply(  # type: ignore[no-untyped-call]
            gradients[0], k, mean, size, *ctx.slopes, ctx.sums
        )
        return None, *found


class _NegativeBinomialGradient(Function):
    """Sums over counts of g d/dmean and g d/dsize; ``by_mean``, ``by_size``: those derivatives."""

    @staticmethod
    def forward(
        ctx: Any, g: Tensor, k: Tensor, mean: Tensor, size: Tensor, by_mean: Tensor, by_size: Tensor, sums: Any
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(g, k, mean, size, by_mean, by_size)
        ctx.sums = sums
        return (g * by_mean).sum_to_size(mean.shape), (g * by_size).sum_to_size(mean.shape)

    @staticmethod
    def backward(ctx: Any, *passed: Tensor) -> tuple[Tensor, None, Tensor, Tensor, None, None, None]:
        g, k, mean, size, by_mean, by_size = ctx.saved_tensors
        if not hasattr(ctx, "curves"):
            ctx.curves = negative_binomial_curves(g, k, mean, size, ctx.sums.by_size_twice())
        (mean_mean, mean_size, size_size), (v_mean, v_size) = ctx.curves, passed
        to_mean, to_size = v_mean * mean_mean + v_size * mean_size, v_mean * mean_size + v_size * size_size
        return torch.addcmul(v_mean * by_mean, v_size, by_size), None, to_mean, to_size, None, None, None


def negative_binomial_curves(
    g: Tensor, k: Tensor, mean: Tensor, size: Tensor, by_size_twice: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over counts of g times the second derivatives: by mean twice, by mean and size, by size twice."""
    shape, both, apart = mean.shape, size + mean, g * (k - mean)
    share = size / both
    first, counts = (each.expand(apart.shape).sum_to_size(shape) for each in (g, g * k))
    # Divided twice, not by a square: a mean of 1e-200 has none.
    mean_mean = -(share / mean * counts / mean * (1.0 + mean / both) - share / both * first)
    return mean_mean, apart.sum_to_size(shape) / both / both, (g * by_size_twice).sum_to_size(shape)


class LogGammas:
    """As ``Recurrence``, of counts and sizes of any shapes that broadcast."""

    def __init__(self, k: Tensor, mean: Tensor, size: Tensor) -> None:
        self._k, self._mean, self._size = k, mean, size
        # Loader's saddle point: the binomial(k + size, .) at k, times size/(k + size). Each bracket is small
        # where the log-gammas of the textbook form are huge and cancel (0.21 off at size 1e14).
        self._total, self._both = k + size, size + mean
        self._ratio = self._total / self._both
        self._towards_size = log1p_minus((k - mean) / self._both, self._ratio)

    def log_prob(self) -> Tensor:
        k, mean, size, total = self._k, self._mean, self._size, self._total
        safe = k.clamp(min=1.0)
        towards_count = log1p_minus(size * (mean - safe) / (safe * self._both), self._ratio * (mean / safe))
        saddle = stirling_error(total) - stirling_error(size) - 0.5 * torch.log1p(k / size)
        log_prob = saddle + size * self._towards_size + k * towards_count - log_count_term(k)
        return torch.where(k > 0, log_prob, -scaled_log1p(mean, size))

    def by_size(self) -> Tensor:
        # psi(k + size) - psi(size) + log(size/(size + mean)) + (mean - k)/(size + mean), regrouped so that every
        # part is O(1/size**2) by itself: the plain sum is noise from size 1e8 on.
        return self._towards_size + (digamma_minus_log(self._total) - digamma_minus_log(self._size))

    def by_size_twice(self) -> Tensor:
        apart = self._k - self._mean
        rise = trigamma_minus_reciprocal(self._total) - trigamma_minus_reciprocal(self._size)
        return apart / self._both * (apart / self._total) / self._both + rise


def negative_binomial_sums(k: Tensor, mean: Tensor, size: Tensor) -> Recurrence | LogGammas:
    """What gives the log-pmf and its derivatives by the size."""
    return Recurrence.of(k, mean, size) or LogGammas(k, mean, size)


def negative_binomial_log_prob(k: Tensor, mean: Tensor, size: Tensor) -> Tensor:
    """log C(k + size - 1, k) + k log(mean/(mean + size)) + size log(size/(mean + size)), accurate for every size."""
    # Of one shape: the sums over counts that the derivatives keep are then the same for both.
    mean, size = torch.broadcast_tensors(mean, size)
    return torch.as_tensor(_NegativeBinomial.apply(k, mean, size))  # type: ignore[no-untyped-call]


class _LogSumExp(Function):
    @staticmethod
    def forward(ctx: Any, parts: Tensor) -> Tensor:
        total = torch.logsumexp(parts, dim=0)
        # Where every part is log 0, the shares are 0, not the NaN of 0/0.
        ctx.save_for_backward(parts, torch.exp(parts - total.clamp(min=-1e308)))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return torch.as_tensor(_LogSumExpGradient.apply(gradients[0], *ctx.saved_tensors))  # type: ignore[no-untyped-call]


class _LogSumExpGradient(Function):
    """g times the share of every part in the sum."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, parts: Tensor, share: Tensor) -> Tensor:
        shared = g * share
        ctx.save_for_backward(share, shared)
        return shared

    @staticmethod
    def backward(ctx: Any, *passed: Tensor) -> tuple[Tensor, Tensor, None]:
        share, shared = ctx.saved_tensors
        along = (passed[0] * share).sum(dim=0)
        return along, shared * (passed[0] - along), None


def log_sum_exp(parts: Tensor) -> Tensor:
    """log sum_i exp(parts_i) over the first axis: the log-pmf of a mixture from its weighted components'."""
    return torch.as_tensor(_LogSumExp.apply(parts))  # type: ignore[no-untyped-call]
