"""How many components a mixture has: BIC, ICL, and the bootstrap likelihood ratio."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from distfit_counts.comparison import Components
from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Family
from distfit_counts.families.spec import parse
from distfit_counts.inference.chunk import Chunk
from distfit_counts.inference.fitted.reached import log_pmfs
from distfit_counts.inference.selection.criteria import bic, icl, membership_entropy
from distfit_counts.result import HypothesisTest

# A further component is kept where the simulated p-value is no larger.
_LEVEL = 0.05


def series(specs: Sequence[str]) -> dict[str, dict[int, str]]:
    """Families that differ only in their number of components: component -> {K: spec}, for at least two Ks."""
    found: dict[str, dict[int, str]] = {}
    for spec in specs:
        family = parse(spec)
        parts = family.mixes
        if len(set(parts)) == 1:
            found.setdefault(parts[0].spec, {})[len(parts)] = spec
    return {component: dict(sorted(ks.items())) for component, ks in found.items() if len(ks) > 1}


def classification(chunk: Chunk) -> Array:
    """ICL [C]: BIC plus twice the entropy of the memberships of the components."""
    found = bic(chunk.log_likelihood, chunk.family.n_parameters, chunk.counts.n)
    for group in chunk.groups:
        own = doubt(group.family, group.values, chunk.counts.k[group.at], chunk.counts.w[group.at])
        found[group.at] = icl(found[group.at], own)
    return found


def doubt(family: Family, values: Mapping[str, Array], k: Array, w: Array) -> Array:
    """Entropy [G] of the memberships of counts ``k`` with weights ``w`` [G, V] under models with ``values`` [G]."""
    parts = family.parts(values)
    if len(parts) == 1:
        return np.zeros(len(k))
    with np.errstate(divide="ignore"):
        logs = [np.log(weight)[:, None] + log_pmfs(part, own, k) for weight, part, own in parts]
    return membership_entropy(np.stack(np.broadcast_arrays(*logs)), w)


def choose(
    component: str,
    ks: Mapping[int, str],
    bics: Mapping[str, float],
    icls: Mapping[str, float],
    test: Callable[[str, str], HypothesisTest] | None,
) -> Components:
    """K by each criterion, known for every family of ``ks``; ``test`` (smaller, larger), where given, is climbed until
    it no longer rejects.
    """
    by_bic = min(ks, key=lambda k: bics[ks[k]])
    by_icl = min(ks, key=lambda k: icls[ks[k]])
    tests: list[HypothesisTest] = []
    by_test = None
    if test is not None:
        counts = list(ks)
        by_test = counts[0]
        for fewer, more in itertools.pairwise(counts):
            tests.append(test(ks[fewer], ks[more]))
            if not tests[-1].p_value <= _LEVEL:
                break
            by_test = more
    return Components(component, ks, by_bic, by_icl, tuple(tests), by_test)
