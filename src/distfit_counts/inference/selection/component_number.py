"""How many components a mixture has: BIC, ICL, and the bootstrap likelihood ratio."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from distfit_counts.comparison import Components
from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.reached import log_pmf
from distfit_counts.inference.selection.criteria import icl, membership_entropy
from distfit_counts.result import Fit, HypothesisTest

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


def classification(fit: Fit) -> float:
    """ICL of ``fit``: BIC plus twice the entropy of the memberships of its components."""
    family, values = fit.model
    counts = fit.histogram.values.astype(np.float64)
    with np.errstate(divide="ignore"):
        parts = [np.log(weight) + log_pmf(part, own, counts) for weight, part, own in family.parts(values)]
    return icl(fit.bic, membership_entropy(np.stack(parts), fit.histogram.weights))


def choose(
    component: str,
    ks: Mapping[int, str],
    fits: Mapping[str, Fit],
    test: Callable[[str, str], HypothesisTest] | None,
) -> Components:
    """K by each criterion; ``test`` (smaller, larger), where given, is climbed until it no longer rejects."""
    by_bic = min(ks, key=lambda k: fits[ks[k]].bic)
    by_icl = min(ks, key=lambda k: classification(fits[ks[k]]))
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
