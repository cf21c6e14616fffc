"""The closed forms of the combinators that treat zeros apart: zero-inflated, zero-truncated and hurdle."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from distfit_counts.families.closed_form.derivatives import Derivatives, bordered, outer


class OfTruncated(Derivatives):
    """log f(k) - t(log f(0)) for k > 0, with t(a) = log(1 - exp(a)), t' = -1/(exp(-a) - 1) and t'' = t' (1 - t').

    ``base`` at counts none of which is 0 where ``positive`` is true; ``zero`` the base at 0, [Q, ..., 1].
    """

    def __init__(self, base: Derivatives, zero: Derivatives, log_positive: Tensor, positive: Tensor) -> None:
        self._base, self._zero, self._positive = base, zero, positive
        self._rise = -1.0 / torch.expm1(-zero.log_prob)
        self.log_prob = torch.where(positive, base.log_prob - log_positive, -torch.inf)
        self.first = (base.first - self._rise * zero.first) * positive

    def second(self, weight: Tensor) -> Tensor:
        weight = weight * self._positive
        total, rise = weight.sum(dim=-1, keepdim=True), self._rise
        curve = (total * rise * (1.0 - rise))[..., None] * outer(self._zero.first)
        return self._base.second(weight) - curve - self._zero.second(total * rise)


class OfHurdle(Derivatives):
    """log p0 at 0 and log(1 - p0) + log f(k) above; ``part`` the positive part, at counts none of which is 0."""

    def __init__(self, logit: Tensor, part: Derivatives, is_zero: Tensor) -> None:
        self._part, self._positive = part, ~is_zero
        self._p0, self._rest = torch.sigmoid(logit), torch.sigmoid(-logit)
        self.log_prob = torch.where(is_zero, logsigmoid(logit), logsigmoid(-logit) + part.log_prob)
        by_logit = torch.where(is_zero, self._rest, -self._p0)
        self.first = torch.cat([by_logit[None], part.first * self._positive])

    def second(self, weight: Tensor) -> Tensor:
        inner = self._part.second(weight * self._positive)
        by_logit = -self._p0 * self._rest * weight.sum(dim=-1, keepdim=True)
        return bordered(by_logit, torch.zeros_like(inner[..., 0]), inner)


class OfZeroInflated(Derivatives):
    """log(pi + (1 - pi) f(0)) at 0 and log(1 - pi) + log f(k) above.

    With a = log f(0) and the shares s = pi/p(0), b = (1 - pi) f(0)/p(0) of the two kinds of zero, the first at 0 is
    z(logit, a): dz/dlogit = s (1 - pi)(1 - f(0)), dz/da = b; no difference of these cancels where f(0) or pi is near 1.
    """

    def __init__(self, logit: Tensor, base: Derivatives, zero: Derivatives, at_zero: Tensor, is_zero: Tensor) -> None:
        self._base, self._zero, self._is_zero = base, zero, is_zero
        self._pi, self._rest = torch.sigmoid(logit), torch.sigmoid(-logit)
        self._structural = torch.exp(logsigmoid(logit) - at_zero)
        self._counted = torch.exp(logsigmoid(-logit) + zero.log_prob - at_zero)
        self._by_logit = self._structural * self._rest * -torch.expm1(zero.log_prob)
        self.log_prob = torch.where(is_zero, at_zero, logsigmoid(-logit) + base.log_prob)
        self._kept = torch.where(is_zero, self._counted, 1.0)
        by_logit = torch.where(is_zero, self._by_logit, -self._pi)
        self.first = torch.cat([by_logit[None], base.first * self._kept])

    def second(self, weight: Tensor) -> Tensor:
        zeros = (weight * self._is_zero).sum(dim=-1, keepdim=True)
        others = weight.sum(dim=-1, keepdim=True) - zeros
        pi, slope = self._pi, self._zero.first
        logit_logit = zeros * self._by_logit * (1.0 - 2.0 * pi - self._by_logit) - others * pi * self._rest
        across = (-zeros * self._counted * (pi + self._by_logit) * slope)[..., 0].movedim(0, -1)
        inner = self._base.second(weight * self._kept)
        inner = inner + (zeros * self._counted * self._structural)[..., None] * outer(slope)
        return bordered(logit_logit, across, inner)
