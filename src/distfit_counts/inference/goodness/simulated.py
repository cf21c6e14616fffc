"""The statistics of goodness of fit where the model is true: of samples drawn from the fit, each refitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.estimates import Group, Judgement
from distfit_counts.inference.fitted.reached import log_prob
from distfit_counts.inference.goodness.bins import Bins
from distfit_counts.inference.goodness.cells import Cells
from distfit_counts.inference.goodness.compared import of_bins, of_cells
from distfit_counts.inference.goodness.pearson import grouped
from distfit_counts.inference.replicates import pieces, refit, simulated, warm_values
from distfit_counts.settings import FitSettings


def simulated_statistics(
    judgement: Judgement, groups: Sequence[Group], histograms: Sequence[Histogram], bins: Bins, settings: FitSettings
) -> Array | None:
    """The statistics [5, C, B] of ``gof_replicates`` samples from the fitted model of every column; None for none."""
    if not settings.gof_replicates:
        return None
    found = np.empty((5, len(histograms), settings.gof_replicates))
    for group in groups:
        for i, at in enumerate(group.at):
            own = slice(bins.first[at], bins.first[at] + bins.size[at])
            found[:, at] = _replicates(judgement, group, i, histograms[at], bins.low[own], settings)
    return found


def _replicates(
    judgement: Judgement,
    group: Group,
    i: int,
    histogram: Histogram,
    low: npt.NDArray[np.int64],
    settings: FitSettings,
) -> Array:
    """Those [5, B] of column ``i`` of ``group``, whose pooled bins begin at the counts ``low``."""
    family, values = judgement.solution.family, group.at_values(i)
    warm, rng = warm_values(judgement.solution, int(group.rows[i])), np.random.default_rng([settings.seed, 2])
    cells = Cells.of(histogram, float(group.mean[i]), float(group.variance[i]), group.pmf(i))
    starts = np.searchsorted(cells.starts, low)
    found = []
    for size in pieces(settings.gof_replicates, len(cells.rule.points)):
        batch = simulated(group.family, values, histogram.n, size, rng)
        refitted = refit(family, batch, warm, settings)
        probability = cells.probability(log_prob(refitted, cells.rule.points))
        observed = cells.observed(batch.k, batch.w)
        expected = observed.sum(axis=-1, keepdims=True) * probability
        bins = of_bins(grouped(observed, starts), grouped(expected, starts))
        found.append(np.concatenate([bins, of_cells(observed, probability)]))
    return np.concatenate(found, axis=1)
