"""Log-probabilities of rows with both derivatives, written by hand for the families that people use most.

Poisson and negative binomial, as they are, zero-inflated, zero-truncated or behind a hurdle; for any other family
autograd serves (``objective``). Everything is differentiated by coordinates that run over all real numbers, the log of
a mean or a size and the logit of a probability, and the link comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from distfit_counts.families.family import Family
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.special import log1mexp
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.regression.link import SOFTPLUS, Link
from distfit_counts.regression.row_model import CountModel, RowModel

# Counts below this are looked up in tables, and y log(mean) - mean - log y! loses no digit worth keeping.
_LOOKED_UP = 1 << 12


@dataclass(frozen=True)
class Counts:
    """``y`` [N]: small counts, as numbers and as ``places`` in a table; ``zero``: which are 0."""

    y: Tensor
    places: Tensor
    zero: Tensor
    log_factorial: Tensor

    @classmethod
    def of(cls, y: Tensor) -> Counts | None:
        """None where a count is too large."""
        if bool(y.amax() >= _LOOKED_UP):
            return None
        places = y.long()
        log_factorials = torch.lgamma(torch.arange(1, int(places.amax()) + 2, dtype=torch.float64))
        return cls(y, places, y == 0, log_factorials.take(places))

    def piece(self, rows: slice) -> Counts:
        return Counts(self.y[rows], self.places[rows], self.zero[rows], self.log_factorial[rows])

    @property
    def nought(self) -> Counts:
        """A zero for every row."""
        zero = torch.zeros(1, dtype=torch.float64)
        return Counts(zero, zero.long(), zero == 0, zero)


@dataclass(frozen=True)
class Curve:
    """Of all rows: ``value`` [B, N], ``slope`` [H][B, N], ``curve`` [B, N] by pairs a <= b, those missing being 0."""

    value: Tensor
    slope: list[Tensor]
    curve: dict[tuple[int, int], Tensor]


LogProb = Callable[[Counts, Sequence[Tensor]], Curve]


def closed_form(model: RowModel, constant: Sequence[bool]) -> LogProb | None:
    """log P(Y = y) by the predictors [B, N], [B, 1] of those that are ``constant``; None: not known by hand.

    A size that differs between rows has no table, and is left to autograd.
    """
    if not isinstance(model, CountModel):
        return None
    by_coordinates = _by_coordinates(model.family)
    heads = dict(zip(model.heads, constant, strict=True))
    if by_coordinates is None or not heads.get("size", True):
        return None
    links = [model.links[head] for head in heads]
    if SOFTPLUS not in links:
        return by_coordinates
    return partial(_through_links, by_coordinates, links)


def _by_coordinates(family: Family) -> LogProb | None:
    bases: dict[type[Family], LogProb] = {Poisson: _poisson, NegativeBinomial: _negative_binomial}
    if not isinstance(family, ZeroInflated | Truncated | Hurdle):
        return bases.get(type(family))
    inner = bases.get(type(family.base))
    if inner is None:
        return None
    around = {ZeroInflated: _zero_inflated, Truncated: _truncated, Hurdle: _hurdle}[type(family)]
    return partial(around, inner)


def _through_links(log_prob: LogProb, links: Sequence[Link], counts: Counts, eta: Sequence[Tensor]) -> Curve:
    """The chain rule for softplus: d log v = s/v and d^2 log v = s (1 - s)/v - (s/v)^2 with s = sigmoid(eta)."""
    at, first = list(eta), [torch.ones(1, dtype=torch.float64)] * len(links)
    second = [torch.zeros(1, dtype=torch.float64)] * len(links)
    for h, link in enumerate(links):
        if link is SOFTPLUS:
            value, s = link.to(eta[h]), torch.sigmoid(eta[h])
            at[h], first[h] = torch.log(value), s / value
            second[h] = s * (1.0 - s) / value - first[h] ** 2
    found = log_prob(counts, at)
    curve = {(a, b): own * first[a] * first[b] for (a, b), own in found.curve.items()}
    curve |= {(h, h): curve[h, h] + slope * second[h] for h, slope in enumerate(found.slope)}
    return Curve(found.value, [slope * own for slope, own in zip(found.slope, first, strict=True)], curve)


def _poisson(counts: Counts, at: Sequence[Tensor]) -> Curve:
    """y t - exp(t) - log y!, t = log(rate)."""
    (log_rate,) = at
    rate = torch.exp(log_rate)
    return Curve(counts.y * log_rate - rate - counts.log_factorial, [counts.y - rate], {(0, 0): -rate})


def _negative_binomial(counts: Counts, at: Sequence[Tensor]) -> Curve:
    """y t - (y + size) log(1 + mean/size) - log y! + sum_{j<y} log(1 + j/size), t = log(mean), s = log(size).

    With q = size/(size + mean) and q_j = size/(size + j): by t it is q (y - mean), by s
    sum q_j - size log(1 + mean/size) - q (y - mean). No term is larger than the counts, whatever the size.
    """
    log_mean, log_size = at
    mean, size = torch.exp(log_mean), torch.exp(log_size)
    ratio = mean / size
    log_ratio = torch.log1p(ratio)
    share = 1.0 / (1.0 + ratio)
    lost, shown = size * log_ratio, share * mean
    logs, first, second = _sums_below(counts, size)
    value = counts.y * (log_mean - log_ratio) - lost - counts.log_factorial + logs
    by_mean = share * (counts.y - mean)
    cross = by_mean - share * by_mean
    curve = {(0, 0): -cross - shown, (0, 1): cross, (1, 1): second - lost + shown - cross}
    return Curve(value, [by_mean, first - lost - by_mean], curve)


def _sums_below(counts: Counts, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over j < y of -log(q_j), q_j and q_j (1 - q_j), q_j = size/(size + j), [B, N]: added up once for all y."""
    j = torch.arange(int(counts.places.amax()), dtype=torch.float64)
    q = size / (size + j)
    terms = torch.stack([torch.log1p(j / size), q, q - q * q])
    sums = torch.nn.functional.pad(terms.cumsum(dim=-1), (1, 0))
    logs, first, second = (own.index_select(-1, counts.places) for own in sums)
    return logs, first, second


