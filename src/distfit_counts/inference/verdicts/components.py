"""Components of a mixture that are empty, or one and the same; and whether more of them could help."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family, Role
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.nesting import names_of
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated
from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.poisson_mixtures.gap import carried, gap
from distfit_counts.inference.poisson_mixtures.mixing_weights import log_mixture
from distfit_counts.inference.poisson_mixtures.samples import Samples
from distfit_counts.inference.poisson_mixtures.support_points import helps_most
from distfit_counts.inference.selection.ceilings import poisson_mixtures, search
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Estimate, Verdict
from distfit_counts.settings import BOUNDARY_MARGIN

# Log-likelihood units, over all observations, that further components may gain where the optimum is called certified:
# far below anything that could matter, above what float64 leaves of a sum over 1e6 observations.
_CERTIFIED = 1e-4
# The gain that is worth a remark.
_WORTH = 0.01
# Wider data take too long to search for every fit.
_DISTINCT = 1_000


def _weights_of(chunk: Chunk) -> Array:
    """The weights [C, K] of all components; none for a family that is no mixture."""
    weights = names_of(chunk.family, Role.WEIGHT)
    return chunk.estimates.numbers[:, [name in weights for name in chunk.estimates.names], 0]


def _shares(family: Family, values: Mapping[str, Array]) -> Array:
    """Which share [C, K] of what was counted each component explains: its weight, or, where zeros are not its own, the
    weight that it has among the positive counts.
    """
    positive = False
    while isinstance(family, Hurdle | Truncated | ZeroInflated):
        positive |= not isinstance(family, ZeroInflated)
        family = family.base
    if not isinstance(family, Mixture):
        return np.empty((len(next(iter(values.values()), [])), 0))
    with np.errstate(all="ignore"):
        parts = [w * (-np.expm1(part.log_prob_zero(own)) if positive else 1.0) for w, part, own in family.parts(values)]
        # A component without weight has no mean.
        found = np.nan_to_num(np.stack(parts, axis=1))
        return np.asarray(found / found.sum(axis=1, keepdims=True))


def _next_to_nothing(weight: Array, n: Array) -> Bools:
    """Components that explain less than one observation."""
    return np.asarray((weight > 0.0) & (weight * n < 1.0))


def _some_empty(chunk: Chunk) -> Bools:
    values = dict(zip(chunk.estimates.names, chunk.estimates.numbers[:, :, 0].T, strict=True))
    if not values:
        return np.zeros(len(chunk.rows), dtype=bool)
    return np.asarray(_next_to_nothing(_shares(chunk.family, values), chunk.counts.n[:, None]).any(axis=1))


def _empty(facts: Facts) -> list[Verdict]:
    n = facts.histogram.n
    shares = _shares(facts.chunk.family, {name: np.array([e.estimate]) for name, e in facts.estimates.items()})[0]
    return [
        Verdict(
            "mixture.empty_component",
            f"{name} = {value:.2g}: this component stands for less than one of {n:,} counts. Fewer will do.",
        )
        for (name, value), share in zip(_weights(facts).items(), shares, strict=True)
        if _next_to_nothing(share, np.array(n))
    ]


def _mixture(chunk: Chunk) -> Bools:
    return np.full(len(chunk.rows), _weights_of(chunk).shape[1] > 0)


def _kinds(names: Sequence[str], weights: Sequence[str]) -> dict[tuple[str, ...], dict[int, list[str]]]:
    """The components of a mixture by what parameters they have: their numbers, each with the names of its own."""
    found: dict[tuple[str, ...], dict[int, list[str]]] = {}
    for place in range(1, len(weights) + 1):
        suffix = f"[{place}]"
        own = [name for name in names if name.endswith(suffix) and name not in weights]
        if own:
            found.setdefault(tuple(name.removesuffix(suffix) for name in own), {})[place] = own
    return found


def _some_alike(chunk: Chunk) -> Bools:
    """Equal families whose parameters all agree within their standard errors."""
    if chunk.settings.ci == "bootstrap":
        return _mixture(chunk)  # whose standard errors are those of the replicates
    found, names = np.zeros(len(chunk.rows), dtype=bool), chunk.estimates.names
    estimate, error = np.moveaxis(chunk.estimates.numbers, 2, 0)[:2]
    for components in _kinds(names, names_of(chunk.family, Role.WEIGHT)).values():
        places = [[names.index(name) for name in own] for own in components.values()]
        for first, second in itertools.combinations(places, 2):
            with np.errstate(invalid="ignore"):
                apart = np.abs(estimate[:, first] - estimate[:, second])
            found |= (apart <= np.hypot(error[:, first], error[:, second])).all(axis=1)
    return found


def _duplicate(facts: Facts) -> list[Verdict]:
    """The same of one column, by the errors that it is given."""
    found, estimates = [], facts.estimates
    for components in _kinds(tuple(estimates), names_of(facts.chunk.family, Role.WEIGHT)).values():
        known = {p: own for p, own in components.items() if all(math.isfinite(estimates[n].std_error) for n in own)}
        for first, second in itertools.combinations(known, 2):
            pairs = zip(known[first], known[second], strict=True)
            if all(_same(estimates[name], estimates[other]) for name, other in pairs):
                message = (
                    f"Components {first} and {second} agree within one standard error: the data hardly tell them "
                    "apart. Try one component fewer."
                )
                found.append(Verdict("mixture.duplicate_components", message))
    return found


def _seen(facts: Facts) -> tuple[Array, Array, Array]:
    """The counts, how often each was seen, and their fitted log-pmf."""
    histogram = facts.histogram
    counts, weights = histogram.values.astype(np.float64), histogram.weights.astype(np.float64)
    return counts, weights, facts.chunk.log_pmf[facts.at, : len(counts)]


def _certificate(facts: Facts) -> str | None:
    """Of a finite Poisson mixture: whether any mixing distribution could do better.

    Lindsay's gradient function at the fit bounds what there is to gain, so it need not be asked where the best mixture
    of all gains too much; nor where what it says of that one, which is known, is enough for the fit.
    """
    left = _to_gain(facts)
    if left > _CERTIFIED:
        return "mixture.more_components" if left >= _WORTH else None
    return "optimum.certified" if _carried(facts) <= _CERTIFIED or _bound(facts) <= _CERTIFIED else None


def _certificates(columns: Sequence[Facts]) -> list[str | None]:
    """Of many; their ceilings are searched together."""
    search([facts.histogram for facts in columns])
    return list(map(_certificate, columns))


def _to_gain(facts: Facts) -> float:
    """How many log-likelihood units the best Poisson mixture of all lies above the fit; 0 where it is not known."""
    ceiling = poisson_mixtures(facts.histogram)
    return 0.0 if ceiling is None else ceiling.log_likelihood - float(facts.chunk.log_likelihood[facts.at])


def _carried(facts: Facts) -> float:
    """What any Poisson mixture can gain at most, from what it can gain over the best of all."""
    ceiling, (counts, weights, log_fitted), n = poisson_mixtures(facts.histogram), _seen(facts), facts.histogram.n
    if ceiling is None:
        return math.inf
    samples = Samples.of([(counts, weights)])
    log_best = log_mixture(samples, np.sqrt([ceiling.rates]), np.array([ceiling.weights]))[0]
    return ceiling.gap + n * carried(log_best, log_fitted)


def _bound(facts: Facts) -> float:
    """The same by the gradient function at the fit itself."""
    n = facts.histogram.n
    return n * gap(*_seen(facts), enough=_CERTIFIED / n).bound


def _certified(facts: Facts) -> list[Verdict]:
    code = _certificate(facts)
    if code is None:
        return []
    return [_nothing_to_gain(_bound(facts)) if code == "optimum.certified" else _more_to_gain(facts)]


def _nothing_to_gain(gain: float) -> Verdict:
    # At the top the bound is rounding error, of either sign.
    most = "nothing at all" if gain <= BOUNDARY_MARGIN else f"at most {gain:.1e} log-likelihood units"
    message = (
        "The global optimum, certified: no Poisson mixture, with however many components, has a higher likelihood "
        f"(Lindsay's gradient function: {most} to gain)."
    )
    return Verdict("optimum.certified", message, reassuring=True)


def _more_to_gain(facts: Facts) -> Verdict:
    ceiling, left, price = poisson_mixtures(facts.histogram), _to_gain(facts), math.log(facts.histogram.n)
    assert ceiling is not None
    message = (
        f"More components could raise the log-likelihood by {left:.3g}, to that of the best Poisson mixture, which has "
        f"{len(ceiling.rates)}; BIC charges {price:.3g} for each. A further one helps most at a rate of "
        f"{helps_most(*_seen(facts)):.4g} (Lindsay's gradient function)."
    )
    return Verdict("mixture.more_components", message, reassuring=left <= price)


def _weights(facts: Facts) -> dict[str, float]:
    return {name: facts.estimates[name].estimate for name in names_of(facts.chunk.family, Role.WEIGHT)}


def _same(first: Estimate, second: Estimate) -> bool:
    error = math.hypot(first.std_error, second.std_error)
    return bool(abs(first.estimate - second.estimate) <= error)


def _finite_mixture(chunk: Chunk) -> Bools:
    """Whether it is a sum of single Poissons (one may be left), one of which may have the rate 0."""
    found = np.zeros(len(chunk.rows), dtype=bool)
    for group in chunk.groups:
        family = group.family
        single = all(isinstance(part, Poisson | PointMass) for _, part, _ in family.parts(group.values))
        found[group.at] = family.poisson_mixture and single
    narrow = np.array([histogram.distinct <= _DISTINCT for histogram in chunk.histograms])
    return np.asarray(found & narrow & _mixture(chunk))


EMPTY = Rule(_some_empty, _empty)
DUPLICATE = Rule(_some_alike, _duplicate)
CERTIFICATE = Rule(_finite_mixture, _certified, _certificates)
