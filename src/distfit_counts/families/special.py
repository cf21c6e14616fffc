"""The special functions that lose digits when written plainly. Everything is float64 and broadcasts.

``log1mexp`` has derivatives under autograd; the others serve ``log_pmf``, which knows its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

HALF_LOG_2PI = 0.918938533204672741780329736406

# From here on the asymptotic series below reach the last digit of float64.
_ASYMPTOTIC = 16.0
# Counts below this are looked up in ``log_count_term``.
_TABULATED = 1 << 12


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Horner's rule, lowest order first."""
    value = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value.mul_(x).add_(coefficient)
    return value


def _piecewise(x: Tensor, series: Callable[[Tensor], Tensor], plain: Callable[[Tensor], Tensor]) -> Tensor:
    """``series(x)`` for large x; ``plain(x)``, which costs ten times as much, only where x is small."""
    small = (x < _ASYMPTOTIC).reshape(-1).nonzero()[:, 0]
    if len(small) == x.numel():
        return plain(x)
    value = series(x.clamp(min=_ASYMPTOTIC))
    if len(small):
        value.view(-1).index_copy_(0, small, plain(x.take(small)))
    return value


def log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(x)) for x < 0 (Maechler 2012, "Accurately computing log(1 - exp(-|a|))")."""
    # Both branches get an argument they can bear: a NaN in the one not taken would poison the gradient.
    near_zero = x > -0.6931471805599453
    small = torch.where(near_zero, x, torch.full_like(x, -1.0))
    large = torch.where(near_zero, torch.full_like(x, -1.0), x)
    return torch.where(near_zero, torch.log(-torch.expm1(small)), torch.log1p(-torch.exp(large)))


def scaled_log1p(mean: Tensor, size: Tensor) -> Tensor:
    """size log(1 + mean/size) > 0, also where the ratio is beyond float64 or has lost its digits below 1e-308."""
    ratio = mean / size
    log1p = torch.where(ratio < 1e300, torch.log1p(ratio), torch.log(mean) - torch.log(size))
    return torch.where(ratio < 1e-20, mean, size * log1p)


def log_softplus(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log(log(1 + e^x)) with both derivatives, r = s/log(1 + e^x) and r (1 - s - r), s = sigmoid(x)."""
    # Where e^x is below rounding it is x itself, and e^x may not even be a number.
    near = x.clamp(min=-37.0)
    value, s = -torch.nn.functional.logsigmoid(-near), torch.sigmoid(near)
    rise = s / value
    far = x < -37.0
    return torch.where(far, x, torch.log(value)), torch.where(far, 1.0, rise), rise * (1.0 - s - rise)


def log1p_minus(x: Tensor, one_plus_x: Tensor) -> Tensor:
    """log(1 + x) - x for x > -1; ``one_plus_x`` is given apart because 1 + x rounds where x is near -1.

    The difference cancels for small x: there log(1+x) = 2 artanh(t), t = x/(2+x), and 2t - x = -xt.
    """
    t = x / (2.0 + x)
    s = t * t
    series = 2.0 * t * s * _polynomial(s, (1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13)) - x * t
    return torch.where(x.abs() < 0.1, series, torch.log(one_plus_x) - x)


def stirling_error(x: Tensor) -> Tensor:
    """log Gamma(x+1) - [(x + 1/2) log x - x + log(2 pi)/2], x > 0 (Loader 2000)."""

    def series(x: Tensor) -> Tensor:
        terms = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
        return _polynomial(1.0 / (x * x), terms) / x

    def plain(x: Tensor) -> Tensor:
        return torch.lgamma(x + 1.0) - (x + 0.5) * torch.log(x) + x - HALF_LOG_2PI

    return _piecewise(x, series, plain)


def digamma_minus_log(x: Tensor) -> Tensor:
    """psi(x) - log x, x > 0."""

    def series(x: Tensor) -> Tensor:
        s = 1.0 / (x * x)
        terms = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12)
        return s * _polynomial(s, terms) - 0.5 / x

    return _piecewise(x, series, lambda x: torch.digamma(x) - torch.log(x))


def trigamma_minus_reciprocal(x: Tensor) -> Tensor:
    """psi'(x) - 1/x, x > 0: the derivative of ``digamma_minus_log``."""

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


def log_count_term(k: Tensor) -> Tensor:
    """log k! - (k log k - k), exact for k = 0: the part of every log-pmf that only the data enter."""
    if not k.numel() or bool(k.amax() >= _TABULATED):
        return _log_count_term(k)
    return _tabulated(k.device).take(k.long())


@cache
def _tabulated(device: torch.device) -> Tensor:
    return _log_count_term(torch.arange(_TABULATED, dtype=torch.float64, device=device))


def _log_count_term(k: Tensor) -> Tensor:
    safe = k.clamp(min=1.0)
    return torch.where(k > 0, stirling_error(safe) + 0.5 * torch.log(safe) + HALF_LOG_2PI, 0.0)