def _zero_inflated(inner: LogProb, counts: Counts, at: Sequence[Tensor]) -> Curve:
    """log(1 - pi) + f where y > 0, log(pi + (1 - pi) e^f) where y = 0; f: the base's.

    With S the probability that this count is no structural zero (1 where y > 0) and pi their share before it is seen:
    by the logit (1 - pi) - S, by f S; the second derivatives are those of S, +-S (1 - S), and -pi (1 - pi).
    """
    logit, base = at[0], inner(counts, at[1:])
    log_share = logsigmoid(-logit)
    log_sampled = torch.where(counts.zero, logsigmoid(base.value - logit), 0.0)
    share, sampled = torch.exp(log_share), torch.exp(log_sampled)
    spread = sampled - sampled * sampled
    curve = {(0, 0): spread - share + share * share}
    spreads = [spread * slope for slope in base.slope]
    for h, own in enumerate(spreads, start=1):
        curve[0, h] = -own
    for (a, b), own in base.curve.items():
        curve[a + 1, b + 1] = torch.addcmul(sampled * own, spreads[a], base.slope[b])
    value = base.value + log_share - log_sampled
    return Curve(value, [share - sampled, *(sampled * slope for slope in base.slope)], curve)


def _truncated(inner: LogProb, counts: Counts, at: Sequence[Tensor]) -> Curve:
    """f - log(1 - e^z), z = log P_base(0): by z it is r = 1/(e^-z - 1), the odds of a zero, and twice r (1 + r)."""
    base, zero = inner(counts, at), inner(counts.nought, at)
    odds = 1.0 / torch.expm1(-zero.value)
    bend = odds + odds * odds
    slope = [torch.addcmul(own, odds, other) for own, other in zip(base.slope, zero.slope, strict=True)]
    bends = [bend * own for own in zero.slope]
    curve = {
        (a, b): torch.addcmul(torch.addcmul(own, odds, zero.curve[a, b]), bends[a], zero.slope[b])
        for (a, b), own in base.curve.items()
    }
    return Curve(base.value - log1mexp(zero.value), slope, curve)


def _hurdle(inner: LogProb, counts: Counts, at: Sequence[Tensor]) -> Curve:
    """log p0 where y = 0, log(1 - p0) and the zero-truncated where y > 0: p0 shares no row's curve with the rest."""
    logit, rest = at[0], _truncated(inner, counts, at[1:])
    log_positive = logsigmoid(-logit)
    share = torch.exp(log_positive)
    positive = (~counts.zero).to(torch.float64)
    value = torch.where(counts.zero, log_positive + logit, log_positive + rest.value)
    curve = {(a + 1, b + 1): positive * own for (a, b), own in rest.curve.items()}
    curve[0, 0] = share * (share - 1.0)
    return Curve(value, [share - positive, *(positive * slope for slope in rest.slope)], curve)
