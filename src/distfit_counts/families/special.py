"""The special functions that lose digits when written plainly, and the two log-pmfs built on them.

Everything is float64, broadcasts, and has exact first and second derivatives under autograd.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

HALF_LOG_2PI = 0.918938533204672741780329736406

# From here on the asymptotic series below reach the last digit of float64.
_ASYMPTOTIC = 16.0


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Horner's rule, lowest order first."""
    value = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def _piecewise(x: Tensor, series: Any, plain: Any) -> Tensor:
    """``series(x)`` for large x, ``plain(x)`` below; each side is only evaluated where it is used."""
    large = x >= _ASYMPTOTIC
    if bool(large.all()):
        return torch.as_tensor(series(x))
    if not bool(large.any()):
        return torch.as_tensor(plain(x))
    return torch.where(large, series(x.clamp(min=_ASYMPTOTIC)), plain(x.clamp(max=_ASYMPTOTIC)))


def log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(x)) for x < 0 (Maechler 2012, "Accurately computing log(1 - exp(-|a|))")."""
    # Both branches get an argument they can bear: a NaN in the one not taken would poison the gradient.
    near_zero = x > -0.6931471805599453
    small = torch.where(near_zero, x, torch.full_like(x, -1.0))
    large = torch.where(near_zero, torch.full_like(x, -1.0), x)
    return torch.where(near_zero, torch.log(-torch.expm1(small)), torch.log1p(-torch.exp(large)))


def log1p_minus(x: Tensor, one_plus_x: Tensor) -> Tensor:
    """log(1 + x) - x for x > -1; ``one_plus_x`` is given apart because 1 + x rounds where x is near -1.

    The difference cancels for small x: there log(1+x) = 2 artanh(t), t = x/(2+x), and 2t - x = -xt.
    No derivative: it serves inside the functions below, which know theirs.
    """
    t = x / (2.0 + x)
    s = t * t
    series = 2.0 * t * s * _polynomial(s, (1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13)) - x * t
    return torch.where(x.abs() < 0.1, series, torch.log(one_plus_x) - x)


def stirling_error(x: Tensor) -> Tensor:
    """log Gamma(x+1) - [(x + 1/2) log x - x + log(2 pi)/2], x > 0 (Loader 2000). No derivative, as above."""

    def series(x: Tensor) -> Tensor:
        terms = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
        return _polynomial(1.0 / (x * x), terms) / x

    def plain(x: Tensor) -> Tensor:
        return torch.lgamma(x + 1.0) - (x + 0.5) * torch.log(x) + x - HALF_LOG_2PI

    return _piecewise(x, series, plain)


def _digamma_minus_log(x: Tensor) -> Tensor:
    def series(x: Tensor) -> Tensor:
        s = 1.0 / (x * x)
        terms = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12)
        return s * _polynomial(s, terms) - 0.5 / x

    return _piecewise(x, series, lambda x: torch.digamma(x) - torch.log(x))


def _trigamma_minus_reciprocal(x: Tensor) -> Tensor:
    def series(x: Tensor) -> Tensor:
        s = 1.0 / (x * x)
        terms = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
        return s * (0.5 + _polynomial(s, terms) / x)

    def plain(x: Tensor) -> Tensor:
        # torch.polygamma is off by up to 5e-10, torch.special.zeta exact but ten times slower: climb by
        # psi'(x) = 1/x^2 + psi'(x + 1) to where the series holds.
        rise, step = x.square().reciprocal_(), x.clone()
        for _ in range(9):
            step += 1.0
            rise += step.square().reciprocal_()
        return rise + series(x + 10.0) + 1.0 / (x + 10.0) - 1.0 / x

    return _piecewise(x, series, plain)


class _DigammaMinusLog(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return _digamma_minus_log(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * _trigamma_minus_reciprocal(x)


class _Log1pMinus(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, one_plus_x: Tensor) -> Tensor:
        ctx.save_for_backward(x, one_plus_x)
        return log1p_minus(x, one_plus_x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        x, one_plus_x = ctx.saved_tensors
        return -gradients[0] * x / one_plus_x, None


def log_count_term(k: Tensor) -> Tensor:
    """log k! - (k log k - k), exact for k = 0: the part of every log-pmf that only the data enter."""
    positive = k > 0
    safe = torch.where(positive, k, torch.ones_like(k))
    return torch.where(positive, stirling_error(safe) + 0.5 * torch.log(safe) + HALF_LOG_2PI, torch.zeros_like(k))


class _PoissonLogProb(Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, rate: Tensor) -> Tensor:
        ctx.save_for_backward(k, rate)
        positive = k > 0
        safe = torch.where(positive, k, torch.ones_like(k))
        # k log(rate/k) + k - rate, without the cancellation of its large terms (Loader's deviance).
        deviance = safe * log1p_minus((rate - safe) / safe, rate / safe)
        return torch.where(positive, deviance - log_count_term(k), -rate)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        k, rate = ctx.saved_tensors
        return None, (gradients[0] * (k - rate) / rate).sum_to_size(rate.shape)


def poisson_log_prob(k: Tensor, rate: Tensor) -> Tensor:
    """k log(rate) - rate - log k!, as Loader (2000) evaluates it, so that no digit is lost at large k."""
    return torch.as_tensor(_PoissonLogProb.apply(k, rate))  # type: ignore[no-untyped-call]


class _NegativeBinomialLogProb(Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, mean: Tensor, size: Tensor) -> Tensor:
        ctx.save_for_backward(k, mean, size)
        positive = k > 0
        safe = torch.where(positive, k, torch.ones_like(k))
        # Loader's saddle point: the binomial(k + size, .) at k, times size/(k + size). Each bracket is small
        # where the log-gammas of the textbook form are huge and cancel (0.21 off at size 1e14).
        total = safe + size
        both = size + mean
        ratio = total / both
        towards_size = log1p_minus((safe - mean) / both, ratio)
        towards_count = log1p_minus(size * (mean - safe) / (safe * both), ratio * mean / safe)
        saddle = stirling_error(total) - stirling_error(size) - 0.5 * torch.log1p(safe / size)
        log_prob = saddle + size * towards_size + safe * towards_count - log_count_term(k)
        return torch.where(positive, log_prob, -size * torch.log1p(mean / size))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor]:
        k, mean, size = ctx.saved_tensors
        gradient = gradients[0]
        both = size + mean
        by_mean = gradient * (size * (k - mean) / (mean * both))
        # psi(k + size) - psi(size) + log(size/(size + mean)) + (mean - k)/(size + mean), regrouped so that every
        # part is O(1/size**2) by itself: the plain sum is noise from size 1e8 on.
        total = k + size
        slope = _Log1pMinus.apply((k - mean) / both, total / both)  # type: ignore[no-untyped-call]
        rise = _DigammaMinusLog.apply(total) - _DigammaMinusLog.apply(size)  # type: ignore[no-untyped-call]
        by_size = gradient * (slope + rise)
        return None, by_mean.sum_to_size(mean.shape), by_size.sum_to_size(size.shape)


def negative_binomial_log_prob(k: Tensor, mean: Tensor, size: Tensor) -> Tensor:
    """log C(k + size - 1, k) + k log(mean/(mean + size)) + size log(size/(mean + size)), accurate for every size."""
    return torch.as_tensor(_NegativeBinomialLogProb.apply(k, mean, size))  # type: ignore[no-untyped-call]
