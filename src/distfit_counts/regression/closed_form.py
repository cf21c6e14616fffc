"""Log-probabilities of rows with both derivatives in closed form, for every family of the family language.

Everything is differentiated by coordinates that run over all real numbers, the log of a mean or a size, the logit of a
probability and the log-ratios of weights, and the link comes last. In these coordinates nothing overflows that does
not have to: a rate of e^-700 has derivatives of ordinary size, where those by the rate itself are beyond float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from distfit_counts.families.family import Family
from distfit_counts.families.geometric import Geometric
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.log_pmf import LogGammas
from distfit_counts.families.log_series import LogSeries
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.special import log1p_minus, log_count_term, log_softplus
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.regression.link import Link
from distfit_counts.regression.row_model import CountModel, RowModel

# Counts below this are looked up in tables, and y log(mean) - mean - log y! loses no digit worth keeping.
_LOOKED_UP = 1 << 12


@dataclass(frozen=True)
class Counts:
    """``y`` [N] or [C, N]; ``zero``: which are 0. ``places``: y as places in a table, None where some are too large.

    ``constant``: log y!, or log y! - (y log y - y) where some are too large.
    """

    y: Tensor
    zero: Tensor
    places: Tensor | None
    constant: Tensor

    @classmethod
    def of(cls, y: Tensor) -> Counts:
        if bool(y.amax() >= _LOOKED_UP):
            return cls(y, y == 0, None, log_count_term(y))
        places = y.long()
        log_factorials = torch.lgamma(torch.arange(1, int(places.amax()) + 2, dtype=torch.float64))
        return cls(y, y == 0, places, log_factorials.take(places))

    def piece(self, rows: slice, column: Tensor) -> Counts:
        """Some of the rows, of C problems those of ``column`` [B]."""

        def of(data: Tensor) -> Tensor:
            return data[rows] if data.dim() == 1 else data[column, rows]

        return Counts(of(self.y), of(self.zero), None if self.places is None else of(self.places), of(self.constant))


@dataclass(frozen=True)
class Curve:
    """Of all rows: ``value`` [B, N], ``slope`` [H][B, N], ``curve`` [B, N] by pairs a <= b, those missing being 0."""

    value: Tensor
    slope: list[Tensor]
    curve: dict[tuple[int, int], Tensor]


Coordinates = Sequence[Tensor]
LogProb = Callable[[Counts, Coordinates], Curve]


@dataclass(frozen=True)
class Form:
    """A family by its coordinates: log P(Y = y), and log P(Y > 0) without cancellation where zeros are nearly all there
    is.
    """

    log_prob: LogProb
    log_positive: Callable[[Coordinates], Curve]


def closed_form(model: RowModel) -> LogProb | None:
    """log P(Y = y) by the predictors [B, N], [B, 1] of those that are constant; None: the family or a link is none
    that is known here.
    """
    form = form_of(model.family) if isinstance(model, CountModel) else None
    if form is None:
        return None
    links = [model.links[head] for head in model.heads]
    if all(link.is_coordinate for link in links):
        return form.log_prob
    if not all(link.has_coordinate for link in links):
        return None
    return partial(_through_links, form.log_prob, links)


def form_of(family: Family) -> Form | None:
    """By the exact type: a family derived from one of these may have another log-pmf."""
    find = _FORMS.get(type(family))
    return find(family) if find else None


def _through_links(log_prob: LogProb, links: Sequence[Link], counts: Counts, eta: Coordinates) -> Curve:
    """The chain rule for links whose coordinate is not eta itself."""
    at, first = list(eta), [torch.ones(1, dtype=torch.float64)] * len(links)
    second = [torch.zeros(1, dtype=torch.float64)] * len(links)
    for h, link in enumerate(links):
        if not link.is_coordinate:
            at[h], first[h], second[h] = link.coordinate(eta[h])
    found = log_prob(counts, at)
    curve = {(a, b): own * first[a] * first[b] for (a, b), own in found.curve.items()}
    for h, slope in enumerate(found.slope):
        bent = slope * second[h]
        curve[h, h] = curve[h, h] + bent if (h, h) in curve else bent
    return Curve(found.value, [slope * own for slope, own in zip(found.slope, first, strict=True)], curve)


def _weighted(weight: Tensor, value: Tensor) -> Tensor:
    """weight * value, 0 where the weight is: a mean beyond float64 has an infinite slope, and 0 inf would be NaN."""
    return torch.where(weight == 0.0, 0.0, weight * value)


def _poisson(counts: Counts, at: Coordinates) -> Curve:
    """y t - exp(t) - log y!, t = log(rate); of large counts by Loader's deviance, without its cancelling terms."""
    (log_rate,) = at
    rate = torch.exp(log_rate)
    if counts.places is None:
        safe = counts.y.clamp(min=1.0)
        deviance = safe * log1p_minus((rate - safe) / safe, rate / safe)
        value = torch.where(counts.zero, -rate, deviance - counts.constant)
    else:
        value = counts.y * log_rate - rate - counts.constant
    return Curve(value, [counts.y - rate], {(0, 0): -rate})


