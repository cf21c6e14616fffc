"""p-values of many tests, adjusted for their number."""

from __future__ import annotations

import numpy as np

from distfit_counts.families.constraint import Array


def benjamini_hochberg(p: Array) -> Array:
    """Adjusted p-values [N] of one test made of N columns (Benjamini and Hochberg 1995, JRSS B 57).

    With p(1) <= ... <= p(m) sorted, the adjusted p(i) = min over j >= i of min(m p(j)/j, 1), the smallest false
    discovery rate at which it is rejected: of all columns with an adjusted p of at most q, a share of q at most is
    expected to be there by chance, for independent or positively dependent tests. NaN (no test) stays NaN and is not
    among the m.
    """
    adjusted = np.full(len(p), np.nan)
    there = np.flatnonzero(~np.isnan(p))
    order = there[np.argsort(-p[there], kind="stable")]
    rank = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * (len(order) / rank), 1.0))
    return adjusted
