"""Components of a mixture that are empty, or one and the same; and whether more of them could help."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson import Poisson
from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.fitted.reached import log_pmf
from distfit_counts.inference.poisson_mixtures.room import room
from distfit_counts.inference.selection.ceilings import poisson_mixtures, search
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.result import Verdict
from distfit_counts.settings import BOUNDARY_MARGIN

# Log-likelihood units, over all observations, that further components may gain where the optimum is called certified:
# far below anything that could matter, above what float64 leaves of a sum over 1e6 observations.
_CERTIFIED = 1e-4
# The gain that is worth a remark.
_WORTH = 0.01
# Wider data take too long to search for every fit.
_DISTINCT = 1_000
# Of a few families, judged side by side, the chunks that are in hand.
_CHUNKS = 16


def _weights_of(chunk: Chunk) -> Array:
    """The weights [C, K] of all components; none for a family that is no mixture."""
    return chunk.estimates.numbers[:, [name.startswith("weight[") for name in chunk.estimates.names], 0]


def _next_to_nothing(weight: Array, n: Array) -> Bools:
    """Components that explain less than one observation."""
    return np.asarray((weight > 0.0) & (weight * n < 1.0))


def _some_empty(chunk: Chunk) -> Bools:
    return np.asarray(_next_to_nothing(_weights_of(chunk), chunk.counts.n[:, None]).any(axis=1))


def _empty(facts: Facts) -> list[Verdict]:
    n = facts.histogram.n
    return [
        Verdict(
            "mixture.empty_component",
            f"{name} = {value:.2g}: this component stands for less than one of {n:,} counts. Fewer will do.",
        )
        for name, value in _weights(facts).items()
        if _next_to_nothing(np.array(value), np.array(n))
    ]


def _mixture(chunk: Chunk) -> Bools:
    return np.full(len(chunk.rows), _weights_of(chunk).shape[1] > 0)


def _duplicate(facts: Facts) -> list[Verdict]:
    """Equal families whose parameters all agree within their standard errors."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for place in range(1, len(_weights(facts)) + 1):
        suffix = f"[{place}]"
        own = {
            name.removesuffix(suffix): e
            for name, e in facts.estimates.items()
            if name.endswith(suffix) and not name.startswith("weight")
        }
        if own and all(math.isfinite(e.std_error) for e in own.values()):
            parts.setdefault(",".join(own), []).append(own | {"": place})
    found = []
    for alike in parts.values():
        for first, second in itertools.combinations(alike, 2):
            if all(_same(first[name], second[name]) for name in first if name):
                message = (
                    f"Components {first['']} and {second['']} agree within one standard error: the data hardly tell "
                    "them apart. Try one component fewer."
                )
                found.append(Verdict("mixture.duplicate_components", message))
    return found


@lru_cache(maxsize=_CHUNKS)
def _room(chunk: Chunk) -> tuple[Array, Array]:
    """Of the columns with a finite Poisson mixture, the others NaN: what any mixture can gain at most over its fit [C],
    in log-likelihood units, and the rate [C] of the component that helps most. Where there is something to gain the
    ceilings are searched, of all columns together."""
    gain, rate = np.full((2, len(chunk.rows)), np.nan)
    where = _finite_mixture(chunk).nonzero()[0]
    columns, fitted = [], []
    for at in where.tolist():
        (group, i), histogram = chunk.group_of[at], chunk.histograms[at]
        columns.append((histogram.values.astype(np.float64), histogram.weights.astype(np.float64)))
        fitted.append(log_pmf(group.family, group.at_values(i), columns[-1][0]))
    n = np.array([chunk.histograms[at].n for at in where.tolist()])
    # That there is more to gain than that, as for most fits, is seen at once; how much exactly nobody asks.
    bound, rate[where] = room(columns, fitted, _CERTIFIED / n)
    gain[where] = n * bound
    search([chunk.histograms[at] for at in np.flatnonzero(gain > _CERTIFIED).tolist()])
    return gain, rate


def _certificate(facts: Facts) -> list[Verdict]:
    """Of a finite Poisson mixture: Lindsay's gradient function says whether any mixing distribution could do better."""
    histogram, (gains, rates) = facts.histogram, _room(facts.chunk)
    gain, rate = float(gains[facts.at]), float(rates[facts.at])
    if gain <= _CERTIFIED:
        # At the top the bound is rounding error, of either sign.
        most = "nothing at all" if gain <= BOUNDARY_MARGIN else f"at most {gain:.1e} log-likelihood units"
        message = (
            "The global optimum, certified: no Poisson mixture, with however many components, has a higher likelihood "
            f"(Lindsay's gradient function: {most} to gain)."
        )
        return [Verdict("optimum.certified", message, reassuring=True)]
    # Far from the maximum the gradient function's bound is loose: the maximum itself says what there is to gain.
    ceiling = poisson_mixtures(histogram)
    left = 0.0 if ceiling is None else ceiling.log_likelihood - float(facts.chunk.log_likelihood[facts.at])
    if ceiling is None or left < _WORTH:
        return []
    price = math.log(histogram.n)
    message = (
        f"More components could raise the log-likelihood by {left:.3g}, to that of the best Poisson mixture, which has "
        f"{len(ceiling.rates)}; BIC charges {price:.3g} for each. A further one helps most at a rate of "
        f"{rate:.4g} (Lindsay's gradient function)."
    )
    return [Verdict("mixture.more_components", message, reassuring=left <= price)]


def _weights(facts: Facts) -> dict[str, float]:
    return {name: e.estimate for name, e in facts.estimates.items() if name.startswith("weight[")}


def _same(first: Any, second: Any) -> bool:
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
DUPLICATE = Rule(_mixture, _duplicate)
CERTIFICATE = Rule(_finite_mixture, _certificate)