def _poisson_positive(at: Coordinates) -> Curve:
    (log_rate,) = at
    value, first, second = _any_of(log_rate)
    return Curve(value, [first], {(0, 0): second})


def _any_of(log_rate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log(1 - exp(-u)) with both derivatives by log u: b = u/(e^u - 1), and b (1 - b - u)."""
    rate = torch.exp(log_rate)
    # b is 1 to the last digit below, and 0 above.
    u = rate.clamp(min=1e-300, max=700.0)
    odds = u / torch.expm1(u)
    few = log_rate + torch.log(-torch.expm1(-u) / u)
    return torch.where(rate < 0.7, few, torch.log1p(-torch.exp(-rate))), odds, odds * (1.0 - odds - u)


def _geometric(counts: Counts, at: Coordinates) -> Curve:
    """y log(m/(1 + m)) - log(1 + m), t = log(m)."""
    (t,) = at
    up, down = torch.sigmoid(t), torch.sigmoid(-t)
    value = counts.y * logsigmoid(t) + logsigmoid(-t)
    return Curve(value, [counts.y * down - up], {(0, 0): -(counts.y + 1.0) * (up * down)})


def _geometric_positive(at: Coordinates) -> Curve:
    (t,) = at
    return Curve(logsigmoid(t), [torch.sigmoid(-t)], {(0, 0): -torch.sigmoid(t) * torch.sigmoid(-t)})


def _negative_binomial(counts: Counts, at: Coordinates) -> Curve:
    """y t - (y + size) log(1 + mean/size) - log y! + sum_{j<y} log(1 + j/size), t = log(mean), s = log(size).

    With q = size/(size + mean) and q_j = size/(size + j): by t it is q (y - mean), by s
    sum q_j - size log(1 + mean/size) - q (y - mean). No term is larger than the counts, whatever the size.
    """
    log_mean, log_size = at
    size, share = torch.exp(log_size), torch.sigmoid(log_size - log_mean)
    log_share = logsigmoid(log_size - log_mean)  # log q
    lost, shown = -size * log_share, torch.exp(log_mean + log_share)
    by_mean = share * counts.y - shown
    cross = by_mean - share * by_mean
    if counts.places is None or size.shape[-1] > 1:
        # A table holds neither large counts nor a size that differs between rows.
        sums = LogGammas(counts.y, torch.exp(log_mean), size)
        value = torch.where(counts.zero, -lost, sums.log_prob())
        # Squares of a size that is smaller still are no float64; of its sums only the terms of j = 0 are left there.
        tiny, any_count = size < 1e-100, torch.where(counts.zero, 0.0, 1.0)
        by_size = torch.where(tiny, any_count - lost - by_mean, size * sums.by_size())
        size_size = torch.where(tiny, shown - lost - cross, by_size + size * (size * sums.by_size_twice()))
    else:
        logs, first, second = _sums_below(counts, counts.places, size)
        value = counts.y * (log_mean + log_share) - lost - counts.constant + logs
        by_size = first - lost - by_mean
        size_size = second - lost + shown - cross
    return Curve(value, [by_mean, by_size], {(0, 0): -cross - shown, (0, 1): cross, (1, 1): size_size})


def _sums_below(counts: Counts, places: Tensor, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over j < y of -log(q_j), q_j and q_j (1 - q_j), q_j = size/(size + j), [B, N]: added up once for all y."""
    j = torch.arange(int(places.amax()), dtype=torch.float64)
    q = size / (size + j)
    terms = torch.stack([torch.log1p(j / size), q, q - q * q])
    sums = torch.nn.functional.pad(terms.cumsum(dim=-1), (1, 0))
    if places.dim() == 1:
        logs, first, second = (own.index_select(-1, places) for own in sums)
    else:
        logs, first, second = (own.gather(-1, places) for own in sums)
    return logs, first, second


def _negative_binomial_positive(at: Coordinates) -> Curve:
    """-log P(Y = 0) = size log(1 + mean/size) plays the part of a Poisson's rate."""
    log_mean, log_size = at
    log_ratio, rise, bend = log_softplus(log_mean - log_size)
    value, first, second = _any_of(log_size + log_ratio)
    fall, bent = 1.0 - rise, first * bend
    curve = {
        (0, 0): second * rise * rise + bent,
        (0, 1): second * rise * fall - bent,
        (1, 1): second * fall * fall + bent,
    }
    return Curve(value, [first * rise, first * fall], curve)


def _log_series(counts: Counts, at: Coordinates) -> Curve:
    """(y - 1) log q + log q - log(-log(1 - q)) - log y, by the logit of q."""
    (logit,) = at
    log_q, up, down = logsigmoid(logit), torch.sigmoid(logit), torch.sigmoid(-logit)
    log_norm, rise, bend = log_softplus(logit)
    safe = counts.y.clamp(min=1.0)
    value = torch.where(counts.zero, -torch.inf, (safe - 1.0) * log_q + (log_q - log_norm) - torch.log(safe))
    return Curve(value, [safe * down - rise], {(0, 0): -safe * (up * down) - bend})


def _point(value: int, counts: Counts, at: Coordinates) -> Curve:
    return Curve(torch.where(counts.y == value, 0.0, -torch.inf), [], {})


def _never(width: int, value: float, at: Coordinates) -> Curve:
    """log P(Y > 0) where it is the same whatever the ``width`` parameters."""
    none = torch.zeros(1, 1, dtype=torch.float64)
    return Curve(none + value, [none] * width, {})


def _zero_inflated(base: LogProb, counts: Counts, at: Coordinates) -> Curve:
    """log(1 - pi) + f where y > 0, log(pi + (1 - pi) e^f) where y = 0; f: the base's.

    With S the probability that this count is no structural zero (1 where y > 0) and pi their share before it is seen:
    by the logit (1 - pi) - S, by f S; the second derivatives are those of S, +-S (1 - S), and -pi (1 - pi).
    """
    logit, own = at[0], base(counts, at[1:])
    log_share, log_pi = logsigmoid(-logit), logsigmoid(logit)
    share, pi = torch.exp(log_share), torch.exp(log_pi)
    # Where most counts of the base are zeros, through 1 - (1 - pi)(1 - e^f); elsewhere as a sum of exponentials, never
    # as f less a logarithm near it: where f is -1e17, that would lose all of log pi.
    often = torch.log1p(share * torch.expm1(own.value.clamp(max=0.0)))
    seldom = torch.logaddexp(log_pi, log_share + own.value)
    at_zero = torch.where(own.value > -0.6931471805599453, often, seldom)
    structural = torch.where(counts.zero, torch.exp(log_pi - at_zero), 0.0)
    sampled = torch.where(counts.zero, torch.exp(log_share + own.value - at_zero), 1.0)
    spread = structural * sampled
    # (1 - pi) - S and its own derivative, without their differences.
    by_logit = torch.where(counts.zero, structural * share * -torch.expm1(own.value), -pi)
    curve = {(0, 0): torch.where(counts.zero, by_logit * (1.0 - 2.0 * pi - by_logit), -pi * share)}
    spreads = [_weighted(spread, slope) for slope in own.slope]
    for h, each in enumerate(spreads, start=1):
        curve[0, h] = -each
    for a, b in _pairs(len(own.slope)):
        each = _weighted(spreads[a], own.slope[b])
        curve[a + 1, b + 1] = each + _weighted(sampled, own.curve[a, b]) if (a, b) in own.curve else each
    value = torch.where(counts.zero, at_zero, own.value + log_share)
    slope = [by_logit, *(_weighted(sampled, each) for each in own.slope)]
    return Curve(value, slope, curve)


def _zero_inflated_positive(base: Callable[[Coordinates], Curve], at: Coordinates) -> Curve:
    """log(1 - pi) and the base's own."""
    return _beside(_not(at[0]), base(at[1:]))


def _truncated(base: Form, counts: Counts, at: Coordinates) -> Curve:
    """f - log P_base(Y > 0) where y > 0."""
    own, positive = base.log_prob(counts, at), base.log_positive(at)
    slope = [a - b for a, b in zip(own.slope, positive.slope, strict=True)]
    curve = dict(own.curve)
    for pair, each in positive.curve.items():
        curve[pair] = curve[pair] - each if pair in curve else -each
    return Curve(torch.where(counts.zero, -torch.inf, own.value - positive.value), slope, curve)


def _hurdle(part: LogProb, counts: Counts, at: Coordinates) -> Curve:
    """log p0 where y = 0, log(1 - p0) and the positive part where y > 0: p0 shares no row's curve with the rest."""
    own, none = part(counts, at[1:]), _not(at[0])
    value = torch.where(counts.zero, logsigmoid(at[0]), none.value + own.value)
    by_logit = none.slope[0] + torch.where(counts.zero, 1.0, 0.0)
    rest = Curve(
        value,
        [torch.where(counts.zero, 0.0, slope) for slope in own.slope],
        {pair: torch.where(counts.zero, 0.0, each) for pair, each in own.curve.items()},
    )
    return _beside(Curve(value, [by_logit], none.curve), rest, value)


def _hurdle_positive(width: int, at: Coordinates) -> Curve:
    return _beside(_not(at[0]), _never(width, 0.0, at))


def _not(logit: Tensor) -> Curve:
    """log(1 - p) by the logit of p."""
    p = torch.sigmoid(logit)
    return Curve(logsigmoid(-logit), [-p], {(0, 0): -p * torch.sigmoid(-logit)})


def _beside(first: Curve, rest: Curve, value: Tensor | None = None) -> Curve:
    """The sum of what depends on different coordinates, or another ``value`` with its derivatives."""
    at = len(first.slope)
    curve = first.curve | {(a + at, b + at): each for (a, b), each in rest.curve.items()}
    return Curve(first.value + rest.value if value is None else value, [*first.slope, *rest.slope], curve)


def _mixture(parts: Sequence[tuple[int, LogProb]], counts: Counts, at: Coordinates) -> Curve:
    logits, own = _dealt([width for width, _ in parts], at)
    return _mixed(logits, [log_prob(counts, each) for (_, log_prob), each in zip(parts, own, strict=True)])


def _mixture_positive(parts: Sequence[tuple[int, Callable[[Coordinates], Curve]]], at: Coordinates) -> Curve:
    logits, own = _dealt([width for width, _ in parts], at)
    return _mixed(logits, [positive(each) for (_, positive), each in zip(parts, own, strict=True)])


def _dealt(widths: Sequence[int], at: Coordinates) -> tuple[Coordinates, list[Coordinates]]:
    """The log-ratios of the weights, and the coordinates of each component."""
    begin, found = len(widths) - 1, []
    for width in widths:
        found.append(at[begin : begin + width])
        begin += width
    return at[: len(widths) - 1], found


def _mixed(logits: Coordinates, parts: Sequence[Curve]) -> Curve:
    """log sum_j w_j e^f_j; with r_j the share of component j, by its logit r_j - w_j and by its own coordinates
    r_j f_j'; within a component r_j f_j'' + r_j (1 - r_j) f_j' f_j'^T, between two -r_j r_l f_j' f_l'^T.
    """
    log_weight = torch.log_softmax(torch.stack([*logits, torch.zeros_like(logits[0])]), dim=0)
    weight, k = log_weight.exp(), len(parts)
    joint = torch.stack(torch.broadcast_tensors(*(log_weight[j] + part.value for j, part in enumerate(parts))))
    # Where every part is log 0, the shares are 0, not the NaN of 0/0; elsewhere the largest makes the total >= 1.
    largest = joint.amax(dim=0).clamp(min=-1e308)
    share = torch.exp(joint - largest)
    total = share.sum(dim=0)
    share = share / total.clamp(min=1.0)
    # As a difference from 1 they would lose the digits of a component that has nearly all of a count.
    others = [reduce(torch.add, [share[i] for i in range(k) if i != j]) for j in range(k)]
    rest = [1.0 - weight[j] for j in range(k - 1)]
    slope = [share[j] - weight[j] for j in range(k - 1)]
    curve = {(j, j): share[j] * others[j] - weight[j] * rest[j] for j in range(k - 1)}
    curve |= {(i, j): weight[i] * weight[j] - share[i] * share[j] for i, j in _pairs(k - 1) if i != j}
    place, places = k - 1, list[tuple[int, list[Tensor]]]()
    for j, part in enumerate(parts):
        own = [_weighted(share[j], each) for each in part.slope]
        for i in range(k - 1):
            against = others[j] if i == j else -share[i]
            curve |= {(i, place + a): against * each for a, each in enumerate(own)}
        for a, b in _pairs(len(own)):
            each = _weighted(others[j] * own[a], part.slope[b])
            if (a, b) in part.curve:
                each = each + _weighted(share[j], part.curve[a, b])
            curve[place + a, place + b] = each
        for before, earlier in places:
            curve |= {(before + a, place + b): -one * two for a, one in enumerate(earlier) for b, two in enumerate(own)}
        places.append((place, own))
        slope += own
        place += len(own)
    return Curve(largest + total.log(), slope, curve)


def _pairs(width: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(width) for b in range(a, width)]


def _form_of_zero_inflated(family: ZeroInflated) -> Form | None:
    base = form_of(family.base)
    if base is None:
        return None
    # Over a base without zeros every zero is structural: a hurdle whose positive part is the base.
    around = _hurdle if family.base.lowest > 0 else _zero_inflated
    return Form(partial(around, base.log_prob), partial(_zero_inflated_positive, base.log_positive))


def _form_of_truncated(family: Truncated) -> Form | None:
    base = form_of(family.base)
    return base and Form(partial(_truncated, base), partial(_never, family.n_parameters, 0.0))


def _form_of_hurdle(family: Hurdle) -> Form | None:
    part = form_of(family.positive_part)
    return part and Form(partial(_hurdle, part.log_prob), partial(_hurdle_positive, family.base.n_parameters))


def _form_of_mixture(family: Mixture) -> Form | None:
    forms = [(component.n_parameters, form_of(component)) for component in family.components]
    known = [(width, form) for width, form in forms if form is not None]
    if len(known) < len(forms):
        return None
    log_prob = partial(_mixture, [(width, form.log_prob) for width, form in known])
    return Form(log_prob, partial(_mixture_positive, [(width, form.log_positive) for width, form in known]))


def _form_of_point(family: PointMass) -> Form:
    return Form(partial(_point, family.value), partial(_never, 0, 0.0 if family.value else -torch.inf))


_FORMS: dict[type[Family], Callable[[Any], Form | None]] = {
    Poisson: lambda _: Form(_poisson, _poisson_positive),
    Geometric: lambda _: Form(_geometric, _geometric_positive),
    NegativeBinomial: lambda _: Form(_negative_binomial, _negative_binomial_positive),
    LogSeries: lambda _: Form(_log_series, partial(_never, 1, 0.0)),
    PointMass: _form_of_point,
    ZeroInflated: _form_of_zero_inflated,
    Truncated: _form_of_truncated,
    Hurdle: _form_of_hurdle,
    Mixture: _form_of_mixture,
}
