"""Cutting counts into runs: the best cut of all, by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from distfit_counts.families.segmentation import finest, joined, segments


def classified(k: np.ndarray, w: np.ndarray, edges: tuple[int, ...]) -> float:
    """The log-likelihood where each run has its own Poisson."""
    runs = [np.flatnonzero(w[: pair[1]] > 0) for pair in itertools.pairwise(edges)]
    runs = [own[own >= first] for own, first in zip(runs, edges, strict=False) if (own >= first).any()]
    return sum(w[run] @ stats.poisson.logpmf(k[run], np.average(k[run], weights=w[run])) for run in runs)


@pytest.mark.parametrize("runs", [1, 2, 3, 4])
def test_no_other_segmentation_is_better(runs: int) -> None:
    rng = np.random.default_rng(runs)
    for _ in range(15):
        width = int(rng.integers(2, 8))
        k = np.sort(rng.choice(int(10 ** rng.uniform(1.0, 4.0)), width, replace=False)).astype(float)
        w = np.append(rng.integers(0, 4, width - 1), 1).astype(float)
        # As columns of a batch are padded: with their first count, of weight 0.
        padded = np.append(k, [k[0]] * 2)[None], np.append(w, [0.0, 0.0])[None]
        edges = segments(*padded, runs)[0]
        assert edges[0] == 0
        assert (np.diff(edges) >= 0).all()
        cuts = itertools.combinations_with_replacement(range(width + 1), runs - 1)
        best = max(classified(k, w, (0, *cut, width)) for cut in cuts)
        assert classified(k, w, tuple(np.minimum(edges, width))) == pytest.approx(best, abs=1e-9)


def test_of_thousands_of_counts_neighbours_are_merged() -> None:
    k = np.append(np.arange(3000.0), [1e5, 1e6])
    edges = segments(k[None], np.ones((1, len(k))), 5)[0]
    assert edges[-1] == len(k)
    # The two far out are runs of their own.
    assert set(edges) >= {3000, 3001}


def test_all_ways_to_join_runs() -> None:
    found = joined(np.array([[0, 3, 5, 9, 11]]), 2)[0]
    assert found.tolist() == [[0, 3, 11], [0, 5, 11], [0, 9, 11]]
    for runs in (2, 3, 4, 6, 20):
        assert len(joined(np.arange(finest(runs, 120) + 1)[None], runs)[0]) <= 120
