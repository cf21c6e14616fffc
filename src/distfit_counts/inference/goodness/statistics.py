"""Goodness of fit of one column: which statistics, and where each p-value comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from distfit_counts.data.histogram import Histogram
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.inference.fitted.reached import log_pmf, log_prob
from distfit_counts.inference.goodness.cells import Cells
from distfit_counts.inference.goodness.edf import anderson_darling, cramer_von_mises, kolmogorov_smirnov, monte_carlo_p
from distfit_counts.inference.goodness.frequencies import bins
from distfit_counts.inference.goodness.pearson import g_squared, grouped, pearson, pool
from distfit_counts.inference.hypotheses.tails import chi_square_tail
from distfit_counts.inference.replicates import pieces, refit, simulated, warm_values
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import Goodness, HypothesisTest
from distfit_counts.settings import FitSettings

NAN = float("nan")
# Observed [B, J] and fitted probabilities [B, J] -> the statistic of every replicate [B].
Statistic = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class _Statistic:
    code: str
    title: str
    evaluate: Statistic
    asymptotic: bool


@one_thread()
def goodness(judgement: Judgement, row: int, histogram: Histogram, settings: FitSettings) -> Goodness:
    """Pearson X2 and G2 on pooled bins, and discrete KS, Cramer-von Mises and Anderson-Darling on all counts.

    With ``gof_replicates``, every p-value is the share of samples simulated from the fit, and refitted, that fit worse
    (parametric bootstrap: Stute, Gonzalez Manteiga and Presedo Quindimil 1993). Without, X2 and G2 have their
    chi-square p-value, if there are degrees of freedom, and the others none: their null distribution depends on the
    family and on its parameters. Of a single bin X2 and G2 do not exist.
    """
    family, values = judgement.reduced(row)

    def pmf(k: Array) -> Array:
        return np.exp(log_pmf(family, values, k))

    cells = Cells.of(histogram, float(family.mean(values)), float(family.variance(values)), pmf)
    fitted = cells.shares[None, :]
    observed = cells.observed(histogram.values[None, :].astype(float), histogram.weights[None, :].astype(float))
    starts = pool(histogram.n * fitted[0])
    statistics = _statistics(starts)
    worse = _replicates(judgement, row, histogram, settings, cells, statistics)
    df = len(starts) - 1 - family.n_parameters
    tests = []
    for i, statistic in enumerate(statistics):
        # All of the data and of every sample lie in a single bin: 0 against 0, up to rounding.
        empty = statistic.asymptotic and len(starts) < 2
        value = NAN if empty else float(statistic.evaluate(observed, fitted)[0])
        p, null = _p_value(statistic, value, df, None if worse is None or empty else worse[i])
        freedom = float(df) if statistic.asymptotic and df >= 1 else NAN
        tests.append(HypothesisTest(statistic.code, statistic.title, value, freedom, p, null))
    expected = histogram.n * cells.shares
    # The largest count begins a cell: all from there on is as large or larger.
    beyond = float(expected[np.searchsorted(cells.starts, histogram.values[-1]) :].sum())
    return Goodness(
        bins(cells.starts[starts], grouped(observed[0], starts), grouped(expected, starts)), tuple(tests), beyond
    )


def _statistics(starts: npt.NDArray[np.int64]) -> list[_Statistic]:
    def pooled(compare: Statistic, observed: Array, probability: Array) -> Array:
        n = observed.sum(axis=-1, keepdims=True)
        return compare(grouped(observed, starts), grouped(n * probability, starts))

    return [
        _Statistic("chi_square", "Pearson X²", partial(pooled, pearson), True),
        _Statistic("g_squared", "likelihood ratio G²", partial(pooled, g_squared), True),
        _Statistic("kolmogorov_smirnov", "Kolmogorov–Smirnov", kolmogorov_smirnov, False),
        _Statistic("cramer_von_mises", "Cramér–von Mises W²", cramer_von_mises, False),
        _Statistic("anderson_darling", "Anderson–Darling A²", anderson_darling, False),
    ]


def _replicates(
    judgement: Judgement,
    row: int,
    histogram: Histogram,
    settings: FitSettings,
    cells: Cells,
    statistics: list[_Statistic],
) -> Array | None:
    """The statistics [S, B] of samples from the fitted model, each with the family fitted to it anew."""
    if not settings.gof_replicates:
        return None
    family, (model, values) = judgement.solution.family, judgement.reduced(row)
    warm, rng = warm_values(judgement.solution, row), np.random.default_rng([settings.seed, 2])
    found = []
    for size in pieces(settings.gof_replicates, len(cells.points)):
        batch = simulated(model, values, histogram.n, size, rng)
        refitted = refit(family, batch, warm, settings)
        probability = cells.probability(log_prob(refitted, cells.points))
        observed = cells.observed(batch.k, batch.w)
        found.append(np.stack([statistic.evaluate(observed, probability) for statistic in statistics]))
    return np.concatenate(found, axis=1)


def _p_value(statistic: _Statistic, value: float, df: int, replicates: Array | None) -> tuple[float, str]:
    if replicates is not None:
        return monte_carlo_p(value, replicates), f"{len(replicates)} samples of the fit, refitted"
    if not statistic.asymptotic:
        return NAN, "only by simulation: --gof-replicates 999"
    if df < 1:
        return NAN, "too few bins for so many parameters"
    return float(chi_square_tail(value, df)), "chi-square; every bin expects 5 or more"
